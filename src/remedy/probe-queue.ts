/**
 * What every kind of probe shares: so many under way, so many waiting, each question once at a time, a turn at the
 * place that is asked (`place-turns.ts`), and an answer for everybody. How a question is asked, and how long that may take, is for the prober that
 * owns the queue.
 */
import type { ProbeOutcome } from '../judge/input.js';
import { PlaceTurns } from './place-turns.js';

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
	/** Shared by all queues that may ask the same places; without them the queue has its own. */
	turns?: PlaceTurns;
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
	readonly #waiting: Waiting[] = [];
	readonly #turns: PlaceTurns;
	#underWay = 0;
	#closed = false;

	constructor({ underWayMax = 64, waitingMax = 1_024, turns = new PlaceTurns() }: ProbeLimits) {
		this.#underWayMax = underWayMax;
		this.#waitingMax = waitingMax;
		this.#turns = turns;
		turns.onFree(() => this.#startWaiting());
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
		for (const { resolve } of this.#waiting.splice(0)) resolve(probeError(closedDetail));
	}

	#startWaiting(): void {
		for (let at = 0; this.#underWay < this.#underWayMax; ) {
			const next = this.#waiting[at];
			if (!next) return;
			const endTurn = this.#turns.take(next.place);
			if (!endTurn) at += 1;
			else {
				this.#waiting.splice(at, 1);
				this.#start(next, endTurn);
			}
		}
	}

	#start({ ask, resolve }: Waiting, endTurn: () => void): void {
		this.#underWay += 1;
		void ask().then((result) => {
			this.#underWay -= 1;
			resolve(result);
			endTurn();
			this.#startWaiting();
		});
	}
}
