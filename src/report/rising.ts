/**
 * A count that never goes down: a kernel counter starts anew when its map is made again or its endpoint is listed again,
 * and a Prometheus counter that falls back looks like a restart of the whole exporter. What was counted before is
 * kept as a base, for as long as the series is shown.
 */
export class RisingCount {
	#base = 0;
	#last = 0;

	/** What to show for a kernel count; undefined (nothing counts at the moment) shows what was last known. */
	rise(count: number | undefined): number {
		if (count !== undefined) {
			// 120 and then 7: the kernel began anew, 127 have been counted.
			if (count < this.#last) this.#base += this.#last;
			this.#last = count;
		}
		return this.#base + this.#last;
	}
}
