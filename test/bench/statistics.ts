/** What is said of a list of measurements, and how a figure is held against its goal. Knows no figure. */
import type { Goal, Row } from './figure.js';

export interface Summary {
	n: number;
	min: number;
	median: number;
	p99: number;
	max: number;
}

/** Nearest rank: of 200 sorted values the 198th is the 99th percentile. It is always a value that was measured. */
function quantile(sorted: readonly number[], share: number): number {
	return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function summarize(values: readonly number[]): Summary {
	const sorted = [...values].sort((a, b) => a - b);
	return {
		n: sorted.length,
		min: quantile(sorted, 0),
		median: quantile(sorted, 0.5),
		p99: quantile(sorted, 0.99),
		max: quantile(sorted, 1),
	};
}

export type Verdict = Goal & {
	/** The ratio to the limit's median where a limit was measured beside it, else the figure itself. */
	reached: number;
	met: boolean;
};

/** A row without measurements misses every goal: nothing was shown. */
export function hold({ measured, beside, goals = [] }: Row): Verdict[] {
	const summary = summarize(measured);
	const unit = beside ? summarize(beside.measured).median : 1;
	return goals.map((goal) => {
		const reached = summary[goal.of] / unit;
		const met = goal.atMost === undefined ? reached >= goal.atLeast : reached <= goal.atMost;
		return { ...goal, reached, met };
	});
}
