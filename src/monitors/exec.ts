/**
 * The exec hook: runs a command for every notification, the journal entry as one JSON line on its standard input.
 * No shell is involved: the command is an argument vector. It informs only; no exit code changes what ipvigil does.
 *
 * A hook may hang or be slower than the events: each has a time-out and then SIGKILL, for it and what it started;
 * so many run at once, so many wait, and the rest is counted and told as not delivered.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { JournalEntry } from '../judge/action.js';
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

/** How much of a failed hook's standard error is repeated in the reason. */
const complaintCharactersMax = 200;

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

/** How long the rest of a hook's standard error is waited for: what it left running may hold the pipe for ever. */
const complaintWaitMs = 100;

/** Never rejects: spawn(2)'s errors come as an event, some of them as an exception. */
function runHook(command: readonly string[], timeoutMs: number, entry: JournalEntry): Promise<Delivery> {
	return spawnHook(command, timeoutMs, entry).catch((error: Error) => ({
		ok: false,
		reason: `${command[0]} cannot be run: ${error.message}`,
	}));
}

function spawnHook([file = '', ...args]: readonly string[], timeoutMs: number, entry: JournalEntry): Promise<Delivery> {
	return new Promise((resolve, reject) => {
		// A process group of its own: what the hook started can be ended with it.
		const child = spawn(file, args, { stdio: ['pipe', 'ignore', 'pipe'], detached: true });
		child.on('error', (error) => {
			clearTimeout(timer);
			reject(error);
		});
		let late = false;
		let complaint = '';
		const timer = setTimeout(() => {
			late = true;
			killGroup(child);
		}, timeoutMs);
		child.stderr.setEncoding('utf8').on('data', (text: string) => {
			complaint = (complaint + text).slice(0, complaintCharactersMax);
		});
		child.on('exit', (code, signal) => {
			clearTimeout(timer);
			const waited = setTimeout(() => child.stderr.destroy(), complaintWaitMs);
			child.on('close', () => {
				clearTimeout(waited);
				resolve(late ? tooLate(file, timeoutMs) : deliveryOf(file, code, signal, complaint));
			});
		});
		// A hook that reads nothing closes the pipe (EPIPE), which is its right.
		child.stdin.on('error', () => {});
		child.stdin.end(`${JSON.stringify(entry)}\n`);
	});
}

function killGroup(child: ChildProcess): void {
	if (child.pid === undefined) return;
	try {
		process.kill(-child.pid, 'SIGKILL');
	} catch {
		// ESRCH: it ended by itself just now.
	}
}

function tooLate(file: string, timeoutMs: number): Delivery {
	return { ok: false, reason: `${file} was killed after ${timeoutMs} ms` };
}

function deliveryOf(file: string, code: number | null, signal: string | null, complaint: string): Delivery {
	if (code === 0) return { ok: true };
	const end = signal ? `was ended by ${signal}` : `exited with ${code}`;
	return { ok: false, reason: `${file} ${end}${complaint ? `: ${complaint.trim()}` : ''}` };
}
