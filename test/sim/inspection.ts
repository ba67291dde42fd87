/**
 * Looks at everything that ipvigil does, and at the truth, and shows both to the checkers: at each write, each decision,
 * each line of the journal as it comes, and at the whole once a second of virtual time.
 */
import type { Action, JournalEntry } from '../../src/judge/action.js';
import type { State } from '../../src/judge/state.js';
import type { LedgerEntry } from '../../src/remedy/lease-file.js';
import { Ledger } from '../../src/remedy/ledger.js';
import { destinationId } from '../../src/table/identity.js';
import type { Destination, ServiceAddress } from '../../src/table/model.js';
import type { Write } from './ipvs.js';
import type { Mishap } from './plan.js';
import type { Answer, Observer, Scene, Testimony } from './scene.js';
import { ledgerDirectoryOf } from './stand-ins.js';
import type { Supervisor } from './supervisor.js';

export interface Violation {
	checker: string;
	atMs: number;
	detail: string;
}

/** Virtual milliseconds. */
export interface Samples {
	ejectMs: number[];
	restoreMs: number[];
	/** Writes that took a server out. */
	ejections: number;
	/** Of these, of servers that were fit all the time. */
	falseEjections: number;
}

/** One thing that must hold. Each method is called when there is something for it to look at. */
export interface Checker {
	name: string;
	/** What must hold, for people. */
	sentence: string;
	wrote?: (write: SeenWrite) => void;
	decided?: (action: Action, state: State) => void;
	journaled?: (entry: JournalEntry) => void;
	testified?: (testimony: Testimony) => void;
	answered?: (answer: Answer) => void;
	asked?: (mishap: Mishap) => void;
	met?: (id: string) => void;
	unheard?: (id: string) => void;
	threw?: (error: Error) => void;
	/** Once a second. */
	looked?: () => void;
}

/** A write with what the ledger held at that instant. */
export interface SeenWrite extends Write {
	/** By a life of ipvigil, by its helper, or by anybody else. */
	by: 'ipvigil' | 'helper' | 'others';
	/** By ipvigil, and the weight is lower than before. */
	takesOut: boolean;
	entry: LedgerEntry | undefined;
}

export interface Bench {
	scene: Scene;
	supervisor: Supervisor;
	ledger: Ledger;
	samples: Samples;
	/** Told once for each checker: what follows from the first offence is no second one. */
	fail: (checker: string, detail: string) => void;
}

/** Whose weight or whose monitor's word would take a destination out, and how much of its weight. */
export function takingOut(
	action: Action,
	state: State,
): { service: ServiceAddress; destination: Destination; taken: number } | undefined {
	if (action.kind === 'setWeight' && action.to < action.expect) {
		const { service, destination } = action.lease;
		return { service, destination, taken: destination.weight - action.to };
	}
	if (action.kind !== 'bind' || action.state !== 'down' || action.again) return undefined;
	const { service, destination } = action;
	const { lease } = state.destinations.get(destinationId(service, destination)) ?? {};
	// Where its weight was written already the word to the monitor takes nothing more, nor where an earlier life decided.
	return lease?.written === undefined && lease?.pid === state.pid
		? { service, destination, taken: destination.weight }
		: undefined;
}

/** Virtual time between two looks at the whole. */
const lookEveryMs = 1_000;

export class Inspection implements Observer {
	readonly violations: Violation[] = [];
	readonly journal: { bootMs: number; entry: JournalEntry }[] = [];
	readonly samples: Samples = { ejectMs: [], restoreMs: [], ejections: 0, falseEjections: 0 };
	steps = 0;
	readonly #scene: Scene;
	readonly #supervisor: Supervisor;
	readonly #ledger: Ledger;
	readonly checkers: Checker[];
	#nextLookMs = lookEveryMs;

	constructor(scene: Scene, supervisor: Supervisor, checkersOf: (bench: Bench) => Checker[]) {
		this.#scene = scene;
		this.#supervisor = supervisor;
		this.#ledger = new Ledger(ledgerDirectoryOf(scene));
		this.checkers = checkersOf({
			scene,
			supervisor,
			ledger: this.#ledger,
			samples: this.samples,
			fail: (checker, detail) => this.#fail(checker, detail),
		});
	}

	wrote(write: Write): void {
		const { ownPids, story } = this.#scene;
		const by = !ownPids.has(write.pid) ? 'others' : write.comm === 'ipvigil' ? 'ipvigil' : 'helper';
		const { before, after } = write;
		const takesOut = by === 'ipvigil' && before !== undefined && after !== undefined && after.weight < before.weight;
		const entry =
			by === 'others' ? undefined : this.#ledger.read({ service: write.service, destination: after ?? before ?? none });
		story(`${write.comm} (${write.pid}): ${write.operation} ${write.id}, weight ${before?.weight} to ${after?.weight}`);
		const seen: SeenWrite = { ...write, by, takesOut, entry };
		for (const checker of this.checkers) checker.wrote?.(seen);
	}

	decided(action: Action, state: State): void {
		for (const checker of this.checkers) checker.decided?.(action, state);
	}

	journaled(entry: JournalEntry): void {
		this.journal.push({ bootMs: this.#scene.bootMs(), entry });
		this.#scene.story(`journal: ${entry.sentence}`);
		for (const checker of this.checkers) checker.journaled?.(entry);
	}

	testified(testimony: Testimony): void {
		for (const checker of this.checkers) checker.testified?.(testimony);
	}

	answered(answer: Answer): void {
		for (const checker of this.checkers) checker.answered?.(answer);
	}

	asked(mishap: Mishap): void {
		for (const checker of this.checkers) checker.asked?.(mishap);
	}

	met(id: string): void {
		for (const checker of this.checkers) checker.met?.(id);
	}

	unheard(id: string): void {
		this.#scene.story(`the audit loses a record of ${id}`);
		for (const checker of this.checkers) checker.unheard?.(id);
	}

	ended(): void {
		this.#supervisor.ended();
	}

	threw(error: Error): void {
		for (const checker of this.checkers) checker.threw?.(error);
	}

	look(): void {
		this.steps += 1;
		if (this.#scene.scheduler.nowMs < this.#nextLookMs) return;
		this.#nextLookMs = this.#scene.scheduler.nowMs + lookEveryMs;
		for (const checker of this.checkers) checker.looked?.();
	}

	#fail(checker: string, detail: string): void {
		const atMs = this.#scene.scheduler.nowMs;
		this.#scene.story(`VIOLATION of ${checker}: ${detail}`);
		if (!this.violations.some((one) => one.checker === checker)) this.violations.push({ checker, atMs, detail });
	}
}

const none = { address: '0.0.0.0', port: 0 };
