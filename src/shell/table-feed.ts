/**
 * Reads the table again and again for the judge: at its interval, and at once when somebody wrote. One reading at a
 * time; what is asked for meanwhile is one more reading after it, however often it was asked.
 */
import type { Snapshot } from '../table/model.js';
import { type After, afterTimeout } from './loop.js';

/** After a failed reading the next comes no sooner than this, so that a broken socket is no busy loop. */
const afterFailureMs = 1_000;
/**
 * A table of 1,024 services takes long enough to read that reading it must be rationed. On its own account the feed
 * reads for at most 1 % of the time, and for at most 10 % while others write the table: a reading of 100 ms is
 * followed by 10 s, or by 1 s, of rest.
 */
const restAfterReading = 100;
const restWhileWritten = 10;
/** A table that missed so many of its readings is no table to judge by. */
const staleRounds = 3;

export interface TableFeedOptions {
	read: () => Promise<Snapshot>;
	intervalMs: number;
	nowMs: () => number;
	/**
	 * `sinceMs`: when reading began, which is all that a snapshot can vouch for. What it throws is nobody's answer but a
	 * mistake of our own, in a judge whose state nobody can vouch for any more: it ends the process, as an uncaught
	 * error does, and the ledger is there for the next one and for the helper.
	 */
	onSnapshot: (snapshot: Snapshot, sinceMs: number) => void;
	onFailure: (error: Error) => void;
	/** Where time is not the machine's own. */
	after?: After;
}

export class TableFeed {
	readonly #options: TableFeedOptions;
	#reading = false;
	#again = false;
	#closed = false;
	#cancelTimer: (() => void) | undefined;
	#wakeMs = 0;
	#lastMs = Number.NEGATIVE_INFINITY;
	#lastEndMs = Number.NEGATIVE_INFINITY;
	#lastTookMs = 0;

	constructor(options: TableFeedOptions) {
		this.#options = options;
	}

	/** Reads as soon as the ration allows; at once where the last reading was short or long ago. */
	refresh(): void {
		if (this.#reading) {
			this.#again = true;
			return;
		}
		const restMs = this.#lastEndMs + this.#lastTookMs * restWhileWritten - this.#options.nowMs();
		if (restMs > 0) this.#wake(restMs);
		else void this.#read();
	}

	/** The nearest reading that is wanted; a later one does not push it away. */
	#wake(delayMs: number): void {
		const atMs = this.#options.nowMs() + delayMs;
		if (this.#cancelTimer && this.#wakeMs <= atMs) return;
		this.#cancelTimer?.();
		this.#wakeMs = atMs;
		const { after = afterTimeout } = this.#options;
		this.#cancelTimer = after(delayMs, () => {
			this.#cancelTimer = undefined;
			void this.#read();
		});
	}

	/** How long ago the table was last read in full, and whether that is too long: for /healthz. */
	age(): { ageMs: number; stale: boolean } {
		const { intervalMs, nowMs } = this.#options;
		const dueMs = Math.max(intervalMs, this.#lastTookMs * restAfterReading) + this.#lastTookMs;
		const ageMs = nowMs() - this.#lastMs;
		return { ageMs, stale: ageMs > staleRounds * dueMs };
	}

	close(): void {
		this.#closed = true;
		this.#cancelTimer?.();
	}

	async #read(): Promise<void> {
		if (this.#closed) return;
		this.#cancelTimer?.();
		this.#cancelTimer = undefined;
		this.#reading = true;
		this.#again = false;
		const { intervalMs, nowMs, onSnapshot } = this.#options;
		const sinceMs = nowMs();
		const snapshot = await this.#ask();
		if (this.#closed) return;
		if (snapshot) {
			this.#lastMs = sinceMs;
			onSnapshot(snapshot, sinceMs);
		}
		this.#reading = false;
		this.#lastEndMs = nowMs();
		this.#lastTookMs = this.#lastEndMs - sinceMs;
		const restMs = snapshot ? intervalMs : Math.max(intervalMs, afterFailureMs);
		this.#wake(Math.max(restMs, this.#lastTookMs * restAfterReading));
		if (this.#again) this.refresh();
	}

	/** The table, or undefined where it could not be read, which is told. */
	async #ask(): Promise<Snapshot | undefined> {
		const { read, onFailure } = this.#options;
		try {
			return await read();
		} catch (error) {
			if (!this.#closed) onFailure(error as Error);
			return undefined;
		}
	}
}
