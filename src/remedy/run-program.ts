/**
 * Runs one program to its end, within its time: no shell is involved, the command is an argument vector. When its time is
 * over it is killed, and what it started with it. What its end means is for who runs it.
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
/** How long the rest of its standard error is waited for: what it left running may hold the pipe for ever. */
const complaintWaitMs = 100;

/** spawn(2)'s errors come as an event, some of them as an exception. */
export function runProgram(run: ProgramRun): RunningProgram {
	const [file = '', ...args] = run.command;
	try {
		const stdin = run.input === undefined ? 'ignore' : 'pipe';
		const environment = run.environment === undefined ? {} : { env: run.environment };
		// A process group of its own: what it started can be ended with it.
		const child = spawn(file, args, { stdio: [stdin, 'ignore', 'pipe'], detached: true, ...environment });
		return { end: endOf(child, run), kill: () => killGroup(child) };
	} catch (error) {
		const reason = (error as Error).message;
		return { end: Promise.resolve({ kind: 'not-started', reason }), kill: () => {} };
	}
}

function endOf(child: ChildProcess, { input, timeoutMs }: ProgramRun): Promise<ProgramEnd> {
	return new Promise((resolve) => {
		child.on('error', ({ message }) => {
			clearTimeout(timer);
			resolve({ kind: 'not-started', reason: message });
		});
		let late = false;
		let complaint = '';
		const timer = setTimeout(() => {
			late = true;
			killGroup(child);
		}, timeoutMs);
		child.stderr?.setEncoding('utf8').on('data', (text: string) => {
			complaint = (complaint + text).slice(0, complaintCharactersMax);
		});
		child.on('exit', (code, signal) => {
			clearTimeout(timer);
			const waited = setTimeout(() => child.stderr?.destroy(), complaintWaitMs);
			child.on('close', () => {
				clearTimeout(waited);
				if (late) resolve({ kind: 'late' });
				else if (signal) resolve({ kind: 'signalled', signal, complaint });
				else resolve({ kind: 'exited', code: code ?? 0, complaint });
			});
		});
		// Who reads nothing closes the pipe (EPIPE), which is its right.
		child.stdin?.on('error', () => {}).end(input);
	});
}

/** Of a process that has ended the number may be another's by now. */
function killGroup(child: ChildProcess): void {
	if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
	try {
		process.kill(-child.pid, 'SIGKILL');
	} catch {
		// ESRCH: it ended by itself just now.
	}
}
