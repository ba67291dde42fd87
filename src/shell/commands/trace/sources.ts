/**
 * The vantage points as `trace` opens them: objects of its own beside a daemon's, nothing pinned, each one optional. One
 * that is not to be had is told; only where none is, there is nothing to trace.
 */
import type { Logger } from 'pino';
import { openAudit } from '../../../capture/audit.js';
import type { HookState, Unavailable } from '../../../capture/availability.js';
import { openLink } from '../../../capture/link.js';
import { openOutcome } from '../../../capture/outcome.js';
import type { RecordedLosses, VantageName } from '../../../capture/recording.js';
import type { EventSink, StreamLosses } from '../../../capture/stream.js';
import { openWire } from '../../../capture/wire.js';
import type { RouteClient } from '../../../netlink/route-client.js';
import type { Snapshot } from '../../../table/model.js';
import type { Config } from '../../config.js';
import { cannotWatch } from '../../errors.js';
import { Follower } from '../../vantage.js';

export interface Source {
	losses(): StreamLosses;
	/** Brings what is watched up to the table. */
	follow(snapshot: Snapshot): Promise<void>;
	close(): void;
}

export interface SourceParts {
	config: Config;
	routes: RouteClient;
	log: Logger;
	/** Whether the first octets of packets are wanted. */
	packets: boolean;
}

type Opener = (parts: SourceParts, sink: EventSink) => Source | Unavailable | undefined;

/** Undefined where the configuration does not want it. */
const openers: Record<VantageName, Opener> = {
	wire: openTheWire,
	outcome: openTheOutcomes,
	audit: openTheAudit,
	link: openTheLinks,
};

function openTheWire({ config, routes, log, packets }: SourceParts, sink: EventSink): Source | Unavailable | undefined {
	const { attach, interfaces } = config;
	if (attach === 'none') return undefined;
	const wire = openWire({ attach, interfaces: [], packets, beside: true, ...sink });
	if (!wire.available) return wire;
	const follower = new Follower({ wire, named: interfaces, policy: attach, routes, log });
	return {
		losses: () => wire.losses(),
		follow: (snapshot) => follower.follow(snapshot),
		close: () => follower.close(),
	};
}

function openTheOutcomes({ packets, log }: SourceParts, sink: EventSink): Source | Unavailable {
	const outcome = openOutcome({ packets, ...sink });
	if (!outcome.available) return outcome;
	tellHooks(outcome.hooks, log);
	return {
		losses: () => outcome.losses(),
		follow: async ({ services }) => {
			outcome.setDestinations(
				services.flatMap(({ address: service, destinations }) =>
					destinations.map((destination) => ({ service, destination })),
				),
			);
		},
		close: () => outcome.close(),
	};
}

function openTheAudit({ log }: SourceParts, sink: EventSink): Source | Unavailable {
	const audit = openAudit({ pinDirectory: undefined, ...sink });
	if (!audit.available) return audit;
	tellHooks(audit.hooks, log);
	return { losses: () => audit.losses(), follow: async () => {}, close: () => audit.close() };
}

function openTheLinks({ log }: SourceParts, sink: EventSink): Source | Unavailable {
	const link = openLink(sink);
	if (!link.available) return link;
	for (const state of link.parts)
		if (!state.attached) log.warn({ reason: state.reason, remedy: state.remedy }, `no ${state.part} events`);
	return {
		losses: () => link.losses(),
		follow: async ({ services }) => {
			const hosts = services.flatMap(({ destinations }) => destinations.map(({ address }) => address));
			link.setHosts([...new Set(hosts)]);
		},
		close: () => link.close(),
	};
}

function tellHooks(hooks: readonly HookState[], log: Logger): void {
	for (const { hook, attached, reason } of hooks)
		if (!attached) log.warn({ hook, reason }, 'a hook could not be attached: its signals will be missing');
}

/**
 * Opens what is `wanted`, and is there.
 * @throws OperatorError where nothing of it is to be had.
 */
export function openSources(
	wanted: readonly VantageName[],
	parts: SourceParts,
	sinkOf: (vantage: VantageName) => EventSink,
): Map<VantageName, Source> {
	const sources = new Map<VantageName, Source>();
	const missing: [VantageName, Unavailable][] = [];
	for (const name of wanted) {
		const source = openers[name](parts, sinkOf(name));
		if (source === undefined) continue;
		if ('available' in source) missing.push([name, source]);
		else sources.set(name, source);
	}
	const [first] = missing;
	if (sources.size === 0 && first) throw cannotWatch(first[1], first[0]);
	for (const [name, { reason, remedy }] of missing)
		parts.log.warn({ reason, remedy }, `nothing will be heard from the vantage point ${name}`);
	return sources;
}

export function lossesOf(sources: ReadonlyMap<VantageName, Source>): RecordedLosses {
	return Object.fromEntries([...sources].map(([name, source]) => [name, { ...source.losses() }]));
}
