/**
 * What every kind of probe shares: so many under way, so many waiting, one for each name at a time, and an answer for
 * everybody. How a question is asked, and how long that may take, is for the prober that owns the queue.
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
}

/** Asks, within a time of its own. Never rejects. */
export type Ask = () => Promise<ProbeResult>;

export const closedDetail = 'the prober was closed';

export function probeError(detail: string): ProbeResult {
	return { outcome: 'error', latencyMs: 0, detail };
}

export class ProbeQueue {
	readonly #underWayMax: number;
	readonly #waitingMax: number;
	readonly #asked = new Map<string, Promise<ProbeResult>>();
	readonly #waiting: { ask: Ask; resolve: (result: ProbeResult) => void }[] = [];
	#underWay = 0;
	#closed = false;

	constructor({ underWayMax = 64, waitingMax = 1_024 }: ProbeLimits) {
		this.#underWayMax = underWayMax;
		this.#waitingMax = waitingMax;
	}

	/** Asks at once or in its turn. Who puts the same name before the answer is there shares it. Never rejects. */
	put(name: string, ask: Ask): Promise<ProbeResult> {
		const asked = this.#asked.get(name);
		if (asked !== undefined) return asked;
		if (this.#closed) return Promise.resolve(probeError(closedDetail));
		if (this.#waiting.length >= this.#waitingMax)
			return Promise.resolve(probeError(`${this.#waitingMax} probes are waiting already`));
		const answer = new Promise<ProbeResult>((resolve) => {
			this.#waiting.push({ ask, resolve });
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
		while (this.#underWay < this.#underWayMax) {
			const next = this.#waiting.shift();
			if (!next) return;
			this.#underWay += 1;
			void next.ask().then((result) => {
				this.#underWay -= 1;
				next.resolve(result);
				this.#startWaiting();
			});
		}
	}
}
