/**
 * The contract of a figure: one file in figures/ each, named by cli.ts. A figure makes what it needs, measures, and
 * takes everything down; it returns numbers and judges nothing. Where a ratio is meant, both sides are measured in
 * turn (A B A B) in the same run, because an absolute time says nothing from one machine, or minute, to the next.
 */
import type { Processes } from './processes.js';

/** `of` is measured in the row's unit, or as a ratio where the row has a `beside`. */
export type Goal = { of: 'median' | 'p99' | 'max' } & (
	| { atMost: number; atLeast?: never }
	| { atMost?: never; atLeast: number }
);

export interface Row {
	what: string;
	unit: 'ns' | 'us' | 'ms' | '%' | 'MB' | '/s' | 'times' | 'clients';
	measured: number[];
	/** What it is held against: the limit, measured in the same run. */
	beside?: { what: string; measured: number[] };
	goals?: Goal[];
}

export interface Context {
	/** A tenth of the rounds: to see that the benchmark works, not to quote. */
	quick: boolean;
	/** What is under way, for a person who waits. */
	say(sentence: string): void;
	/** Temporary files of this figure; gone afterwards. */
	directory: string;
	/** Whatever is started by it ends with the figure. */
	processes: Processes;
}

export interface Figure {
	name: string;
	sentence: string;
	/** What of the conditions a reader must know to take the numbers for what they are. */
	conditions: string;
	run(context: Context): Promise<Row[]>;
}
