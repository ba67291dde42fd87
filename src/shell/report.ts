/**
 * What a scrape shows: the judge's state, the kernel's counters and our own losses, read when asked and kept nowhere.
 */
import type { DestinationOutcomes, OutcomeCapture } from '../capture/outcome.js';
import { sumLosses } from '../capture/stream.js';
import type { WireCapture } from '../capture/wire.js';
import type { EndpointCounters } from '../decode/event.js';
import type { ProbeOutcome, ProbePurpose } from '../judge/input.js';
import type { ListenerState, State } from '../judge/state.js';
import { startHttp } from '../report/http.js';
import type { Journal } from '../report/journal.js';
import type { Log } from '../report/log.js';
import type { Attempts, DestinationView, MetricsView, Parts, ServiceView, WatchView } from '../report/view.js';
import { type DestinationId, destinationId, type EndpointId, endpointId, serviceId } from '../table/identity.js';
import type { Config } from './config.js';
import type { IpvsHooks } from './ipvs-hooks.js';
import type { Links } from './links.js';
import type { Targets } from './targets.js';
import { commit, version } from './version.js';

export interface ReportParts {
	config: Config;
	dryRun: boolean;
	log: Log;
	state: State;
	wire: Pick<WireCapture, 'interfaces' | 'counters' | 'hostCounters' | 'losses'> | undefined;
	hooks: Pick<IpvsHooks, 'watching' | 'losses'> & {
		readonly outcome: Pick<OutcomeCapture, 'outcomes' | 'services'> | undefined;
	};
	links: () => Pick<Links, 'states' | 'watching' | 'hooks'> | undefined;
	journal: Pick<Journal, 'losses'>;
	targets: Pick<Targets, 'deliveries' | 'overflow'>;
	tableAge: () => { ageMs: number; stale: boolean };
}

/** Serves /metrics and /healthz where the configuration says so. */
export async function serveReport(parts: ReportParts): Promise<{ close(): Promise<void> } | undefined> {
	const { config, log } = parts;
	if (config.metrics === 'off') return undefined;
	const { createMetrics } = await import('../report/metrics.js');
	const metrics = createMetrics({ version: version(), commit: commit() }, () => viewOf(parts));
	const onError = (error: Error) => log.error({ err: error }, 'a scrape failed');
	return startHttp({ listen: config.metrics.listen, metrics, health: () => health(parts), onError });
}

function health({ tableAge }: ReportParts): { ok: boolean; detail: string } {
	const { ageMs, stale } = tableAge();
	if (!stale) return { ok: true, detail: 'observing' };
	return { ok: false, detail: `the table was last read ${Math.round(ageMs)} ms ago` };
}

/** What one scrape shows. */
export function viewOf(parts: ReportParts): MetricsView {
	const { config, dryRun, state, targets } = parts;
	const { detected, enforced, overflow } = state.counters;
	const outcomes = outcomesOf(parts);
	return {
		mode: config.mode,
		dryRun,
		destinations: destinationViews(parts, outcomes),
		services: serviceViews(parts, outcomes),
		watching: watchViews(parts),
		links: parts.links()?.states() ?? [],
		impairedHosts: state.impaired.size,
		leases: [...state.busyDestinations].filter((id) => state.destinations.get(id)?.lease).length,
		holds: state.holds.size,
		ejections: { detected, enforced, overflow },
		probes: Object.entries(state.counters.probes).map(([label, count]) => {
			const [purpose, outcome] = label.split(' ') as [ProbePurpose, ProbeOutcome];
			return { outcome, purpose, count };
		}),
		losses: losses(parts),
		notifications: targets.deliveries(),
	};
}

/** Where ipvigil should be: what the configuration leaves alone is not among it. */
function watchViews({ wire, hooks, links }: ReportParts): WatchView[] {
	const interfaces = (wire?.interfaces ?? []).map(({ interfaceName: device, attached }): WatchView => {
		return { vantage: 'wire', device, attached };
	});
	return [...interfaces, ...hooks.watching(), ...(links()?.watching() ?? [])];
}

/** Attempts are told by the hooks inside IPVS where they are attached, else by the wire, which knows endpoints only. */
function* destinationViews({ state, wire }: ReportParts, outcomes: Outcomes | undefined): Generator<DestinationView> {
	const attemptsBy = outcomes ? 'outcome' : 'wire';
	const watched = wire?.counters() ?? [];
	const counters = new Map(watched.map(({ endpoint, counters }) => [endpointId(endpoint), counters]));
	const hosts = new Map(wire?.hostCounters().map(({ address, counters }) => [address, counters.unreachables]));
	for (const { id, service, destination, inTable, verdict, lease, listener } of state.destinations.values()) {
		if (!inTable) continue;
		const endpoint = endpointIdOf(state.listeners.get(listener ?? ''));
		const seen = endpoint === undefined ? undefined : counters.get(endpoint);
		const weightOwed = lease?.written === undefined ? undefined : lease.destination.weight;
		const attempts = outcomes ? hookedAttempts(outcomes.get(id)) : wireAttempts(seen);
		const unreachable = errors(hosts.get(destination.address), endpoint, seen?.unreachables);
		yield { service, destination, weightOwed, verdict, attempts, attemptsBy, unreachable };
	}
}

function endpointIdOf(listener: ListenerState | undefined): EndpointId | undefined {
	return listener && endpointId(listener.endpoint);
}

const noErrors: Parts = new Map();

/** Nearly all destinations have none, and so cost nothing. */
function errors(ofHost = 0, endpoint = '', ofEndpoint = 0): Parts {
	if (ofHost === 0 && ofEndpoint === 0) return noErrors;
	return new Map([
		['host', [ofHost]],
		[endpoint, [ofEndpoint]],
	]);
}

type Outcomes = ReadonlyMap<DestinationId, DestinationOutcomes>;

function outcomesOf({ hooks: { outcome } }: ReportParts): Outcomes | undefined {
	if (!outcome) return undefined;
	return new Map(outcome.outcomes().map((each) => [destinationId(each.service, each.destination), each]));
}

function wireAttempts(seen: EndpointCounters | undefined): Attempts | undefined {
	return seen && { refused: seen.refusals, accepted: seen.acceptances };
}

function hookedAttempts(outcomes: DestinationOutcomes | undefined): Attempts | undefined {
	if (!outcomes) return undefined;
	const { synRepeated, dataRepeated, resets, gaveUp, lastAcceptedNs: _, ...same } = outcomes.counters;
	return { ...same, syn_repeated: synRepeated, data_repeated: dataRepeated, reset: resets, gave_up: gaveUp };
}

/** Latencies are shown of all its destinations together: a histogram for each would be a hundred thousand series. */
function* serviceViews({ state, hooks }: ReportParts, outcomes: Outcomes | undefined): Generator<ServiceView> {
	const noDestination = new Map(
		(hooks.outcome?.services() ?? []).map(({ service, noDestination }) => [serviceId(service), noDestination]),
	);
	for (const [id, { address, destinations }] of state.services) {
		const own = [...destinations].flatMap((destination): [DestinationId, DestinationOutcomes][] => {
			const told = outcomes?.get(destination);
			return told ? [[destination, told]] : [];
		});
		yield {
			service: address,
			noDestination: noDestination.get(id),
			handshake: new Map(own.map(([destination, { handshakes }]) => [destination, handshakes])),
			firstAnswer: new Map(own.map(([destination, { firstAnswers }]) => [destination, firstAnswers])),
		};
	}
}

function losses({ wire, hooks, links, journal, log, targets }: ReportParts): MetricsView['losses'] {
	const lost = sumLosses([wire?.losses(), hooks.losses(), links()?.hooks?.losses()].flatMap((each) => each ?? []));
	return {
		ring: lost.ringFull,
		malformed: lost.malformed,
		journal: journal.losses.dropped,
		journal_write: journal.losses.failedWrites,
		log: log.lost(),
		hook: targets.overflow(),
		packet_truncated: lost.truncated,
		packet_fragment: lost.fragment,
		packet_header_chain: lost.headerChain,
		packet_malformed: lost.malformedPacket,
		packet_stranger: lost.stranger,
		packet_bad_quote: lost.badQuote,
		packet_unreadable: lost.unreadable,
		attempt_no_syn: lost.noSyn,
		attempt_unlisted: lost.unlisted,
		writers_full: lost.writersFull,
	};
}
