/**
 * Keeps the vantage points inside ip_vs attached for as long as the module is there and nobody asks us to let go: a
 * module that comes late is taken up within seconds, one that the operator wants to unload is let go of, because
 * attached hooks hold it (kernel/bpf/trampoline.c, bpf_trampoline_module_get). What is not to be had otherwise is told
 * once and tried again now and then. What a vantage point sees is none of this file's business.
 */
import type { Logger } from 'pino';
import type { HookState, Unavailable } from '../capture/availability.js';
import { ipvsInstance } from '../capture/module.js';
import type { VantageName } from '../capture/recording.js';
import { type StreamLosses, sumLosses } from '../capture/stream.js';
import type { WatchView } from '../report/view.js';
import type { ReleaseRequest } from './release-request.js';

/** Two looks at the file system each time: nothing at this pace, and an operator waits no longer for rmmod. */
const lookEveryMs = 2_000;
/** A verifier's refusal or a missing capability seldom heals; loading costs up to a second on a slow machine. */
const retryMs = 60_000;

export interface HookedParts<T> {
	vantage: VantageName;
	/** As messages call it: `audit`. */
	name: string;
	/** Every hook that it has where all of them attach. */
	hooks: readonly string[];
	open: () => T | Unavailable;
	/** What it means that it is not to be had, as a sentence of the log. */
	without: string;
	/** Detaches everything, pins included: the module must be free afterwards. */
	letGo: (capture: T) => void;
}

export interface Circumstances {
	/** The loading of ip_vs that is there now, if any: see ipvsInstance. */
	instance: number | undefined;
	/** The operator wants the module free. */
	released: boolean;
	nowMs: number;
}

/** What is asked of a capture while it is attached. */
export interface Attachable {
	readonly available: true;
	readonly hooks: readonly HookState[];
	losses(): StreamLosses;
}

/** One vantage point inside ip_vs: attached, or why not. */
export class Hooked<T extends Attachable> {
	#current: T | undefined;
	/** By those that have let go. */
	#lost = sumLosses([]);
	#reason: Unavailable | undefined;
	#tried: { instance: number; atMs: number } | undefined;

	constructor(
		private readonly parts: HookedParts<T>,
		private readonly log: Logger,
	) {}

	/** Undefined while it is not attached. */
	get current(): T | undefined {
		return this.#current;
	}

	/** Why the last try failed; undefined where there was none, or it did not. */
	get reason(): Unavailable | undefined {
		return this.#reason;
	}

	/** Each hook, attached or not. */
	watching(): WatchView[] {
		const { vantage, hooks } = this.parts;
		const states = this.#current?.hooks ?? hooks.map((hook) => ({ hook, attached: false }));
		return states.map(({ hook, attached }) => ({ vantage, hook, attached }));
	}

	/** What was lost since the start, however often it was attached in between. */
	losses(): StreamLosses {
		return this.#current ? sumLosses([this.#lost, this.#current.losses()]) : this.#lost;
	}

	/** Attaches or lets go, as the circumstances ask; true where something changed. */
	follow({ instance, released, nowMs }: Circumstances): boolean {
		if (released) return this.#letGo();
		if (this.#current !== undefined || instance === undefined || !this.#isDue(instance, nowMs)) return false;
		this.#tried = { instance, atMs: nowMs };
		return this.#attach();
	}

	/** Hands what is attached to `end`, once: at the end of the process, which may leave pins or let go of all. */
	close(end: (capture: T) => void): void {
		if (this.#current === undefined) return;
		this.#lost = this.losses();
		end(this.#current);
		this.#current = undefined;
	}

	/** At once for a loading that was not tried yet. */
	#isDue(instance: number, nowMs: number): boolean {
		return this.#tried?.instance !== instance || nowMs - this.#tried.atMs >= retryMs;
	}

	#attach(): boolean {
		const opened = this.parts.open();
		if (opened.available) {
			this.#current = opened;
			this.#reason = undefined;
			this.log.info(`the ${this.parts.name} is attached to ip_vs`);
			return true;
		}
		const { reason, remedy } = opened;
		if (reason !== this.#reason?.reason)
			this.log.warn({ reason, remedy }, `${this.parts.without}; trying again every minute`);
		this.#reason = opened;
		return false;
	}

	/** A wish that comes and goes is followed at once, so what was tried before does not count. */
	#letGo(): boolean {
		this.#tried = undefined;
		if (this.#current === undefined) return false;
		this.close(this.parts.letGo);
		this.log.info(`the ${this.parts.name} has let go of ip_vs, as asked; to take it up again: ipvigil hooks attach`);
		return true;
	}
}

export interface HookKeeperOptions {
	hooked: readonly Pick<Hooked<Attachable>, 'follow'>[];
	request: ReleaseRequest;
	nowMs: () => number;
	log: Logger;
	/** After something was attached or let go, or the module has come or gone. */
	onChange: () => void;
	instance?: () => number | undefined;
}

/** Looks every two seconds at the module and at the operator's wish. */
export class HookKeeper {
	readonly #options: HookKeeperOptions;
	readonly #timer: NodeJS.Timeout;
	#instance: number | undefined;
	/** The loading that the standing wish is about. */
	#releasedFor: number | undefined;
	#trouble = '';

	/** Takes the first look itself. `onChange` is called for what comes after it. */
	constructor(options: HookKeeperOptions) {
		this.#options = options;
		this.#instance = this.#find();
		if (this.#instance === undefined)
			options.log.warn('ip_vs is not loaded: waiting for it; modprobe ip_vs, or start the monitor');
		this.#follow();
		this.#timer = setInterval(() => this.look(), lookEveryMs);
	}

	/** Whether IPVS is there: without it the table is empty. */
	get present(): boolean {
		return this.#instance !== undefined;
	}

	look(): void {
		const before = this.#instance;
		this.#instance = this.#find();
		const moved = this.#instance !== before;
		if (moved) this.#options.log.info(this.present ? 'ip_vs is loaded' : 'ip_vs is gone: waiting for it');
		const changed = this.#follow();
		if (moved || changed) this.#options.onChange();
	}

	close(): void {
		clearInterval(this.#timer);
	}

	#find(): number | undefined {
		return (this.#options.instance ?? ipvsInstance)();
	}

	#follow(): boolean {
		const { hooked, request, nowMs } = this.#options;
		this.#settleRequest();
		const released = request.standing;
		const circumstances = { instance: this.#instance, released, nowMs: nowMs() };
		const changes = hooked.filter((each) => each.follow(circumstances));
		if (released) this.#mark(() => request.acknowledge());
		return changes.length > 0;
	}

	/** The wish was that the module may go: when it has gone, even if it is back by now, the wish is fulfilled. */
	#settleRequest(): void {
		const { request } = this.#options;
		this.#releasedFor = request.standing ? (this.#releasedFor ?? this.#instance) : undefined;
		if (!request.standing || (this.present && this.#instance === this.#releasedFor)) return;
		this.#mark(() => request.withdraw());
		this.#releasedFor = undefined;
	}

	/** Observing goes on where the wish's file cannot be written (a full disk): that is told once, and tried at each look. */
	#mark(write: () => void): void {
		try {
			write();
			this.#trouble = '';
		} catch (error) {
			const { message } = error as Error;
			if (message !== this.#trouble)
				this.#options.log.error({ reason: message }, 'the file release-hooks cannot be kept');
			this.#trouble = message;
		}
	}
}
