/**
 * The operator's holds, remembered across restarts: one small file on tmpfs, written anew with each change and at once,
 * so that whoever was told "held" is held after a crash too. What a hold means is the judge's (`judge/hold.ts`).
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Hold, holdsMax } from '../judge/hold.js';

export class HoldFile {
	readonly #path: string;
	readonly #onTrouble: (error: Error) => void;
	#remembers = true;

	constructor(runtimeDirectory: string, onTrouble: (error: Error) => void) {
		this.#path = join(runtimeDirectory, 'holds.json');
		this.#onTrouble = onTrouble;
	}

	/** Whether the last change was written: what was not will not outlive this process. */
	get remembers(): boolean {
		return this.#remembers;
	}

	/**
	 * The holds of an earlier ipvigil, their ends on the boot clock; none where there is no file or no sense in it. Of a list
	 * with nonsense among it the rest counts: what an operator wants left alone must not be lost lightly.
	 */
	recall(): Hold[] {
		try {
			const value: unknown = JSON.parse(readFileSync(this.#path, 'utf8'));
			if (!Array.isArray(value)) throw new Error(`${this.#path} is no list of holds`);
			const holds = value.filter(isHold);
			const strange = value.length - holds.length;
			if (strange > 0) this.#onTrouble(new Error(`${this.#path}: ${strange} of ${value.length} are no holds`));
			return bounded(holds);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#onTrouble(error as Error);
			return [];
		}
	}

	keep(holds: Hold[]): void {
		try {
			writeFileSync(`${this.#path}.new`, JSON.stringify(holds), { mode: 0o600 });
			renameSync(`${this.#path}.new`, this.#path);
			this.#remembers = true;
		} catch (error) {
			this.#remembers = false;
			this.#onTrouble(error as Error);
		}
	}
}

/** Whatever is cut, the hold on all is not: it covers what was. */
function bounded(holds: Hold[]): Hold[] {
	let room = holdsMax;
	return holds.filter(({ destination }) => destination === 'all' || room-- > 0);
}

function isHold(value: unknown): value is Hold {
	if (typeof value !== 'object' || value === null) return false;
	const { destination, untilMs, reason }: Partial<Hold> = value;
	return (
		typeof destination === 'string' &&
		typeof reason === 'string' &&
		(untilMs === undefined || (typeof untilMs === 'number' && Number.isFinite(untilMs)))
	);
}
