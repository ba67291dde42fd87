/**
 * Processes that a figure starts, each in a network namespace or in none, and the talk with those of our own: one
 * JSON object a line, in by standard input and out by standard output. `nsenter --net`, because `ip netns exec`
 * remounts /sys.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);

const execLimitMs = 30_000;
/** What is asked of a process is answered in milliseconds; this is for a machine that is busy with something else. */
export const answerLimitMs = 10_000;
const stopLimitMs = 10_000;
/** Lines that nobody has asked for yet: the end of the longest log of a figure. */
const linesKept = 5_000;

function inNamespace(namespace: string | undefined, program: string, words: string[]): [string, string[]] {
	return namespace === undefined ? [program, words] : ['nsenter', [`--net=/run/netns/${namespace}`, program, ...words]];
}

export async function exec(namespace: string | undefined, program: string, ...words: string[]): Promise<string> {
	const [file, rest] = inNamespace(namespace, program, words);
	try {
		return (await run(file, rest, { timeout: execLimitMs, maxBuffer: 64 << 20 })).stdout;
	} catch (error) {
		const { stderr, message } = error as { stderr?: string; message: string };
		throw new Error(`${program} ${words.join(' ').slice(0, 200)}: ${stderr?.trim() || message}`);
	}
}

export type Line = Record<string, unknown> & { kind?: string; msg?: string };

/** The clock that node and BPF share: CLOCK_MONOTONIC in microseconds. */
export function monotonicUs(): number {
	return Number(process.hrtime.bigint()) / 1e3;
}

export class Peer {
	readonly #child: ChildProcess;
	readonly #lines: Line[] = [];
	readonly #complaints: string[] = [];
	#wake: () => void = () => undefined;
	#ended: string | undefined;
	/** Called for each line as it comes, taken or not. */
	seen: (line: Line) => void = () => undefined;

	constructor(
		private readonly name: string,
		child: ChildProcess,
	) {
		this.#child = child;
		if (child.stdout) createInterface({ input: child.stdout }).on('line', (line) => this.#take(line));
		if (child.stderr)
			createInterface({ input: child.stderr }).on('line', (line) => {
				if (this.#complaints.push(line) > 20) this.#complaints.shift();
			});
		child.once('error', (error) => this.#end(error.message));
		child.once('close', (code, signal) => this.#end(String(signal ?? code)));
	}

	get pid(): number {
		return this.#child.pid ?? 0;
	}

	say(message: object): void {
		this.#child.stdin?.write(`${JSON.stringify(message)}\n`);
	}

	/** The first line not yet taken that fits; those before it are dropped. */
	async next(what: string, fits: (line: Line) => boolean, limitMs = answerLimitMs): Promise<Line> {
		const endMs = Date.now() + limitMs;
		for (;;) {
			const at = this.#lines.findIndex(fits);
			const found = this.#lines[at];
			if (found) {
				this.#lines.splice(0, at + 1);
				return found;
			}
			if (this.#ended !== undefined)
				throw new Error(`${this.name} ended with ${this.#ended}: ${this.#complaints.join(' ') || this.#last()}`);
			const leftMs = endMs - Date.now();
			if (leftMs <= 0) throw new Error(`${this.name}: not within ${limitMs} ms: ${what}; last: ${this.#last()}`);
			await this.#more(leftMs);
		}
	}

	ask(message: object, kind: string, limitMs?: number): Promise<Line> {
		this.say(message);
		return this.next(kind, (line) => line.kind === kind, limitMs);
	}

	async stop(): Promise<void> {
		if (this.#ended !== undefined) return;
		const closed = once(this.#child, 'close');
		const limit = setTimeout(() => this.#child.kill('SIGKILL'), stopLimitMs);
		this.#child.kill('SIGTERM');
		await closed;
		clearTimeout(limit);
	}

	kill(): void {
		this.#child.kill('SIGKILL');
	}

	#take(text: string): void {
		let line: Line;
		try {
			line = JSON.parse(text) as Line;
		} catch {
			line = { msg: text };
		}
		if (this.#lines.push(line) > linesKept) this.#lines.shift();
		this.seen(line);
		this.#wake();
	}

	#end(how: string): void {
		this.#ended ??= how;
		this.#wake();
	}

	#last(): string {
		return JSON.stringify(this.#lines.at(-1) ?? 'nothing').slice(0, 400);
	}

	async #more(limitMs: number): Promise<void> {
		let timer: NodeJS.Timeout | undefined;
		await new Promise<void>((resolve) => {
			this.#wake = resolve;
			timer = setTimeout(resolve, limitMs);
		});
		clearTimeout(timer);
	}
}

/** Of one figure: none of them survives it. */
export class Processes {
	readonly #peers: Peer[] = [];

	start(namespace: string | undefined, program: string, words: string[]): Peer {
		const [file, rest] = inNamespace(namespace, program, words);
		const peer = new Peer(program, spawn(file, rest, { stdio: ['pipe', 'pipe', 'pipe'] }));
		this.#peers.push(peer);
		return peer;
	}

	/** One of the scripts beside this file, by its name. */
	script(namespace: string | undefined, name: string, ...words: string[]): Peer {
		const path = new URL(`./agents/${name}.js`, import.meta.url).pathname;
		return this.start(namespace, process.execPath, [path, ...words]);
	}

	killAll(): void {
		for (const peer of this.#peers) peer.kill();
	}
}

/** Fields 14 and 15 of /proc/PID/stat, all threads together, at 100 ticks a second (proc(5), USER_HZ). */
export async function cpuMs(pid: number): Promise<number> {
	const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	return (Number(fields[11]) + Number(fields[12])) * 10;
}

export async function residentMb(pid: number): Promise<number> {
	const status = await readFile(`/proc/${pid}/status`, 'utf8');
	return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}
