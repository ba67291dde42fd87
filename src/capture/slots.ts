/**
 * Which endpoint has which index in the per-CPU array of counters. The kernel finds an endpoint in a hash and its
 * counters by this index, which spares the second hash lookup; so userspace deals the indices out, lowest first, and
 * takes them back. It knows no map: who keeps the maps is told of each change as it is made, and may refuse it.
 */
import { type EndpointId, endpointId } from '../table/identity.js';
import type { Endpoint } from '../table/model.js';

export interface Placed {
	endpoint: Endpoint;
	slot: number;
}

export interface SlotChanges {
	added: number;
	removed: number;
	/** More endpoints than slots: these are not watched. */
	refused: Endpoint[];
}

/** Carries a change out in the maps. What throws has not taken place: the endpoint keeps its slot, or gets none. */
export interface SlotKeeper {
	add: (placed: Placed) => void;
	remove: (placed: Placed) => void;
}

export class Slots {
	readonly #capacity: number;
	readonly #placed = new Map<EndpointId, Placed>();
	readonly #free: number[] = [];
	#unused = 0;

	constructor(capacity: number) {
		this.#capacity = capacity;
	}

	/** One more than the highest slot that was ever dealt out. */
	get end(): number {
		return this.#unused;
	}

	placed(): Iterable<Placed> {
		return this.#placed.values();
	}

	/**
	 * Makes `wanted` (repetitions allowed) the set of endpoints that have a slot, one change at a time.
	 *
	 * @throws what the keeper throws. The changes before it stand, the rest is made by the next call.
	 */
	replace(wanted: readonly Endpoint[], keeper: SlotKeeper): SlotChanges {
		const byId = new Map(wanted.map((endpoint) => [endpointId(endpoint), endpoint]));
		const gone = [...this.#placed].filter(([id]) => !byId.has(id));
		for (const [id, placed] of gone) this.#remove(id, placed, keeper);
		const missing = [...byId].filter(([id]) => !this.#placed.has(id));
		const refused = missing.filter(([id, endpoint]) => !this.#add(id, endpoint, keeper));
		return {
			added: missing.length - refused.length,
			removed: gone.length,
			refused: refused.map(([, endpoint]) => endpoint),
		};
	}

	#remove(id: EndpointId, placed: Placed, keeper: SlotKeeper): void {
		keeper.remove(placed);
		this.#placed.delete(id);
		this.#free.push(placed.slot);
	}

	/** False where every slot is taken. */
	#add(id: EndpointId, endpoint: Endpoint, keeper: SlotKeeper): boolean {
		const slot = this.#take();
		if (slot === undefined) return false;
		try {
			keeper.add({ endpoint, slot });
		} catch (error) {
			this.#free.push(slot);
			throw error;
		}
		this.#placed.set(id, { endpoint, slot });
		return true;
	}

	#take(): number | undefined {
		const freed = this.#free.pop();
		if (freed !== undefined) return freed;
		return this.#unused < this.#capacity ? this.#unused++ : undefined;
	}
}
