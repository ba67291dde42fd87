/**
 * Which probes are calibrated, remembered across restarts: one small file on tmpfs, written anew when the set changes.
 * A server that died while ipvigil was restarting can so be convicted still. What calibration means is the judge's.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** At start a whole table is calibrated one by one: the file is written once for all that came in this time. */
const gatherMs = 200;
/** As many as the judge keeps; the newest, which stand last. */
const idsMax = 32_768;

export class Calibration {
	readonly #path: string;
	readonly #onTrouble: (error: Error) => void;
	readonly #known = new Set<string>();
	#timer: NodeJS.Timeout | undefined;

	constructor(runtimeDirectory: string, onTrouble: (error: Error) => void) {
		this.#path = join(runtimeDirectory, 'calibrated.json');
		this.#onTrouble = onTrouble;
	}

	/** The endpoints that an earlier ipvigil had calibrated, at most `idsMax`; none where there is no file or no sense in it. */
	recall(): string[] {
		try {
			const value: unknown = JSON.parse(readFileSync(this.#path, 'utf8'));
			const ids = Array.isArray(value) ? value.filter((id) => typeof id === 'string').slice(-idsMax) : [];
			for (const id of ids) this.#add(id);
			return ids;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#onTrouble(error as Error);
			return [];
		}
	}

	remember(endpoint: string): void {
		this.#add(endpoint);
		this.#timer ??= setTimeout(() => this.flush(), gatherMs);
	}

	/** The newest stands last; the oldest goes where there is no room. */
	#add(endpoint: string): void {
		this.#known.delete(endpoint);
		this.#known.add(endpoint);
		const [oldest] = this.#known;
		if (this.#known.size > idsMax && oldest !== undefined) this.#known.delete(oldest);
	}

	/** Writes what has been gathered now. */
	flush(): void {
		if (!this.#timer) return;
		clearTimeout(this.#timer);
		this.#timer = undefined;
		try {
			writeFileSync(`${this.#path}.new`, JSON.stringify([...this.#known]), { mode: 0o600 });
			renameSync(`${this.#path}.new`, this.#path);
		} catch (error) {
			this.#onTrouble(error as Error);
		}
	}
}
