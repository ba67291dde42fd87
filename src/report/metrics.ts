/**
 * The metrics: read at scrape time from a plain view that the daemon gives, printed by prom-client.
 *
 * Nothing is counted here and nothing is kept between scrapes but the labels, their text made once for each destination
 * and service, and the base of counters that the kernel started anew. Series of what left the table are gone with the
 * next scrape. A destination has the labels of node_exporter's ipvs collector, so that the two can be joined.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { destinationId, serviceId } from '../table/identity.js';
import { type Declaration, type DestinationRow, declarations, type Scrape, type ServiceRow } from './declarations.js';
import { type DestinationLabels, labelsOf, type ServiceLabels, serviceLabelsOf } from './labels.js';
import { RisingCounts, RisingSums } from './rising.js';
import { attemptOutcomes, type DestinationView, type MetricsView, type Parts, type ServiceView } from './view.js';

export interface Metrics {
	contentType: string;
	/** The exposition text. Scrapes at the same time share one. */
	text(): Promise<string>;
}

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

const kinds = { counter: Counter, gauge: Gauge, histogram: Histogram };

/**
 * prom-client prints what `get` gives, and for histograms what `getForPromString` gives: our counters are somebody
 * else's counts, read and not incremented here.
 */
function register(registry: Registry, { name, help, type, labels, read }: Declaration, scrapes: ScrapeReader): void {
	const metric = new kinds[type]({ name, help, labelNames: [...labels], registers: [registry] });
	const get = async () => ({ name, help, type, aggregator: 'sum', values: [...read(scrapes.current)] });
	Object.assign(metric, { get, getForPromString: get });
}

/** Takes the view once for all metrics of one scrape, and carries over what must outlive it. */
class ScrapeReader {
	readonly #read: () => MetricsView;
	readonly #destinations = new Rows<DestinationLabels>();
	readonly #services = new Rows<ServiceLabels>();
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
		const destinations = Array.from(view.destinations, (shown) => this.#destination(shown));
		const services = Array.from(view.services, (shown) => this.#service(shown));
		this.#destinations.endScrape();
		this.#services.endScrape();
		return { view, destinations, services };
	}

	#destination(shown: DestinationView): DestinationRow {
		const { service, destination, attempts, attemptsBy, unreachable } = shown;
		const id = destinationId(service, destination);
		const labels = this.#destinations.labels(id, () => labelsOf(service, destination));
		const counts = attempts && attemptOutcomes.map((outcome) => attempts[outcome] ?? 0);
		const [errors = 0] = this.#destinations.riseSum(id, unreachable);
		return { shown, labels, attempts: this.#destinations.rise(id, counts, attemptsBy), unreachable: errors };
	}

	#service({ service, noDestination, handshake, firstAnswer }: ServiceView): ServiceRow {
		const id = serviceId(service);
		const labels = this.#services.labels(id, () => serviceLabelsOf(service));
		const [none = 0] = this.#services.rise(id, noDestination === undefined ? undefined : [noDestination]);
		return {
			labels,
			noDestination: none,
			handshake: this.#services.riseSum(`handshake ${id}`, handshake),
			firstAnswer: this.#services.riseSum(`answer ${id}`, firstAnswer),
		};
	}
}

/** Labels and counts of one kind of row, for as long as its series are shown. */
class Rows<Labels> {
	#labels = new Map<string, Labels>();
	#shown = new Map<string, Labels>();
	readonly #counts = new RisingCounts();
	readonly #sums = new RisingSums();
	readonly #counted = new Set<string>();

	labels(id: string, make: () => Labels): Labels {
		const labels = this.#labels.get(id) ?? make();
		this.#shown.set(id, labels);
		return labels;
	}

	rise(id: string, counts: readonly number[] | undefined, by?: string): readonly number[] {
		this.#counted.add(id);
		return this.#counts.rise(id, counts, by);
	}

	riseSum(id: string, parts: Parts): readonly number[] {
		this.#counted.add(id);
		return this.#sums.rise(id, parts);
	}

	/** Forgets what this scrape did not show. */
	endScrape(): void {
		this.#labels = this.#shown;
		this.#shown = new Map();
		this.#counts.keep(this.#counted);
		this.#sums.keep(this.#counted);
		this.#counted.clear();
	}
}
