/**
 * Virtual time: everything that happens in a simulated world is an act at an instant, taken in order of time, and of
 * asking where two fall together. Between two acts every promise that the first one settled is followed to its end, so
 * that the shipped code's own `await`s take no time and come in one order. No clock is read here.
 */

interface Entry {
	atMs: number;
	order: number;
	act: (() => void) | undefined;
}

export class Scheduler {
	nowMs = 0;
	#heap: Entry[] = [];
	#order = 0;
	#touched = false;

	/** Does `act` at that instant, or at once where it has passed; what it returns takes that back. */
	at(atMs: number, act: () => void): () => void {
		const entry: Entry = { atMs: Math.max(atMs, this.nowMs), order: this.#order++, act };
		this.#push(entry);
		return () => {
			entry.act = undefined;
		};
	}

	after(delayMs: number, act: () => void): () => void {
		return this.at(this.nowMs + delayMs, act);
	}

	/** Something awaits, or was settled: what follows from it is let run before the next act. */
	touch(): void {
		this.#touched = true;
	}

	/** Until `endMs`, with a look at everything after each act. */
	async run(endMs: number, look: () => void): Promise<void> {
		for (let entry = this.#pop(endMs); entry; entry = this.#pop(endMs)) {
			const { act } = entry;
			if (!act) continue;
			this.nowMs = entry.atMs;
			act();
			while (this.#touched) {
				this.#touched = false;
				await quiet();
			}
			look();
		}
		this.nowMs = endMs;
	}

	#push(entry: Entry): void {
		const heap = this.#heap;
		let at = heap.push(entry) - 1;
		while (at > 0) {
			const above = (at - 1) >> 1;
			const parent = heap[above] as Entry;
			if (isBefore(parent, entry)) break;
			heap[at] = parent;
			at = above;
		}
		heap[at] = entry;
	}

	#pop(endMs: number): Entry | undefined {
		const heap = this.#heap;
		const [first] = heap;
		if (!first || first.atMs > endMs) return undefined;
		const last = heap.pop() as Entry;
		if (heap.length > 0) this.#sink(last);
		return first;
	}

	#sink(entry: Entry): void {
		const heap = this.#heap;
		let at = 0;
		for (let below = 1; below < heap.length; below = 2 * at + 1) {
			const right = heap[below + 1];
			if (right && isBefore(right, heap[below] as Entry)) below += 1;
			const child = heap[below] as Entry;
			if (isBefore(entry, child)) break;
			heap[at] = child;
			at = below;
		}
		heap[at] = entry;
	}
}

function isBefore(one: Entry, other: Entry): boolean {
	return one.atMs < other.atMs || (one.atMs === other.atMs && one.order < other.order);
}

/** Node takes its next turn when no settled promise has anything left to do. */
function quiet(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
