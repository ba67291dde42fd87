/** What came of many seeds, as a table: how many, how fast, what was violated, and the times in virtual milliseconds. */
import Table from 'cli-table3';
import { summarize } from '../bench/statistics.js';
import type { Outcome } from './run.js';

export class Summary {
	seeds = 0;
	steps = 0;
	ejections = 0;
	falseEjections = 0;
	readonly ejectMs: number[] = [];
	readonly restoreMs: number[] = [];
	/** The seeds in which each checker was violated. */
	readonly violated = new Map<string, number[]>();

	get violations(): number {
		return [...this.violated.values()].reduce((sum, seeds) => sum + seeds.length, 0);
	}

	add({ seed, violations, samples, steps }: Outcome): void {
		this.seeds += 1;
		this.steps += steps;
		this.ejections += samples.ejections;
		this.falseEjections += samples.falseEjections;
		this.ejectMs.push(...samples.ejectMs);
		this.restoreMs.push(...samples.restoreMs);
		for (const { checker } of violations) this.violated.set(checker, [...(this.violated.get(checker) ?? []), seed]);
	}

	print(tookMs: number): string {
		const table = new Table({ style: { head: [], border: [] } });
		const seconds = tookMs / 1_000;
		table.push(
			['seeds', `${this.seeds} in ${seconds.toFixed(1)} s: ${(this.seeds / seconds).toFixed(1)} a second`],
			['steps', String(this.steps)],
			['violations', this.#violations()],
			['ejections', String(this.ejections)],
			['false ejections', String(this.falseEjections)],
			['time to eject', times(this.ejectMs)],
			['time to restore', times(this.restoreMs)],
		);
		return table.toString();
	}

	#violations(): string {
		const each = [...this.violated].map(
			([checker, seeds]) => `${checker}: ${seeds.length} (${seeds.slice(0, 8).join(' ')})`,
		);
		return each.length === 0 ? '0' : each.join('\n');
	}
}

function times(values: number[]): string {
	const { n, median, p99, max } = summarize(values);
	const whole = [median, p99, max].map((value) => value.toFixed(0));
	return `median ${whole[0]}, p99 ${whole[1]}, worst ${whole[2]} virtual ms (n ${n})`;
}
