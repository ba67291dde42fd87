/**
 * The metrics: one declaration for each, read at scrape time from a plain view that the daemon gives.
 *
 * Nothing is counted here and nothing is kept between scrapes but the labels, whose text is made once for each destination,
 * and the base of counters that the kernel started anew. Series of a destination that left the table are gone with the
 * next scrape. A destination has the labels of node_exporter's ipvs collector, so that the two can be joined.
 */
import type { Verdict } from '../judge/action.js';
import type { ProbeOutcome, ProbePurpose } from '../judge/input.js';
import type { Mode } from '../judge/policy.js';
import type { DestinationId } from '../table/identity.js';
import type { Destination, ServiceAddress } from '../table/model.js';
import { type Declaration, exposition, expositionType, labelText } from './exposition.js';
import { labelsOf } from './labels.js';
import { RisingCount } from './rising.js';

export interface DestinationView {
	id: DestinationId;
	service: ServiceAddress;
	/** `weight` is the one that stands. */
	destination: Pick<Destination, 'address' | 'port' | 'weight'>;
	/** The weight that is to come back; undefined where no lease holds one. */
	weightOwed: number | undefined;
	verdict: Verdict;
	/** As the kernel counted them for the endpoint; may start anew, undefined where nothing counts. */
	refusals: number | undefined;
	acceptances: number | undefined;
}

/** What is lost before it could be judged or told, by where: see the help of `ipvigil_lost_total`. */
export type LossPlace = 'ring' | 'malformed' | 'journal' | 'hook';

/** All that a scrape shows. Counters must count from the daemon's start. */
export interface MetricsView {
	mode: Mode;
	dryRun: boolean;
	destinations: Iterable<DestinationView>;
	leases: number;
	ejections: { detected: number; enforced: number; overflow: Record<string, number> };
	probes: Iterable<{ outcome: ProbeOutcome; purpose: ProbePurpose; count: number }>;
	losses: Record<LossPlace, number>;
	notifications: Iterable<{ target: string; result: 'delivered' | 'failed'; count: number }>;
}

export interface Metrics {
	contentType: string;
	/** The exposition text. Scrapes at the same time share one. */
	text(): Promise<string>;
}

/** What one scrape reads: the view, taken once, and the destinations with their labels. */
interface Scrape {
	build: BuildInfo;
	view: MetricsView;
	destinations: Row[];
}

interface Row {
	shown: DestinationView;
	/** The labels as text. */
	labels: string;
	refusals: number;
	acceptances: number;
}

export type BuildInfo = { version: string; commit: string };

const verdicts: readonly Verdict[] = ['healthy', 'suspect', 'failed', 'recovering'];
const modes: readonly Mode[] = ['observe', 'notify', 'assist'];

const declarations: readonly Declaration<Scrape>[] = [
	{
		name: 'ipvigil_build_info',
		help: 'Which ipvigil this is; always 1.',
		type: 'gauge',
		read: ({ build }, sample) => sample(labelText(build), 1),
	},
	{
		name: 'ipvigil_mode',
		help: 'The mode that ipvigil runs in: 1 for it, 0 for the others.',
		type: 'gauge',
		read: ({ view }, sample) => {
			for (const mode of modes) sample(labelText({ mode }), Number(view.mode === mode));
		},
	},
	{
		name: 'ipvigil_dry_run',
		help: '1 where decisions are made and nothing is written.',
		type: 'gauge',
		read: ({ view }, sample) => sample('', Number(view.dryRun)),
	},
	{
		name: 'ipvigil_refusals_total',
		help: 'Connections that the endpoint behind the destination refused, as the kernel counted them.',
		type: 'counter',
		read: ({ destinations }, sample) => {
			for (const { labels, refusals } of destinations) sample(labels, refusals);
		},
	},
	{
		name: 'ipvigil_acceptances_total',
		help: 'Connections that the endpoint behind the destination accepted, as the kernel counted them.',
		type: 'counter',
		read: ({ destinations }, sample) => {
			for (const { labels, acceptances } of destinations) sample(labels, acceptances);
		},
	},
	{
		name: 'ipvigil_destination_weight',
		help: 'The weight that stands in the IPVS table.',
		type: 'gauge',
		read: ({ destinations }, sample) => {
			for (const { labels, shown } of destinations) sample(labels, shown.destination.weight);
		},
	},
	{
		name: 'ipvigil_destination_weight_owed',
		help: 'The weight that ipvigil owes the destination; absent where no lease holds one.',
		type: 'gauge',
		read: ({ destinations }, sample) => {
			for (const { labels, shown } of destinations) {
				if (shown.weightOwed !== undefined) sample(labels, shown.weightOwed);
			}
		},
	},
	{
		name: 'ipvigil_destination_verdict',
		help: 'What ipvigil believes of the destination: 1 for the verdict, 0 for the others.',
		type: 'gauge',
		read: ({ destinations }, sample) => {
			for (const { labels, shown } of destinations) {
				for (const verdict of verdicts) sample(`${labels},verdict="${verdict}"`, Number(shown.verdict === verdict));
			}
		},
	},
	{
		name: 'ipvigil_leases',
		help: 'Leases that stand.',
		type: 'gauge',
		read: ({ view }, sample) => sample('', view.leases),
	},
	{
		name: 'ipvigil_ejections_detected_total',
		help: 'Destinations found failed, whatever was done about it.',
		type: 'counter',
		read: ({ view }, sample) => sample('', view.ejections.detected),
	},
	{
		name: 'ipvigil_ejections_enforced_total',
		help: 'Destinations taken out: a weight written or a monitor made to act.',
		type: 'counter',
		read: ({ view }, sample) => sample('', view.ejections.enforced),
	},
	{
		name: 'ipvigil_ejections_overflow_total',
		help: 'Destinations found failed that a floor kept in, by the floor.',
		type: 'counter',
		read: ({ view }, sample) => {
			for (const [reason, count] of Object.entries(view.ejections.overflow)) sample(labelText({ reason }), count);
		},
	},
	{
		name: 'ipvigil_probes_total',
		help: 'Probes of real servers, by what they met and what they were for.',
		type: 'counter',
		read: ({ view }, sample) => {
			for (const { count, ...labels } of view.probes) sample(labelText(labels), count);
		},
	},
	{
		name: 'ipvigil_lost_total',
		help: 'What was lost: records for want of room in the ring, malformed records, journal lines, hook notifications.',
		type: 'counter',
		read: ({ view }, sample) => {
			for (const [place, count] of Object.entries(view.losses)) sample(labelText({ place }), count);
		},
	},
	{
		name: 'ipvigil_notifications_total',
		help: 'Messages to monitors and hooks, by what became of them.',
		type: 'counter',
		read: ({ view }, sample) => {
			for (const { count, ...labels } of view.notifications) sample(labelText(labels), count);
		},
	},
];

/** @param read Gives the view; called once for each scrape. */
export function createMetrics(build: BuildInfo, read: () => MetricsView): Metrics {
	const known = new KnownDestinations();
	const scrape = async (): Promise<string> => {
		const view = read();
		return exposition(declarations, { build, view, destinations: known.rows(view.destinations) });
	};
	let running: Promise<string> | undefined;
	return {
		contentType: expositionType,
		text: () => {
			running ??= scrape().finally(() => {
				running = undefined;
			});
			return running;
		},
	};
}

/** What outlives a scrape, for as long as the destination is shown. */
interface Known {
	labels: string;
	refusals: RisingCount;
	acceptances: RisingCount;
}

class KnownDestinations {
	#known = new Map<DestinationId, Known>();

	rows(shown: Iterable<DestinationView>): Row[] {
		const still = new Map<DestinationId, Known>();
		const rows: Row[] = [];
		for (const one of shown) {
			const known = this.#known.get(one.id) ?? newlyKnown(one);
			still.set(one.id, known);
			const refusals = known.refusals.rise(one.refusals);
			rows.push({ shown: one, labels: known.labels, refusals, acceptances: known.acceptances.rise(one.acceptances) });
		}
		this.#known = still;
		return rows;
	}
}

function newlyKnown({ service, destination }: DestinationView): Known {
	const labels = labelText(labelsOf(service, destination));
	return { labels, refusals: new RisingCount(), acceptances: new RisingCount() };
}
