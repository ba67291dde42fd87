/**
 * The exec hook: runs a command for every notification, the journal entry as one JSON line on its standard input.
 * No shell is involved: the command is an argument vector. It informs only; no exit code changes what ipvigil does.
 *
 * A hook may hang or be slower than the events: each has a time-out and then SIGKILL, for it and what it started;
 * so many run at once, so many wait, and the rest is counted and told as not delivered.
 */
import type { JournalEntry } from '../judge/action.js';
import { type ProgramEnd, runProgram } from '../remedy/run-program.js';
import type { Delivery, TellingTarget } from './contract.js';

export interface ExecOptions {
	command: readonly string[];
	timeoutMs: number;
	/** Processes at once: hooks send mail or call a web service, and a director is no place for a fork storm. */
	runningMax?: number;
	/** Entries waiting, about 1 kB each; an outage of a whole rack is some hundred. */
	waitingMax?: number;
}

interface Job {
	entry: JournalEntry;
	resolve: (delivery: Delivery) => void;
}

export class ExecTarget implements TellingTarget {
	readonly name = 'exec';
	readonly #options: Required<ExecOptions>;
	readonly #waiting: Job[] = [];
	#running = 0;
	#overflow = 0;
	#closed = false;
	#idle: (() => void) | undefined;

	constructor(options: ExecOptions) {
		if (!options.command[0]) throw new Error('the exec hook needs a command');
		this.#options = { runningMax: 4, waitingMax: 256, ...options };
	}

	/** Entries that found the queue full. */
	get overflow(): number {
		return this.#overflow;
	}

	tell(entry: JournalEntry): Promise<Delivery> {
		if (this.#closed) return Promise.resolve({ ok: false, reason: 'the hook has been closed' });
		if (this.#waiting.length >= this.#options.waitingMax) {
			this.#overflow += 1;
			return Promise.resolve({ ok: false, reason: `${this.#options.waitingMax} notifications are waiting already` });
		}
		return new Promise((resolve) => {
			this.#waiting.push({ entry, resolve });
			this.#startWaiting();
		});
	}

	/** What waits is given up; what runs may end, within its own time-out. */
	async close(): Promise<void> {
		this.#closed = true;
		for (const job of this.#waiting.splice(0))
			job.resolve({ ok: false, reason: 'ipvigil stopped before it was its turn' });
		if (this.#running === 0) return;
		await new Promise<void>((resolve) => {
			this.#idle = resolve;
		});
	}

	#startWaiting(): void {
		while (this.#running < this.#options.runningMax) {
			const job = this.#waiting.shift();
			if (!job) return;
			this.#running += 1;
			void runHook(this.#options.command, this.#options.timeoutMs, job.entry).then((delivery) => {
				this.#running -= 1;
				job.resolve(delivery);
				this.#startWaiting();
				if (this.#running === 0) this.#idle?.();
			});
		}
	}
}

async function runHook(command: readonly string[], timeoutMs: number, entry: JournalEntry): Promise<Delivery> {
	const { end } = runProgram({ command, timeoutMs, input: `${JSON.stringify(entry)}\n` });
	return deliveryOf(command[0] ?? '', await end, timeoutMs);
}

function deliveryOf(file: string, end: ProgramEnd, timeoutMs: number): Delivery {
	switch (end.kind) {
		case 'exited':
			if (end.code === 0) return { ok: true };
			return { ok: false, reason: `${file} exited with ${end.code}${afterColon(end.complaint)}` };
		case 'signalled':
			return { ok: false, reason: `${file} was ended by ${end.signal}${afterColon(end.complaint)}` };
		case 'late':
			return { ok: false, reason: `${file} was killed after ${timeoutMs} ms` };
		case 'not-started':
			return { ok: false, reason: `${file} cannot be run: ${end.reason}` };
	}
}

function afterColon(complaint: string): string {
	return complaint ? `: ${complaint.trim()}` : '';
}
