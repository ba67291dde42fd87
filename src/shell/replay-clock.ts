/** The time of a replay: it stands still until it is moved, and then what is due happens in its order. */
import type { After } from './loop.js';

interface Due {
	atMs: number;
	act: () => void;
}

export class ReplayClock {
	#nowMs = 0;
	readonly #due = new Set<Due>();

	/** The boot clock of the recording. */
	readonly nowMs = (): number => this.#nowMs;

	readonly after: After = (delayMs, act) => {
		const due = { atMs: this.#nowMs + delayMs, act };
		this.#due.add(due);
		return () => this.#due.delete(due);
	};

	/** Where the recording begins; nothing is due by it. */
	begin(atMs: number): void {
		this.#nowMs = atMs;
	}

	/** Moves on to `toMs`; it never goes back. */
	advance(toMs: number): void {
		for (let next = this.#next(toMs); next; next = this.#next(toMs)) {
			this.#due.delete(next);
			this.#nowMs = next.atMs;
			next.act();
		}
		this.#nowMs = Math.max(this.#nowMs, toMs);
	}

	/** Among few: a tick, a reading of the table, and the probes under way. Of equals the first to be asked for. */
	#next(toMs: number): Due | undefined {
		let first: Due | undefined;
		for (const due of this.#due) if (due.atMs <= toMs && (!first || due.atMs < first.atMs)) first = due;
		return first;
	}
}
