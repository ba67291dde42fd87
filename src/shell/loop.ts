/**
 * The loop between the judge and the world: inputs are taken one at a time in the order they came, each step's
 * actions are carried out in theirs, and outcomes come back as inputs. It decides nothing.
 */
import type { Action } from '../judge/action.js';
import type { Input } from '../judge/input.js';
import type { State } from '../judge/state.js';
import { step } from '../judge/step.js';

/** An input without its time: the loop stamps it when it is taken. */
export type Message = Input extends infer I ? (I extends Input ? Omit<I, 'nowMs'> : never) : never;

/** One function for each kind of action. None may throw: what went wrong comes back as an outcome or a counter. */
export type Executors = { [K in Action['kind']]: (action: Extract<Action, { kind: K }>) => void };

/** The judge may ask for a tick at any instant; below this distance two ticks are one. */
const tickDistanceMs = 1;
/**
 * A tick looks at everything that is under way: in a storm that is thousands of servers, and so it rests ten times as
 * long as it took. What is asked at once waits for no tick.
 */
const restAfterTick = 10;
/** setTimeout's own limit is 2^31 ms; an hour keeps a wrong date from meaning "never". */
const tickDistanceMaxMs = 3_600_000;

/** Calls `act` once after a delay, unless what it returns is called before. */
export type After = (delayMs: number, act: () => void) => () => void;

export const afterTimeout: After = (delayMs, act) => {
	const timer = setTimeout(act, delayMs);
	return () => clearTimeout(timer);
};

export class Loop {
	readonly #queue: Message[] = [];
	#running = false;
	#cancelTick = () => {};
	#tickAtMs = Number.POSITIVE_INFINITY;
	#closed = false;
	#restUntilMs = Number.NEGATIVE_INFINITY;

	constructor(
		readonly state: State,
		private readonly nowMs: () => number,
		private readonly executors: Omit<Executors, 'schedule'>,
		/** A replay has a time of its own. */
		private readonly after: After = afterTimeout,
	) {}

	/** Takes an input. From inside an executor it waits for the step under way to be done. */
	take(message: Message): void {
		if (this.#closed) return;
		this.#queue.push(message);
		if (this.#running) return;
		this.#running = true;
		try {
			for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#step(next);
		} finally {
			this.#running = false;
		}
	}

	close(): void {
		this.#closed = true;
		this.#cancelTick();
	}

	#step(message: Message): void {
		const { actions } = step(this.state, { ...message, nowMs: this.nowMs() } as Input);
		for (const action of actions) this.#execute(action);
	}

	#execute(action: Action): void {
		if (action.kind === 'schedule') this.#schedule(action.atMs);
		else (this.executors[action.kind] as (one: Action) => void)(action);
	}

	/** One timer, for the earliest tick wanted. */
	#schedule(atMs: number): void {
		if (atMs >= this.#tickAtMs) return;
		this.#tickAtMs = atMs;
		this.#cancelTick();
		const waitMs = Math.max(atMs, this.#restUntilMs) - this.nowMs();
		const delayMs = Math.min(Math.max(Math.ceil(waitMs), tickDistanceMs), tickDistanceMaxMs);
		this.#cancelTick = this.after(delayMs, () => this.#tick());
	}

	#tick(): void {
		this.#tickAtMs = Number.POSITIVE_INFINITY;
		const beganMs = this.nowMs();
		this.take({ kind: 'tick' });
		const endedMs = this.nowMs();
		this.#restUntilMs = endedMs + (endedMs - beganMs) * restAfterTick;
	}
}
