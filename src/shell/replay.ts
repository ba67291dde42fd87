/**
 * A recording, decided on again: the recorded batches go the whole way of the data (decode, evidence, judge) in the time
 * of the recording, and what the judge says is handed on. Nothing is done: no probe leaves, no monitor is asked, and
 * every weight is a dry run's. Routes are not recorded: whom a lost link of the director's own hides, it does not know.
 * What a probe would have met, the recording does not know; it is assumed as asked for.
 */
import type { RecordingBlock, RecordingHead } from '../capture/recording.js';
import { decodeBatch } from '../decode/decode.js';
import type { KernelEvent } from '../decode/event.js';
import type { Action, JournalEntry } from '../judge/action.js';
import type { ProbeOutcome, ProbePurpose } from '../judge/input.js';
import { createState } from '../judge/state.js';
import type { Terms, TermsBook } from '../judge/terms.js';
import { neighbourState } from '../netlink/route.js';
import type { ListenerId } from '../table/identity.js';
import type { Snapshot } from '../table/model.js';
import type { Assumption } from './choices.js';
import type { Config } from './config.js';
import { type Executors, Loop, type Message } from './loop.js';
import { ReplayClock } from './replay-clock.js';
import { termsFrom } from './terms.js';
import { configuredEndpoints, Witness, windowOf } from './witness.js';

export interface ReplayHandlers {
	/** A probe that would have been sent, and what is assumed of it. */
	onProbe: (atMs: number, listener: ListenerId, purpose: ProbePurpose, outcome: ProbeOutcome) => void;
	/** A line that the journal would have had. */
	onEntry: (atMs: number, entry: JournalEntry) => void;
	/** A record that makes no sense. */
	onMalformed: (reason: string) => void;
}

export interface ReplayOptions extends ReplayHandlers {
	config: Config;
	probes: Assumption;
}

/** How long a probe takes: any time will do that is shorter than the policy's time-outs. */
const probeLatencyMs = 1;

/**
 * Without an assumption a probe answers nothing, as if it could not be sent. A server that refuses clients has accepted
 * the calibrating probe before, or no refusal of a probe would count.
 */
function assumed(probes: Assumption, purpose: ProbePurpose): ProbeOutcome {
	if (probes === 'none') return 'error';
	return purpose === 'calibrate' ? 'accepted' : probes;
}

/** What a recording begins with has been in the table for who knows how long. */
function withoutGrace({ others, named }: TermsBook): TermsBook {
	const longThere = (terms: Terms): Terms => ({ ...terms, policy: { ...terms.policy, graceMs: 0 } });
	return { others: longThere(others), named: new Map([...named].map(([id, terms]) => [id, longThere(terms)])) };
}

export class Replay {
	readonly #options: ReplayOptions;
	readonly #clock = new ReplayClock();
	readonly #witness: Witness;
	readonly #loop: Loop;
	#table: Snapshot | undefined;
	#cancelReading = () => {};

	constructor(options: ReplayOptions, head: RecordingHead) {
		const { monitors } = options.config;
		const terms = withoutGrace(termsFrom(options.config));
		this.#options = options;
		this.#witness = new Witness(windowOf(terms), head.pid);
		const binding = monitors.keepalived !== undefined;
		const state = createState({
			terms,
			pid: head.pid,
			dryRun: true,
			binding,
			seed: head.pid,
		});
		this.#loop = new Loop(state, this.#clock.nowMs, this.#executors(), this.#clock.after);
	}

	/** The blocks behind the head, in their order. */
	play(block: Exclude<RecordingBlock, { kind: 'head' }>): void {
		switch (block.kind) {
			case 'opened':
				this.#witness.attempts = block.vantages.includes('outcome') ? 'outcome' : 'wire';
				return;
			case 'table':
				return this.#see(block.snapshot, block.atMs);
			case 'batch':
				return this.#hear(block);
			case 'end':
			case 'torn':
				// What the last of it began comes to its end: within a window a suspicion is confirmed, or over.
				return this.#clock.advance(this.#clock.nowMs() + this.#options.config.policy.windowMs);
		}
	}

	close(): void {
		this.#loop.close();
		this.#cancelReading();
	}

	/** A table is recorded when it changes; the daemon reads it all the time, and so does a replay. */
	#see(snapshot: Snapshot, atMs: number): void {
		if (this.#table === undefined) this.#clock.begin(atMs);
		this.#clock.advance(atMs);
		this.#table = snapshot;
		this.#cancelReading();
		this.#read(snapshot);
	}

	#read(snapshot: Snapshot): void {
		this.#loop.take({ kind: 'table', snapshot, sinceMs: this.#clock.nowMs() });
		this.#witness.retain(this.#loop.state);
		for (const message of configuredEndpoints(snapshot, this.#options.config.services)) this.#loop.take(message);
		this.#cancelReading = this.#clock.after(this.#options.config.snapshotIntervalMs, () => this.#read(snapshot));
	}

	/** What waited in a pinned ring from before the first table is history, as it is to a daemon that starts. */
	#hear({ atMs, bytes, sizes }: Extract<RecordingBlock, { kind: 'batch' }>): void {
		if (this.#table === undefined) return;
		this.#clock.advance(atMs);
		const { events, malformed } = decodeBatch(bytes, sizes);
		for (const { reason } of malformed) this.#options.onMalformed(reason);
		for (const event of events) {
			const message = this.#messageOf(event);
			if (message) this.#loop.take(message);
		}
	}

	/** The daemon hears of neighbours from several sources, of which a recording has the kernel's hooks. */
	#messageOf(event: KernelEvent): Message | undefined {
		const nowMs = this.#clock.nowMs();
		if (event.kind !== 'neighbour') return this.#witness.hear(event, nowMs);
		return neighbourState(event.state) === 'failed' ? this.#witness.neighbourFailed(event.address, nowMs) : undefined;
	}

	#executors(): Omit<Executors, 'schedule'> {
		const { onEntry } = this.#options;
		const stand = ({ id }: { id: number }) =>
			this.#loop.take({ kind: 'outcome', action: id, result: 'dry-run', detail: '' });
		const nothing = () => {};
		return {
			probe: (action) => this.#probe(action),
			setWeight: stand,
			giveBack: stand,
			journal: ({ entry }) => onEntry(this.#clock.nowMs(), entry),
			// What these would do is in the journal too.
			ledger: nothing,
			forget: nothing,
			bind: nothing,
			tell: nothing,
			remember: nothing,
			keepHolds: nothing,
		};
	}

	#probe({ id, purpose }: Extract<Action, { kind: 'probe' }>): void {
		const outcome = assumed(this.#options.probes, purpose);
		this.#options.onProbe(this.#clock.nowMs(), id, purpose, outcome);
		const answer = {
			kind: 'probe',
			listener: id,
			purpose,
			outcome,
			latencyMs: probeLatencyMs,
			detail: '',
		} as const;
		this.#clock.after(probeLatencyMs, () => this.#loop.take(answer));
	}
}
