/**
 * What everybody in one simulated run shares, and where a mutation takes hold of the shipped pieces: from outside, in
 * the places where the daemon wires them together.
 */
import type { Action, JournalEntry } from '../../src/judge/action.js';
import type { Asking } from '../../src/judge/asking.js';
import type { HoldScope } from '../../src/judge/hold.js';
import type { ProbeOutcome } from '../../src/judge/input.js';
import type { Policy } from '../../src/judge/policy.js';
import type { State } from '../../src/judge/state.js';
import type { Ledger } from '../../src/remedy/ledger.js';
import type { ProbeResult } from '../../src/remedy/probe-queue.js';
import type { TableWriter } from '../../src/remedy/weights.js';
import type { Executors, Message } from '../../src/shell/loop.js';
import type { DestinationId } from '../../src/table/identity.js';
import type { Listener } from '../../src/table/model.js';
import type { Random } from '../support/random.js';
import type { Ipvs, Write } from './ipvs.js';
import type { Mishap, Plan } from './plan.js';
import type { Scheduler } from './scheduler.js';
import type { World } from './world.js';

export type LoopExecutors = Omit<Executors, 'schedule'>;
export type Probe = (listener: Listener, asking: Asking, timeoutMs: number) => Promise<ProbeResult>;

/** What a mutation is shown of the life that it spoils. */
export interface LifeParts {
	scene: Scene;
	state: () => State;
	ledger: Ledger;
	table: TableWriter;
	/** As the judge's actions reach them. */
	executors: () => LoopExecutors;
}

/** A rule broken on purpose. Each part stands in for what the daemon would have wired there. */
export interface Mutation {
	policy?: (policy: Policy) => Policy;
	table?: (table: TableWriter, ledger: Ledger) => TableWriter;
	probe?: (probe: Probe, parts: LifeParts) => Probe;
	executors?: (executors: LoopExecutors, parts: LifeParts) => LoopExecutors;
	/** Before the judge hears it; what is returned is heard in its place. */
	message?: (message: Message, parts: LifeParts) => Message[];
	/** The ledger says that it has entered what it has not. */
	forgetfulLedger?: boolean;
	/** Nobody undoes what a dead ipvigil left behind. */
	withoutHelper?: boolean;
	/** Whoever dies is not started again. */
	withoutRestart?: boolean;
}

/** What a client, a forger or nobody said against a server, as the kernel told it. */
export interface Testimony {
	destination: DestinationId;
	/** Undefined for a forger's. */
	prefix: number | undefined;
	/** The server did what is told: it was dead, slow, lossy or walled off for that client. */
	isTrue: boolean;
}

/** What a server truly met a question of ipvigil's with, whatever ipvigil was made to believe. */
export interface Answer {
	/** Address and port of the server. */
	server: string;
	/** Where it was asked on a VIP: each has a listener of its own. */
	vip: string | undefined;
	outcome: ProbeOutcome;
}

export interface Observer {
	/** Something was written to the table; called before the audit remembers it, so that `table.last` is the one before. */
	wrote(write: Write): void;
	/** The judge wants this done, and nothing of it is done yet. */
	decided(action: Action, state: State): void;
	journaled(entry: JournalEntry): void;
	testified(testimony: Testimony): void;
	/** The server itself has answered a probe, or has not. */
	answered(answer: Answer): void;
	/** The operator asks the life that runs for something, and is heard. */
	asked(mishap: Mishap): void;
	/** A client was sent to a dead server. */
	met(id: DestinationId): void;
	/** A record of the audit was lost: what the judge cannot know of a write, nobody may ask of it. */
	unheard(id: DestinationId): void;
	/** The life that ran is over. */
	ended(): void;
	/** Shipped code threw where nothing may be thrown. */
	threw(error: Error): void;
}

export interface Scene {
	plan: Plan;
	mutation: Mutation;
	scheduler: Scheduler;
	world: World;
	table: Ipvs;
	random: Random;
	readonly observer: Observer;
	/** Of this run alone: the ledger, the monitor's track files. */
	directory: string;
	/** CLOCK_BOOTTIME, milliseconds: the scheduler's time, and what the machine has slept. */
	bootMs: () => number;
	/** The audit's ring: it waits for whoever reads it next. */
	ring: Write[];
	/** What `Calibration` keeps on tmpfs. */
	calibrated: Set<string>;
	/** What the operator holds, until when on the boot clock, and whether ipvigil has said that it is held. */
	holds: Map<HoldScope, { untilMs: number; isTaken: boolean }>;
	diskFullUntilMs: number;
	/** How long the machine has slept: the boot clock has gone on, timers have not. */
	sleptMs: number;
	/** When it woke last, in the scheduler's time. */
	wokeMs: number;
	/** Processes that are ipvigil, and the helper's: all others are foreign. */
	ownPids: Set<number>;
	story: (line: string) => void;
}
