/**
 * Runs one program to its end, within its time: no shell is involved, the command is an argument vector. When its time is
 * over it is killed. What it started and left running ends with it in either case, but for what made itself a process
 * group of its own (setsid(1)). A program that not even SIGKILL ends at once, in an uninterruptible sleep, is not waited
 * for. What its end means is for who runs it.
 */
import { type ChildProcess, spawn } from 'node:child_process';

export interface ProgramRun {
	/** The program's path, and its arguments. */
	command: readonly string[];
	timeoutMs: number;
	/** For its standard input; without one that is empty. */
	input?: string;
	/** All of its environment; without one it has ours. */
	environment?: Record<string, string>;
}

/** `complaint`: what it said on its standard error first, at most `complaintCharactersMax` characters. */
export type ProgramEnd =
	| { kind: 'exited'; code: number; complaint: string }
	| { kind: 'signalled'; signal: string; complaint: string }
	| { kind: 'late' }
	| { kind: 'not-started'; reason: string };

export interface RunningProgram {
	/** Never rejects. */
	end: Promise<ProgramEnd>;
	/** Kills it now, and what it started. Harmless where it has ended. */
	kill: () => void;
}

const complaintCharactersMax = 200;
/** How long the rest of its standard error is waited for, which a stranger may hold for ever, and its end after SIGKILL. */
const endWaitMs = 100;
/** Programs that were killed and have not ended yet, all in all; while there are so many no other one is started. */
const undyingMax = 16;
const undying = new Set<ChildProcess>();

/** spawn(2)'s errors come as an event, some of them as an exception. */
export function runProgram(run: ProgramRun): RunningProgram {
	const [file = '', ...args] = run.command;
	if (undying.size >= undyingMax) return notStarted(`${undyingMax} programs that were killed have not ended yet`);
	try {
		const stdin = run.input === undefined ? 'ignore' : 'pipe';
		const environment = run.environment === undefined ? {} : { env: run.environment };
		// A process group of its own: what it started can be ended with it.
		const child = spawn(file, args, { stdio: [stdin, 'ignore', 'pipe'], detached: true, ...environment });
		return follow(child, run);
	} catch (error) {
		return notStarted((error as Error).message);
	}
}

function notStarted(reason: string): RunningProgram {
	return { end: Promise.resolve({ kind: 'not-started', reason }), kill: () => {} };
}

function follow(child: ChildProcess, { input, timeoutMs }: ProgramRun): RunningProgram {
	let kill = (): void => {};
	const end = new Promise<ProgramEnd>((resolve) => {
		let late = false;
		let complaint = '';
		let wait: NodeJS.Timeout | undefined;
		const finish = (code: number | null, signal: string | null): void => {
			clearTimeout(wait);
			if (late) resolve({ kind: 'late' });
			else if (signal) resolve({ kind: 'signalled', signal, complaint });
			else resolve({ kind: 'exited', code: code ?? 0, complaint });
		};
		kill = () => {
			if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
			killGroup(child.pid);
			wait ??= setTimeout(() => {
				abandon(child);
				finish(null, 'SIGKILL');
			}, endWaitMs);
		};
		const timer = setTimeout(() => {
			late = true;
			kill();
		}, timeoutMs);
		child.on('error', ({ message }) => {
			clearTimeout(timer);
			resolve({ kind: 'not-started', reason: message });
		});
		child.stderr?.setEncoding('utf8').on('data', (text: string) => {
			complaint = (complaint + text).slice(0, complaintCharactersMax);
		});
		child.on('exit', (code, signal) => {
			clearTimeout(timer);
			clearTimeout(wait);
			undying.delete(child);
			// The number is the group's as long as anybody is in it (kernel/pid.c).
			if (child.pid !== undefined) killGroup(child.pid);
			wait = setTimeout(() => child.stderr?.destroy(), endWaitMs);
			child.on('close', () => finish(code, signal));
		});
		// Who reads nothing closes the pipe (EPIPE), which is its right.
		child.stdin?.on('error', () => {}).end(input);
	});
	return { end, kill };
}

/** Waits no longer, but keeps count of it. */
function abandon(child: ChildProcess): void {
	undying.add(child);
	child.stdin?.destroy();
	child.stderr?.destroy();
	child.unref();
}

function killGroup(group: number): void {
	try {
		process.kill(-group, 'SIGKILL');
	} catch {
		// ESRCH: nobody is in it any more.
	}
}
