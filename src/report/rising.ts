/**
 * Counts that never go down: a kernel counter starts anew when its map is made again or its endpoint is listed again,
 * and a Prometheus counter that falls back looks like a restart of the whole exporter. What was counted before is
 * kept as a base, for as long as the series is shown.
 */
export class RisingCounts {
	readonly #counts = new Map<string, { base: number; last: number }>();

	/** What to show for a kernel count; undefined (nothing counts at the moment) shows what was last known. */
	rise(id: string, count: number | undefined): number {
		const known = this.#counts.get(id) ?? { base: 0, last: 0 };
		this.#counts.set(id, known);
		if (count !== undefined) {
			// 120 and then 7: the kernel began anew, 127 have been counted.
			if (count < known.last) known.base += known.last;
			known.last = count;
		}
		return known.base + known.last;
	}

	/** Forgets every count that is not among these. */
	keep(ids: { has(id: string): boolean }): void {
		for (const id of this.#counts.keys()) if (!ids.has(id)) this.#counts.delete(id);
	}
}
