/** Chance that a seed replays: what fuzzing and the simulator draw from, so that a finding can be looked at again. */

export class Random {
	#state: number;

	constructor(seed: number) {
		this.#state = seed >>> 0;
	}

	/** 32 bits (mulberry32: a counter by a golden-ratio step, mixed by two multiplications). */
	next(): number {
		this.#state = (this.#state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
		mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
		return (mixed ^ (mixed >>> 14)) >>> 0;
	}

	/** 0 to `end` - 1. The bias of the remainder is below 2^-16 for all that is drawn here. */
	below(end: number): number {
		return this.next() % end;
	}

	/** A number of the interval from `least` up to, and without, `most`. */
	between(least: number, most: number): number {
		return least + (this.next() / 2 ** 32) * (most - least);
	}

	/** The distance between two arrivals that come `mean` apart on average and know nothing of each other. */
	exponential(mean: number): number {
		return -Math.log(1 - this.next() / 2 ** 32) * mean;
	}

	chance(share: number): boolean {
		return this.next() < share * 2 ** 32;
	}

	pick<T>(list: readonly [T, ...T[]]): T {
		return list[this.below(list.length)] ?? list[0];
	}

	octets(count: number): Uint8Array {
		return Uint8Array.from({ length: count }, () => this.next() >>> 24);
	}
}
