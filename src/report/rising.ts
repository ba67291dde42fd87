/**
 * Counts that never go down: kernel counters start anew when their map is made again or their scope is listed again,
 * and a Prometheus counter that falls back looks like a restart of the whole exporter. What was counted before is
 * kept as a base, for as long as the series is shown. Counters of one scope are one row: they begin anew together.
 */
interface Row {
	base: number[];
	last: readonly number[];
}

export class RisingCounts {
	readonly #rows = new Map<string, Row>();

	/** What to show for a row of kernel counts; undefined (nothing counts at the moment) shows what was last known. */
	rise(id: string, counts: readonly number[] | undefined): readonly number[] {
		const known = this.#rows.get(id);
		if (known === undefined) return counts === undefined ? [] : this.#begin(id, counts);
		if (counts !== undefined) {
			// 120 and then 7: the kernel began anew, 127 have been counted.
			const anew = counts.some((count, index) => count < (known.last[index] ?? 0));
			if (anew) known.base = sum(known.base, known.last);
			known.last = counts;
		}
		return known.base.length === 0 ? known.last : sum(known.base, known.last);
	}

	#begin(id: string, counts: readonly number[]): readonly number[] {
		this.#rows.set(id, { base: [], last: counts });
		return counts;
	}

	/** Forgets every row that is not among these. */
	keep(ids: { has(id: string): boolean }): void {
		for (const id of this.#rows.keys()) if (!ids.has(id)) this.#rows.delete(id);
	}
}

function sum(these: readonly number[], those: readonly number[]): number[] {
	const length = Math.max(these.length, those.length);
	return Array.from({ length }, (_, index) => (these[index] ?? 0) + (those[index] ?? 0));
}
