/**
 * Work that many things ask for, in bursts, and that may take long where the table is large: done once for all who
 * asked, one at a time, and for a small share of the time at most, however often it is asked for.
 */

/** Rests this many times as long as the work took: 0.5 s of route queries are followed by 5 s without. */
const restAfterWork = 10;

export class Paced {
	#timer: NodeJS.Timeout | undefined;
	#working = false;
	#again = false;
	#restUntilMs = Number.NEGATIVE_INFINITY;
	#closed = false;

	/** `work` never throws. `settleMs`: how long a burst is waited for. `nowMs`: any clock that does not jump. */
	constructor(
		private readonly work: () => Promise<void>,
		private readonly settleMs: number,
		private readonly nowMs: () => number = () => performance.now(),
	) {}

	/** What is asked for while the work is under way is done once more. */
	want(): void {
		if (this.#closed) return;
		if (this.#working) {
			this.#again = true;
			return;
		}
		const delayMs = Math.max(this.settleMs, this.#restUntilMs - this.nowMs());
		this.#timer ??= setTimeout(() => void this.#run(), delayMs);
	}

	close(): void {
		this.#closed = true;
		clearTimeout(this.#timer);
	}

	async #run(): Promise<void> {
		this.#timer = undefined;
		this.#working = true;
		const beganMs = this.nowMs();
		await this.work();
		const endedMs = this.nowMs();
		this.#restUntilMs = endedMs + (endedMs - beganMs) * restAfterWork;
		this.#working = false;
		const again = this.#again;
		this.#again = false;
		if (again) this.want();
	}
}
