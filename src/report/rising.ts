/**
 * Counts that never go down: kernel counters start anew when their map is made again or their scope is listed again,
 * and a Prometheus counter that falls back looks like a restart of the whole exporter. What was counted before is
 * kept as a base, for as long as the series is shown. Counters of one scope are one row: they begin anew together.
 * Two that count the same thing may take turns (the hooks inside IPVS, and the wire while those have let go): what the
 * next one has counted during the other's turn is not counted twice.
 */
import type { Parts } from './view.js';

interface Row {
	base: number[];
	last: readonly number[];
	by: string;
}

export class RisingCounts {
	readonly #rows = new Map<string, Row>();

	/** What to show for a row of counts by one counter; undefined (nothing counts at the moment) shows what was last known. */
	rise(id: string, counts: readonly number[] | undefined, by = ''): readonly number[] {
		const known = this.#rows.get(id);
		if (known === undefined) return counts === undefined ? [] : this.#begin(id, counts, by);
		if (counts !== undefined && by !== known.by) {
			// What it counted between taking its turn and this scrape is lost with the rest: too little, never twice.
			const shown = sum(known.base, known.last);
			Object.assign(known, { by, last: counts, base: shown.map((count, index) => count - (counts[index] ?? 0)) });
		} else if (counts !== undefined) {
			// 120 and then 7: the kernel began anew, 127 have been counted.
			if (beganAnew(counts, known.last)) known.base = sum(known.base, known.last);
			known.last = counts;
		}
		return known.base.length === 0 ? known.last : sum(known.base, known.last);
	}

	#begin(id: string, counts: readonly number[], by: string): readonly number[] {
		this.#rows.set(id, { base: [], last: counts, by });
		return counts;
	}

	/** Forgets every row that is not among these. */
	keep(ids: { has(id: string): boolean }): void {
		for (const id of this.#rows.keys()) if (!ids.has(id)) this.#rows.delete(id);
	}
}

/**
 * The same for a sum of counters that each begin anew by themselves, come and go: the sum grows by what each of them has
 * grown by. What one had that is gone stays in it, and one that comes back begins at 0.
 */
export class RisingSums {
	readonly #rows = new Map<string, { sum: number[]; parts: Parts }>();

	/** What to show for the sum of these and of all that were there before; empty where nothing ever counted. */
	rise(id: string, parts: Parts): readonly number[] {
		const known = this.#rows.get(id);
		if (known === undefined && parts.size === 0) return [];
		const row = known ?? { sum: [], parts: new Map() };
		for (const [part, counts] of parts) addGrowth(row.sum, counts, row.parts.get(part));
		row.parts = parts;
		this.#rows.set(id, row);
		return row.sum;
	}

	/** Forgets every sum that is not among these. */
	keep(ids: { has(id: string): boolean }): void {
		for (const id of this.#rows.keys()) if (!ids.has(id)) this.#rows.delete(id);
	}
}

/** In place and by index: this is done for every destination with each scrape. */
function addGrowth(sum: number[], counts: readonly number[], last: readonly number[] | undefined): void {
	const before = last === undefined || beganAnew(counts, last) ? [] : last;
	for (let index = 0; index < counts.length; index++)
		sum[index] = (sum[index] ?? 0) + (counts[index] ?? 0) - (before[index] ?? 0);
}

function beganAnew(counts: readonly number[], last: readonly number[]): boolean {
	return counts.some((count, index) => count < (last[index] ?? 0));
}

function sum(these: readonly number[], those: readonly number[]): number[] {
	const length = Math.max(these.length, those.length);
	return Array.from({ length }, (_, index) => (these[index] ?? 0) + (those[index] ?? 0));
}
