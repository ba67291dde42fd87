/**
 * Processes in the guest: programs run to their end in a node's namespace, and background ones that end with their
 * scenario. `nsenter --net`, not `ip netns exec`: that one remounts /sys and so hides bpffs and tracefs.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Background } from './scenario.js';

const run = promisify(execFile);

/** A program that a scenario waits for; nothing it runs takes a tenth of this. */
const execLimitMs = 60_000;
/** Lines kept of a background program: a talkative one loses its oldest. */
const linesKept = 20_000;

function inNamespace(namespace: string | undefined, program: string, args: string[]): [string, string[]] {
	return namespace === undefined ? [program, args] : ['nsenter', [`--net=/run/netns/${namespace}`, program, ...args]];
}

export async function exec(namespace: string | undefined, program: string, ...args: string[]): Promise<string> {
	const [file, argv] = inNamespace(namespace, program, args);
	try {
		return (await run(file, argv, { timeout: execLimitMs, maxBuffer: 16 << 20 })).stdout;
	} catch (error) {
		const { stderr, message } = error as { stderr?: string; message: string };
		throw new Error(
			`${[program, ...args].join(' ').slice(0, 400)} in ${namespace ?? 'the guest'}: ${stderr?.trim() || message}`,
		);
	}
}

/** A whole shell script for one exec. */
export function script(namespace: string | undefined, text: string): Promise<string> {
	return exec(namespace, 'sh', '-euc', text);
}

/** Background programs by scenario, so that none survives it. */
export class Processes {
	readonly #running = new Set<BackgroundProcess>();

	start(namespace: string, program: string, args: string[], env: Record<string, string> = {}): BackgroundProcess {
		const [file, argv] = inNamespace(namespace, program, args);
		const child = spawn(file, argv, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
		const started = new BackgroundProcess(program, child);
		this.#running.add(started);
		return started;
	}

	async killAll(): Promise<void> {
		await Promise.all([...this.#running].map((each) => each.kill()));
	}

	/** What all of them wrote, for the scenario's output.log. */
	output(): string {
		return [...this.#running]
			.map(({ name, lines, ended }) => `== ${name} (${ended})\n${lines.join('\n')}\n`)
			.join('\n');
	}
}

/** nsenter execs its program, so the child's pid is the program's own. */
export class BackgroundProcess implements Background {
	readonly lines: string[] = [];
	ended: number | string | undefined;
	readonly #child: ChildProcess;
	readonly #end: Promise<number | string>;

	constructor(
		readonly name: string,
		child: ChildProcess,
	) {
		this.#child = child;
		for (const stream of [child.stdout, child.stderr]) {
			if (stream) createInterface({ input: stream }).on('line', (line) => this.#keep(line));
		}
		this.#end = new Promise((resolve) => {
			const end = (how: number | string) => {
				this.ended ??= how;
				resolve(this.ended);
			};
			child.once('error', (error) => end(error.message));
			child.once('close', (code, signal) => end(signal ?? code ?? 'ended'));
		});
	}

	get pid(): number {
		return this.#child.pid ?? 0;
	}

	/** Called for each line as it comes. */
	onLine: (line: string) => void = () => undefined;

	#keep(line: string): void {
		if (this.lines.push(line) > linesKept) this.lines.shift();
		this.onLine(line);
	}

	signal(name: NodeJS.Signals): void {
		this.#child.kill(name);
	}

	async stop(limitMs = 15_000): Promise<number | string> {
		this.#child.kill('SIGTERM');
		let late: NodeJS.Timeout | undefined;
		const limit = new Promise<never>((_, reject) => {
			late = setTimeout(() => reject(new Error(`${this.name} did not stop within ${limitMs} ms of SIGTERM`)), limitMs);
		});
		try {
			return await Promise.race([this.#end, limit]);
		} finally {
			clearTimeout(late);
			this.#child.kill('SIGKILL');
		}
	}

	async kill(): Promise<void> {
		this.#child.kill('SIGKILL');
		await this.#end;
	}
}
