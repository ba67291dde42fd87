/**
 * Which endpoint has which index in the per-CPU array of counters. The kernel finds an endpoint in a hash and its
 * counters by this index, which spares the second hash lookup; so userspace deals the indices out, lowest first, and
 * takes them back. It knows no map.
 */
import { type EndpointId, endpointId } from '../table/identity.js';
import type { Endpoint } from '../table/model.js';

export interface Placed {
	endpoint: Endpoint;
	slot: number;
}

export interface SlotChanges {
	added: Placed[];
	removed: Placed[];
	/** More endpoints than slots: these are not watched. */
	refused: Endpoint[];
}

export class Slots {
	readonly #capacity: number;
	readonly #placed = new Map<EndpointId, Placed>();
	#free: number[] = [];
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

	/** Makes `wanted` (repetitions allowed) the set of endpoints that have a slot. */
	replace(wanted: readonly Endpoint[]): SlotChanges {
		const byId = new Map(wanted.map((endpoint) => [endpointId(endpoint), endpoint]));
		const removed = this.#removeAllBut(byId);
		const added: Placed[] = [];
		const refused: Endpoint[] = [];
		for (const [id, endpoint] of byId) {
			if (this.#placed.has(id)) continue;
			const slot = this.#take();
			if (slot === undefined) {
				refused.push(endpoint);
				continue;
			}
			this.#placed.set(id, { endpoint, slot });
			added.push({ endpoint, slot });
		}
		return { added, removed, refused };
	}

	#removeAllBut(wanted: ReadonlyMap<EndpointId, Endpoint>): Placed[] {
		const gone = [...this.#placed].filter(([id]) => !wanted.has(id));
		for (const [id, { slot }] of gone) {
			this.#placed.delete(id);
			this.#free.push(slot);
		}
		return gone.map(([, placed]) => placed);
	}

	#take(): number | undefined {
		const freed = this.#free.pop();
		if (freed !== undefined) return freed;
		return this.#unused < this.#capacity ? this.#unused++ : undefined;
	}
}
