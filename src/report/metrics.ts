/**
 * The metrics: one declaration for each, read at scrape time from a plain view that the daemon gives.
 *
 * Nothing is counted here and nothing is kept between scrapes but the labels, their text made once for each destination,
 * and the base of counters that the kernel started anew. Series of a destination that left the table are gone with the
 * next scrape. A destination has the labels of node_exporter's ipvs collector, so that the two can be joined.
 */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Verdict } from '../judge/action.js';
import type { ProbeOutcome, ProbePurpose } from '../judge/input.js';
import type { Mode } from '../judge/policy.js';
import { type DestinationId, destinationId } from '../table/identity.js';
import type { Destination, ServiceAddress } from '../table/model.js';
import { type DestinationLabels, labelNames, labelsOf } from './labels.js';
import { RisingCounts } from './rising.js';

export interface DestinationView {
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

/** One line of the exposition: `sharedLabels` are printed from a text that prom-client keeps for each object. */
interface Sample {
	value: number;
	labels: Record<string, string>;
	sharedLabels?: DestinationLabels;
}

interface Declaration {
	name: string;
	help: string;
	type: 'counter' | 'gauge';
	labels: readonly string[];
	read: (scrape: Scrape) => Iterable<Sample>;
}

/** What one scrape reads: the view, taken once, and the destinations with their labels. */
interface Scrape {
	view: MetricsView;
	destinations: { shown: DestinationView; labels: DestinationLabels; refusals: number; acceptances: number }[];
}

const verdicts: readonly Verdict[] = ['healthy', 'suspect', 'failed', 'recovering'];
const modes: readonly Mode[] = ['observe', 'notify', 'assist'];
/** Split once: the four label objects are shared by all destinations. */
const verdictLabels = verdicts.map((verdict) => ({ verdict }));
const none = {};

const declarations: readonly Declaration[] = [
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
		name: 'ipvigil_refusals_total',
		help: 'Connections that the endpoint behind the destination refused, as the kernel counted them.',
		type: 'counter',
		labels: labelNames,
		read: ({ destinations }) => perDestination(destinations, ({ refusals }) => refusals),
	},
	{
		name: 'ipvigil_acceptances_total',
		help: 'Connections that the endpoint behind the destination accepted, as the kernel counted them.',
		type: 'counter',
		labels: labelNames,
		read: ({ destinations }) => perDestination(destinations, ({ acceptances }) => acceptances),
	},
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
		name: 'ipvigil_leases',
		help: 'Leases that stand.',
		type: 'gauge',
		labels: [],
		read: ({ view }) => [{ value: view.leases, labels: none }],
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
		help: 'What was lost: records for want of room in the ring, malformed records, journal lines, hook notifications.',
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

/** @param read Gives the view; called once for each scrape. */
export function createMetrics(build: { version: string; commit: string }, read: () => MetricsView): Metrics {
	const registry = new Registry();
	const scrapes = new ScrapeReader(read);
	new Gauge({
		name: 'ipvigil_build_info',
		help: 'Which ipvigil this is; always 1.',
		labelNames: ['version', 'commit'],
		registers: [registry],
	}).set(build, 1);
	for (const declaration of declarations) register(registry, declaration, scrapes);
	let running: Promise<string> | undefined;
	return {
		contentType: registry.contentType,
		text: () => {
			running ??= scrapes
				.during(() => registry.metrics())
				.finally(() => {
					running = undefined;
				});
			return running;
		},
	};
}

/** prom-client prints what `get` gives: our counters are somebody else's counts, read and not incremented here. */
function register(registry: Registry, { name, help, type, labels, read }: Declaration, scrapes: ScrapeReader): void {
	const options = { name, help, labelNames: [...labels], registers: [registry] };
	const metric = type === 'counter' ? new Counter(options) : new Gauge(options);
	const aggregator = 'sum';
	metric.get = async () =>
		({ name, help, type, aggregator, values: [...read(scrapes.current)], collect: () => {} }) as never;
}

/** Takes the view once for all metrics of one scrape, and carries over what must outlive it. */
class ScrapeReader {
	readonly #read: () => MetricsView;
	#labels = new Map<DestinationId, DestinationLabels>();
	readonly #refusals = new RisingCounts();
	readonly #acceptances = new RisingCounts();
	#current: Scrape | undefined;

	constructor(read: () => MetricsView) {
		this.#read = read;
	}

	get current(): Scrape {
		if (!this.#current) throw new Error('a metric was read outside a scrape');
		return this.#current;
	}

	async during(print: () => Promise<string>): Promise<string> {
		this.#current = this.#take();
		try {
			return await print();
		} finally {
			this.#current = undefined;
		}
	}

	#take(): Scrape {
		const view = this.#read();
		const labels = new Map<DestinationId, DestinationLabels>();
		const destinations = Array.from(view.destinations, (shown) => {
			const id = destinationId(shown.service, shown.destination);
			const own = this.#labels.get(id) ?? labelsOf(shown.service, shown.destination);
			labels.set(id, own);
			return {
				shown,
				labels: own,
				refusals: this.#refusals.rise(id, shown.refusals),
				acceptances: this.#acceptances.rise(id, shown.acceptances),
			};
		});
		this.#labels = labels;
		this.#refusals.keep(labels);
		this.#acceptances.keep(labels);
		return { view, destinations };
	}
}

type DestinationRow = Scrape['destinations'][number];

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
