/**
 * Which endpoint, or host, has which index in the arrays that are kept about it. The kernel finds it in a hash and the
 * rest by this index, which spares a second hash lookup; so userspace deals the indices out, lowest first, and
 * takes them back. It knows no map: who keeps the maps is told of each change as it is made, and may refuse it.
 */
export interface Placed<Item> {
	item: Item;
	slot: number;
}

export interface SlotChanges<Item> {
	added: number;
	removed: number;
	/** More than there are slots: these are not watched. */
	refused: Item[];
}

/** Carries a change out in the maps. What throws has not taken place: the item keeps its slot, or gets none. */
export interface SlotKeeper<Item> {
	add: (placed: Placed<Item>) => void;
	remove: (placed: Placed<Item>) => void;
}

export class Slots<Item> {
	readonly #placed = new Map<string, Placed<Item>>();
	readonly #free: number[] = [];
	#unused = 0;

	/** Items of the same name are the same. */
	constructor(
		private readonly capacity: number,
		private readonly nameOf: (item: Item) => string,
	) {}

	/** One more than the highest slot that was ever dealt out. */
	get end(): number {
		return this.#unused;
	}

	placed(): Iterable<Placed<Item>> {
		return this.#placed.values();
	}

	slotOf(item: Item): number | undefined {
		return this.#placed.get(this.nameOf(item))?.slot;
	}

	/**
	 * Makes `wanted` (repetitions allowed) the set of items that have a slot, one change at a time.
	 *
	 * @throws what the keeper throws. The changes before it stand, the rest is made by the next call.
	 */
	replace(wanted: readonly Item[], keeper: SlotKeeper<Item>): SlotChanges<Item> {
		const removed = this.retain(wanted, keeper);
		const missing = [...this.#named(wanted)].filter(([name]) => !this.#placed.has(name));
		const refused = missing.filter(([name, item]) => !this.#add(name, item, keeper));
		return { added: missing.length - refused.length, removed, refused: refused.map(([, item]) => item) };
	}

	/** Takes the slots of all others; how many they were. Throws as `replace` does. */
	retain(wanted: readonly Item[], keeper: SlotKeeper<Item>): number {
		const names = this.#named(wanted);
		const gone = [...this.#placed].filter(([name]) => !names.has(name));
		for (const [name, placed] of gone) this.#remove(name, placed, keeper);
		return gone.length;
	}

	#named(items: readonly Item[]): Map<string, Item> {
		return new Map(items.map((item) => [this.nameOf(item), item]));
	}

	#remove(name: string, placed: Placed<Item>, keeper: SlotKeeper<Item>): void {
		keeper.remove(placed);
		this.#placed.delete(name);
		this.#free.push(placed.slot);
	}

	/** False where every slot is taken. */
	#add(name: string, item: Item, keeper: SlotKeeper<Item>): boolean {
		const slot = this.#take();
		if (slot === undefined) return false;
		try {
			keeper.add({ item, slot });
		} catch (error) {
			this.#free.push(slot);
			throw error;
		}
		this.#placed.set(name, { item, slot });
		return true;
	}

	#take(): number | undefined {
		const freed = this.#free.pop();
		if (freed !== undefined) return freed;
		return this.#unused < this.capacity ? this.#unused++ : undefined;
	}
}
