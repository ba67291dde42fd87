/**
 * Every metric, declared once: its name, its help, its labels, and how it is read from what one scrape took. How the
 * text is printed, and what outlives a scrape, is metrics.ts's.
 */
import type { Verdict } from '../judge/action.js';
import type { Mode } from '../judge/policy.js';
import { type DestinationLabels, labelNames, type ServiceLabels, serviceLabelNames } from './labels.js';
import { attemptOutcomes, type DestinationView, type MetricsView } from './view.js';

/** One line of the exposition: `sharedLabels` are printed from a text that prom-client keeps for each object. */
export interface Sample {
	value: number;
	labels: Record<string, string>;
	sharedLabels?: DestinationLabels | ServiceLabels;
	/** Where it is not the metric's own name: the parts of a histogram. */
	metricName?: string;
}

export interface Declaration {
	name: string;
	help: string;
	type: 'counter' | 'gauge' | 'histogram';
	labels: readonly string[];
	read: (scrape: Scrape) => Iterable<Sample>;
}

export interface DestinationRow {
	shown: DestinationView;
	labels: DestinationLabels;
	/** In the order of `attemptOutcomes`; shorter where nothing has counted yet. */
	attempts: readonly number[];
	unreachable: number;
}

export interface ServiceRow {
	labels: ServiceLabels;
	noDestination: number;
	handshake: readonly number[];
	firstAnswer: readonly number[];
}

/** What one scrape reads: the view, taken once, and the rows with their labels. */
export interface Scrape {
	view: MetricsView;
	destinations: DestinationRow[];
	services: ServiceRow[];
}

const verdicts: readonly Verdict[] = ['healthy', 'suspect', 'failed', 'recovering'];
const modes: readonly Mode[] = ['observe', 'notify', 'assist'];
/** Split once: the label objects are shared by all destinations. */
const verdictLabels = verdicts.map((verdict) => ({ verdict }));
const outcomeLabels = attemptOutcomes.map((outcome) => ({ outcome }));
const none = {};

function perDestination(rows: DestinationRow[], value: (row: DestinationRow) => number): Sample[] {
	return rows.map((row) => ({ value: value(row), labels: none, sharedLabels: row.labels }));
}

function verdictSamples({ shown, labels }: DestinationRow): Sample[] {
	return verdictLabels.map((verdict) => ({
		value: Number(shown.verdict === verdict.verdict),
		labels: verdict,
		sharedLabels: labels,
	}));
}

/** Of eleven outcomes a healthy destination has four: the others appear with their first count. */
function attemptSamples({ attempts, labels }: DestinationRow): Sample[] {
	return outcomeLabels.flatMap((outcome, index) => {
		const value = attempts[index] ?? 0;
		return value === 0 ? [] : [{ value, labels: outcome, sharedLabels: labels }];
	});
}

/** Below 64 us nothing is told apart: no handshake through a director is quicker. Above 16.8 s everything is "+Inf". */
const firstBucket = 5;
const lastBucket = 23;
const microsecondsPerSecond = 1e6;

/**
 * Latencies by powers of two as a Prometheus histogram: bucket i ends below 2^(i+1) us. There is no exact sum in the
 * kernel; the middle of each bucket stands for what is in it (1.5 times its lower end).
 */
function histogramSamples(name: string, counts: readonly number[], labels: ServiceLabels): Sample[] {
	const samples: Sample[] = [];
	let count = 0;
	let sumUs = 0;
	const add = (metricName: string, value: number, le?: string) =>
		samples.push({ metricName, value, labels: le === undefined ? none : { le }, sharedLabels: labels });
	for (const [index, here] of counts.entries()) {
		count += here;
		sumUs += here * 1.5 * 2 ** index;
		if (index >= firstBucket && index < lastBucket)
			add(`${name}_bucket`, count, String(2 ** (index + 1) / microsecondsPerSecond));
	}
	if (count === 0) return [];
	add(`${name}_bucket`, count, '+Inf');
	add(`${name}_sum`, sumUs / microsecondsPerSecond);
	add(`${name}_count`, count);
	return samples;
}

/** A histogram of latencies for each service that has any. */
function latencies(name: string, help: string, of: 'handshake' | 'firstAnswer'): Declaration {
	const labels = serviceLabelNames;
	const read = ({ services }: Scrape) => services.flatMap((row) => histogramSamples(name, row[of], row.labels));
	return { name, help, type: 'histogram', labels, read };
}

export const declarations: readonly Declaration[] = [
	{
		name: 'ipvigil_mode',
		help: 'The mode that ipvigil runs in: 1 for it, 0 for the others.',
		type: 'gauge',
		labels: ['mode'],
		read: ({ view }) => modes.map((mode) => ({ value: Number(view.mode === mode), labels: { mode } })),
	},
	{
		name: 'ipvigil_dry_run',
		help: '1 where decisions are made and nothing is written.',
		type: 'gauge',
		labels: [],
		read: ({ view }) => [{ value: Number(view.dryRun), labels: none }],
	},
	{
		name: 'ipvigil_attempts_total',
		help: 'Connection attempts of the destination by what became of them, as the kernel counted them; what never happened is absent.',
		type: 'counter',
		labels: [...labelNames, 'outcome'],
		read: ({ destinations }) => destinations.flatMap(attemptSamples),
	},
	{
		name: 'ipvigil_unreachable_total',
		help: 'ICMP errors that may speak of a failure of the endpoint behind the destination or of its host; absent where there were none.',
		type: 'counter',
		labels: labelNames,
		read: ({ destinations }) =>
			perDestination(
				destinations.filter(({ unreachable }) => unreachable > 0),
				({ unreachable }) => unreachable,
			),
	},
	{
		name: 'ipvigil_no_destination_total',
		help: 'Connection attempts for which the scheduler of the service found no destination; absent where there were none.',
		type: 'counter',
		labels: serviceLabelNames,
		read: ({ services }) =>
			services
				.filter(({ noDestination }) => noDestination > 0)
				.map(({ noDestination, labels }) => ({ value: noDestination, labels: none, sharedLabels: labels })),
	},
	latencies(
		'ipvigil_handshake_seconds',
		"From a client's SYN to its acknowledgement of the server's, as the director sees both.",
		'handshake',
	),
	latencies(
		'ipvigil_first_answer_seconds',
		"From a client's first data to its acknowledgement of the server's first data.",
		'firstAnswer',
	),
	{
		name: 'ipvigil_destination_weight',
		help: 'The weight that stands in the IPVS table.',
		type: 'gauge',
		labels: labelNames,
		read: ({ destinations }) => perDestination(destinations, ({ shown }) => shown.destination.weight),
	},
	{
		name: 'ipvigil_destination_weight_owed',
		help: 'The weight that ipvigil owes the destination; absent where no lease holds one.',
		type: 'gauge',
		labels: labelNames,
		read: ({ destinations }) =>
			perDestination(
				destinations.filter(({ shown }) => shown.weightOwed !== undefined),
				({ shown }) => shown.weightOwed ?? 0,
			),
	},
	{
		name: 'ipvigil_destination_verdict',
		help: 'What ipvigil believes of the destination: 1 for the verdict, 0 for the others.',
		type: 'gauge',
		labels: [...labelNames, 'verdict'],
		read: ({ destinations }) => destinations.flatMap(verdictSamples),
	},
	{
		name: 'ipvigil_watching',
		help: '1 where ipvigil watches: on an interface (device), or by a hook in the kernel; 0 where it should and does not.',
		type: 'gauge',
		labels: ['vantage', 'device', 'hook'],
		read: ({ view }) => Array.from(view.watching, ({ attached, ...labels }) => ({ value: Number(attached), labels })),
	},
	{
		name: 'ipvigil_link_up',
		help: "1 where the director's interface and what it sits on have carrier and, for a bond, an active slave and the LACP partner that it had; 0 where one of them has not or is gone.",
		type: 'gauge',
		labels: ['device'],
		read: ({ view }) => Array.from(view.links, ({ name, up }) => ({ value: Number(up), labels: { device: name } })),
	},
	{
		name: 'ipvigil_impaired_hosts',
		help: "Hosts that are not judged, because the way to them is impaired by a fault of the director's own.",
		type: 'gauge',
		labels: [],
		read: ({ view }) => [{ value: view.impairedHosts, labels: none }],
	},
	{
		name: 'ipvigil_leases',
		help: 'Leases that stand.',
		type: 'gauge',
		labels: [],
		read: ({ view }) => [{ value: view.leases, labels: none }],
	},
	{
		name: 'ipvigil_holds',
		help: "The operator's holds that stand; one on all destinations is one.",
		type: 'gauge',
		labels: [],
		read: ({ view }) => [{ value: view.holds, labels: none }],
	},
	{
		name: 'ipvigil_ejections_detected_total',
		help: 'Destinations found failed, whatever was done about it.',
		type: 'counter',
		labels: [],
		read: ({ view }) => [{ value: view.ejections.detected, labels: none }],
	},
	{
		name: 'ipvigil_ejections_enforced_total',
		help: 'Destinations taken out: a weight written or a monitor made to act.',
		type: 'counter',
		labels: [],
		read: ({ view }) => [{ value: view.ejections.enforced, labels: none }],
	},
	{
		name: 'ipvigil_ejections_overflow_total',
		help: 'Destinations found failed that a floor kept in, by the floor.',
		type: 'counter',
		labels: ['reason'],
		read: ({ view }) =>
			Object.entries(view.ejections.overflow).map(([reason, value]) => ({ value, labels: { reason } })),
	},
	{
		name: 'ipvigil_probes_total',
		help: 'Probes of real servers, by what they met and what they were for.',
		type: 'counter',
		labels: ['outcome', 'purpose'],
		read: ({ view }) =>
			Array.from(view.probes, ({ outcome, purpose, count }) => ({ value: count, labels: { outcome, purpose } })),
	},
	{
		name: 'ipvigil_lost_total',
		help: 'What was lost or left unread, by where: records of the rings, packets, attempts, lines of the journal and the log, hook notifications.',
		type: 'counter',
		labels: ['place'],
		read: ({ view }) => Object.entries(view.losses).map(([place, value]) => ({ value, labels: { place } })),
	},
	{
		name: 'ipvigil_notifications_total',
		help: 'Messages to monitors and hooks, by what became of them.',
		type: 'counter',
		labels: ['target', 'result'],
		read: ({ view }) =>
			Array.from(view.notifications, ({ target, result, count }) => ({ value: count, labels: { target, result } })),
	},
];
