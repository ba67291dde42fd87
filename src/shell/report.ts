/**
 * What a scrape shows: the judge's state, the kernel's counters and our own losses, read when asked and kept nowhere.
 */
import type { Logger } from 'pino';
import type { AuditCapture } from '../capture/audit.js';
import type { StreamLosses } from '../capture/stream.js';
import type { WireCapture } from '../capture/wire.js';
import type { ProbeOutcome, ProbePurpose } from '../judge/input.js';
import type { State } from '../judge/state.js';
import { startHttp } from '../report/http.js';
import type { Journal } from '../report/journal.js';
import type { DestinationView, MetricsView } from '../report/view.js';
import { endpointId } from '../table/identity.js';
import type { Config } from './config.js';
import type { Targets } from './targets.js';
import { commit, version } from './version.js';

export interface ReportParts {
	config: Config;
	dryRun: boolean;
	log: Logger;
	state: State;
	wire: WireCapture | undefined;
	audit: AuditCapture | undefined;
	journal: Journal;
	targets: Targets;
	tableAge: () => { ageMs: number; stale: boolean };
}

/** Serves /metrics and /healthz where the configuration says so. */
export async function serveReport(parts: ReportParts): Promise<{ close(): Promise<void> } | undefined> {
	const { config, log } = parts;
	if (config.metrics === 'off') return undefined;
	const { createMetrics } = await import('../report/metrics.js');
	const metrics = createMetrics({ version: version(), commit: commit() }, () => view(parts));
	const onError = (error: Error) => log.error({ err: error }, 'a scrape failed');
	return startHttp({ listen: config.metrics.listen, metrics, health: () => health(parts), onError });
}

function health({ tableAge }: ReportParts): { ok: boolean; detail: string } {
	const { ageMs, stale } = tableAge();
	if (!stale) return { ok: true, detail: 'observing' };
	return { ok: false, detail: `the table was last read ${Math.round(ageMs)} ms ago` };
}

function view(parts: ReportParts): MetricsView {
	const { config, dryRun, state, targets } = parts;
	const { detected, enforced, overflow } = state.counters;
	return {
		mode: config.mode,
		dryRun,
		destinations: destinationViews(parts),
		services: [],
		links: [],
		impairedHosts: state.impaired.size,
		leases: [...state.busyDestinations].filter((id) => state.destinations.get(id)?.lease).length,
		ejections: { detected, enforced, overflow },
		probes: Object.entries(state.counters.probes).map(([label, count]) => {
			const [purpose, outcome] = label.split(' ') as [ProbePurpose, ProbeOutcome];
			return { outcome, purpose, count };
		}),
		losses: losses(parts),
		notifications: targets.deliveries(),
	};
}

function* destinationViews({ state, wire }: ReportParts): Generator<DestinationView> {
	const watched = wire?.counters() ?? [];
	const counters = new Map(watched.map(({ endpoint, counters }) => [endpointId(endpoint), counters]));
	for (const { service, destination, inTable, verdict, lease, endpoint } of state.destinations.values()) {
		if (!inTable) continue;
		const seen = endpoint === undefined ? undefined : counters.get(endpoint);
		const weightOwed = lease?.written === undefined ? undefined : lease.destination.weight;
		const attempts = seen && { refused: seen.refusals, accepted: seen.acceptances };
		yield { service, destination, weightOwed, verdict, attempts, unreachable: undefined };
	}
}

function losses({ wire, audit, journal, targets }: ReportParts): MetricsView['losses'] {
	const streams = [wire?.losses(), audit?.losses()];
	const sum = (of: keyof StreamLosses) => streams.reduce((total, one) => total + (one?.[of] ?? 0), 0);
	return {
		ring: sum('ringFull'),
		malformed: sum('malformed'),
		journal: journal.losses.dropped,
		hook: targets.overflow(),
		packet_truncated: sum('truncated'),
		packet_fragment: sum('fragment'),
		packet_header_chain: sum('headerChain'),
		packet_malformed: sum('malformedPacket'),
		packet_stranger: sum('stranger'),
		packet_bad_quote: sum('badQuote'),
		packet_unreadable: sum('unreadable'),
		attempt_no_syn: sum('noSyn'),
		attempt_unlisted: sum('unlisted'),
		writers_full: sum('writersFull'),
	};
}
