/**
 * A BPF map that is a set: the program asks whether a key is there. It holds exactly what is in the map, one by one, so
 * that a throw in the middle leaves nothing there that is not known here.
 */
import type { BpfMap } from '../addon/index.js';

const present = Uint8Array.of(1);

export class Listed<Item> {
	readonly #there = new Set<Item>();

	constructor(
		private readonly map: BpfMap,
		private readonly encode: (item: Item) => Uint8Array,
	) {}

	/** Makes `items` (repetitions allowed) what is there. Throws what the kernel said (E2BIG: the map is full). */
	replace(items: readonly Item[]): void {
		const wanted = new Set(items);
		for (const item of this.#there) {
			if (wanted.has(item)) continue;
			this.map.delete(this.encode(item));
			this.#there.delete(item);
		}
		for (const item of wanted) {
			if (this.#there.has(item)) continue;
			this.map.set(this.encode(item), present);
			this.#there.add(item);
		}
	}
}
