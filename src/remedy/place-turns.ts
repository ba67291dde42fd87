/**
 * The turns at each place that is asked, an address and a port: so many at once, each of which is kept for some time at
 * least, whichever way of asking took it. Who may wait for a turn, and in which order, is for the queues that share these.
 */
export interface TurnLimits {
	/** Turns at once at one place, which several services may ask, each in its own way. */
	perPlaceMax?: number;
	/** How long each is kept at least: with 4 and 100 ms a place is asked at most 40 times in a second, whatever asks. */
	turnMs?: number;
}

export class PlaceTurns {
	readonly #perPlaceMax: number;
	readonly #turnMs: number;
	/** How many turns each place has under way; none: no entry. */
	readonly #places = new Map<string, number>();
	readonly #listeners: (() => void)[] = [];

	constructor({ perPlaceMax = 4, turnMs = 100 }: TurnLimits = {}) {
		this.#perPlaceMax = perPlaceMax;
		this.#turnMs = turnMs;
	}

	/** `listener` may take a turn again, and is called for as long as these live. It must not throw. */
	onFree(listener: () => void): void {
		this.#listeners.push(listener);
	}

	/** What ends the turn, to be called once; undefined where the place has no turn left. */
	take(place: string): (() => void) | undefined {
		const taken = this.#places.get(place) ?? 0;
		if (taken >= this.#perPlaceMax) return undefined;
		this.#places.set(place, taken + 1);
		const startMs = performance.now();
		return () => {
			const restMs = this.#turnMs - (performance.now() - startMs);
			if (restMs <= 0) this.#leave(place);
			else setTimeout(() => this.#leave(place), restMs);
		};
	}

	/** Each listener is the first one in its turn, so that none of them gets all that is free. */
	#leave(place: string): void {
		const left = (this.#places.get(place) ?? 1) - 1;
		if (left > 0) this.#places.set(place, left);
		else this.#places.delete(place);
		const listeners = [...this.#listeners];
		this.#listeners.push(...this.#listeners.splice(0, 1));
		for (const listener of listeners) listener();
	}
}
