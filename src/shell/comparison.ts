/**
 * Compares the destinations of each service with each other, once in an interval, by what the kernel counts of their
 * connections; and tells the judge which of them accept clients. What a difference means, evidence/ratios.ts knows.
 */
import type { OutcomeReading } from '../decode/outcome-state.js';
import { Ratios } from '../evidence/ratios.js';
import type { Signal } from '../evidence/signal.js';
import type { State } from '../judge/state.js';
import { termsOf } from '../judge/terms.js';
import type { DestinationId } from '../table/identity.js';

/** Reading a large table's counters takes milliseconds; at most half a percent of the time goes into it. */
const restAfterWork = 200;

export interface ComparisonParts {
	state: Pick<State, 'services' | 'terms'>;
	/** Undefined while no hooks are attached. */
	read: () => ReadonlyMap<DestinationId, OutcomeReading> | undefined;
	nowMs: () => number;
	onAccepting: (destinations: DestinationId[]) => void;
	onSignal: (signal: Signal) => void;
	/** The counters could not be read; the next interval tries again. */
	onFailure: (error: Error) => void;
}

export class Comparison {
	readonly #parts: ComparisonParts;
	readonly #ratios = new Ratios();
	#accepted = new Map<DestinationId, number>();
	#timer: NodeJS.Timeout | undefined;

	constructor(parts: ComparisonParts) {
		this.#parts = parts;
	}

	start(): void {
		const beganMs = this.#parts.nowMs();
		this.#round();
		const tookMs = this.#parts.nowMs() - beganMs;
		const { ratioIntervalMs } = this.#parts.state.terms.others.policy;
		this.#timer = setTimeout(() => this.start(), Math.max(ratioIntervalMs, tookMs * restAfterWork));
	}

	close(): void {
		clearTimeout(this.#timer);
	}

	#round(): void {
		try {
			const readings = this.#parts.read();
			if (readings) this.compare(readings);
		} catch (error) {
			this.#parts.onFailure(error as Error);
		}
	}

	/** One round: what the readings say. */
	compare(readings: ReadonlyMap<DestinationId, OutcomeReading>): void {
		const { state, onAccepting, onSignal } = this.#parts;
		const destinations = this.#accepting(readings);
		if (destinations.length > 0) onAccepting(destinations);
		const signals = [...state.services].flatMap(([id, { destinations: ids }]) =>
			this.#ratios.weigh(ids, readings, termsOf(state, id).policy),
		);
		this.#ratios.turn();
		for (const signal of signals) onSignal(signal);
	}

	/** Those that have accepted a client since the last round; of the first one nobody can say. */
	#accepting(readings: ReadonlyMap<DestinationId, OutcomeReading>): DestinationId[] {
		const before = this.#accepted;
		this.#accepted = new Map([...readings].map(([id, { accepted }]) => [id, accepted]));
		return [...readings].flatMap(([id, { accepted }]) => (accepted > (before.get(id) ?? accepted) ? [id] : []));
	}
}
