/**
 * What every kind of probe shares: so many under way, so many waiting, each question once at a time, a rate for each place
 * that is asked, and an answer for everybody. How a question is asked, and how long that may take, is for the prober that
 * owns the queue.
 */
import type { ProbeOutcome } from '../judge/input.js';

export interface ProbeResult {
	outcome: ProbeOutcome;
	/** From the first packet's handing over to the answer; for `unanswered` the time waited, for an `error` of ours 0. */
	latencyMs: number;
	/** What the system said, where it said something. */
	detail: string;
}

export interface ProbeLimits {
	/** Questions open at once. 64 dead hosts probed with a time-out of one second hold up the next one by at most one. */
	underWayMax?: number;
	/** Probes waiting; one more is answered `error` at once. 64 in a second of silence: 1,024 wait 16 s, and later says nothing. */
	waitingMax?: number;
	/**
	 * Questions open at once for one place, which several services may ask each in its own way, and how long each of them
	 * keeps its turn at least: with 4 and 100 ms a place is asked at most 40 times in a second, whoever asks.
	 */
	underWayPerPlaceMax?: number;
	turnMs?: number;
}

/** Asks, within a time of its own. Never rejects. */
export type Ask = () => Promise<ProbeResult>;

export const closedDetail = 'the prober was closed';

export function probeError(detail: string): ProbeResult {
	return { outcome: 'error', latencyMs: 0, detail };
}

/** What makes it the same question: whom, and what. */
export function questionName(place: string, what: unknown): string {
	return `${place} ${JSON.stringify(what)}`;
}

interface Waiting {
	place: string;
	ask: Ask;
	resolve: (result: ProbeResult) => void;
}

export class ProbeQueue {
	readonly #underWayMax: number;
	readonly #waitingMax: number;
	readonly #asked = new Map<string, Promise<ProbeResult>>();
	readonly #underWayPerPlaceMax: number;
	readonly #turnMs: number;
	readonly #waiting: Waiting[] = [];
	/** How many turns each place has under way; none: no entry. */
	readonly #places = new Map<string, number>();
	readonly #timers = new Set<NodeJS.Timeout>();
	#underWay = 0;
	#closed = false;

	constructor({ underWayMax = 64, waitingMax = 1_024, underWayPerPlaceMax = 4, turnMs = 100 }: ProbeLimits) {
		this.#underWayMax = underWayMax;
		this.#waitingMax = waitingMax;
		this.#underWayPerPlaceMax = underWayPerPlaceMax;
		this.#turnMs = turnMs;
	}

	/** Asks at once or in its turn. Who puts the same name before the answer is there shares it. Never rejects. */
	put(name: string, place: string, ask: Ask): Promise<ProbeResult> {
		const asked = this.#asked.get(name);
		if (asked !== undefined) return asked;
		if (this.#closed) return Promise.resolve(probeError(closedDetail));
		if (this.#waiting.length >= this.#waitingMax)
			return Promise.resolve(probeError(`${this.#waitingMax} probes are waiting already`));
		const answer = new Promise<ProbeResult>((resolve) => {
			this.#waiting.push({ place, ask, resolve });
		}).finally(() => this.#asked.delete(name));
		this.#asked.set(name, answer);
		this.#startWaiting();
		return answer;
	}

	/** Whoever waits is answered; what is under way is for the owner to end. */
	close(): void {
		this.#closed = true;
		for (const timer of this.#timers) clearTimeout(timer);
		for (const { resolve } of this.#waiting.splice(0)) resolve(probeError(closedDetail));
	}

	#startWaiting(): void {
		for (let at = 0; this.#underWay < this.#underWayMax; ) {
			const next = this.#waiting[at];
			if (!next) return;
			if ((this.#places.get(next.place) ?? 0) >= this.#underWayPerPlaceMax) at += 1;
			else {
				this.#waiting.splice(at, 1);
				this.#start(next);
			}
		}
	}

	#start({ place, ask, resolve }: Waiting): void {
		const startMs = performance.now();
		this.#underWay += 1;
		this.#places.set(place, (this.#places.get(place) ?? 0) + 1);
		void ask().then((result) => {
			this.#underWay -= 1;
			resolve(result);
			const restMs = this.#turnMs - (performance.now() - startMs);
			if (restMs <= 0 || this.#closed) this.#leave(place);
			else this.#leaveLater(place, restMs);
			this.#startWaiting();
		});
	}

	#leaveLater(place: string, restMs: number): void {
		const timer = setTimeout(() => {
			this.#timers.delete(timer);
			this.#leave(place);
			this.#startWaiting();
		}, restMs);
		this.#timers.add(timer);
	}

	#leave(place: string): void {
		const left = (this.#places.get(place) ?? 1) - 1;
		if (left > 0) this.#places.set(place, left);
		else this.#places.delete(place);
	}
}
