/**
 * Reads the table again and again for the judge: at its interval, and at once when somebody wrote. One reading at a
 * time; what is asked for meanwhile is one more reading after it, however often it was asked.
 */
import type { Snapshot } from '../table/model.js';

/** After a failed reading the next comes no sooner than this, so that a broken socket is no busy loop. */
const afterFailureMs = 1_000;

export interface TableFeedOptions {
	read: () => Promise<Snapshot>;
	intervalMs: number;
	nowMs: () => number;
	/** `sinceMs`: when reading began, which is all that a snapshot can vouch for. */
	onSnapshot: (snapshot: Snapshot, sinceMs: number) => void;
	onFailure: (error: Error) => void;
}

export class TableFeed {
	readonly #options: TableFeedOptions;
	#reading = false;
	#again = false;
	#closed = false;
	#timer: NodeJS.Timeout | undefined;
	/** When the last good reading began; for /healthz. */
	lastMs = Number.NEGATIVE_INFINITY;

	constructor(options: TableFeedOptions) {
		this.#options = options;
	}

	/** Reads now, or once more after the reading under way. */
	refresh(): void {
		if (this.#reading) this.#again = true;
		else void this.#read();
	}

	close(): void {
		this.#closed = true;
		clearTimeout(this.#timer);
	}

	async #read(): Promise<void> {
		if (this.#closed) return;
		clearTimeout(this.#timer);
		this.#reading = true;
		this.#again = false;
		const { read, intervalMs, nowMs, onSnapshot, onFailure } = this.#options;
		const sinceMs = nowMs();
		let nextMs = intervalMs;
		try {
			const snapshot = await read();
			if (this.#closed) return;
			this.lastMs = sinceMs;
			onSnapshot(snapshot, sinceMs);
		} catch (error) {
			if (this.#closed) return;
			nextMs = Math.max(intervalMs, afterFailureMs);
			onFailure(error as Error);
		} finally {
			this.#reading = false;
		}
		if (this.#again) return this.#read();
		this.#timer = setTimeout(() => this.refresh(), nextMs);
	}
}
