/**
 * One boot from the host's side: writes the plan, starts the machine, reads events as they come, ends it in time.
 */
import { mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LabEvent, Plan } from './events.js';
import { ensureKernel, type KernelName, type Say } from './kernel.js';
import { buildDirectory } from './place.js';
import { ensureTools } from './tools.js';
import { boot, type Machine } from './vm.js';

/** 6 to 13 s under emulation on a quiet machine, 45 s were seen under load. */
const bootLimitMs = 180_000;
/** Scenarios end themselves by their own limit in guest time; beyond it the guest is stuck. */
const scenarioLimitMs = 600_000;
const powerOffLimitMs = 60_000;
const readEveryMs = 100;
/** Directories of earlier runs that are kept for reading. */
const runsKept = 5;

export interface Outcome {
	scenario: string;
	blind: boolean;
	tookMs: number;
	/** undefined where it went as the scenario says. */
	failure: string | undefined;
	facts: Record<string, string | number | boolean>;
}

export interface SessionOptions {
	kernel: KernelName;
	runs: Plan['runs'];
	say: Say;
	/** Each event as it arrives, for the timeline. */
	onEvent?: (event: LabEvent) => void;
	/** As soon as a run is over. */
	onOutcome?: (outcome: Outcome) => void;
}

/** A machine that ended before its first word is a mishap of the emulator. */
class NeverReady extends Error {}

/** Emulators stumble over a booting kernel now and then (seen with QEMU 7.2); three times in a row is something else. */
const bootsTried = 3;

/** Runs the plan in one guest. Throws where the machine fails; a failing scenario is an outcome. */
export async function runScenarios(options: SessionOptions): Promise<Outcome[]> {
	for (let tried = 1; ; tried++) {
		try {
			return await runOnce(options);
		} catch (error) {
			if (!(error instanceof NeverReady) || tried === bootsTried) throw error;
			options.say(`${error.message}; booting again`);
		}
	}
}

async function runOnce({ kernel: name, runs, say, onEvent, onOutcome }: SessionOptions): Promise<Outcome[]> {
	const { machine, share } = await launch(name, { runs, shell: false }, say);
	const outcomes: Outcome[] = [];
	let facts: Outcome['facts'] = {};
	let ready = false;
	const take = (event: LabEvent) => {
		ready = true;
		if (event.kind === 'begin') facts = {};
		if (event.kind === 'fact') facts[event.name] = event.value;
		onEvent?.(event);
		if (event.kind !== 'end') return;
		const run = runs[outcomes.length];
		if (run?.scenario !== event.scenario)
			throw new Error(`the guest ended ${event.scenario} where ${run?.scenario} was planned`);
		const outcome = { ...run, tookMs: event.tookMs, failure: event.failure, facts };
		outcomes.push(outcome);
		onOutcome?.(outcome);
	};
	try {
		await follow(machine, join(share, 'events.ndjson'), take, () => outcomes.length === runs.length);
	} catch (error) {
		throw new Error(`${(error as Error).message}; see ${share}/console.log`);
	} finally {
		machine.kill();
	}
	if (!ready) throw new NeverReady(`the guest ended while it booted; its console:\n${await lastWords(share)}`);
	if (outcomes.length < runs.length)
		throw new Error(`the guest ended after ${outcomes.length} of ${runs.length} runs; see ${share}/console.log`);
	return outcomes;
}

/** The end of the console: a panic's call trace or what guest.sh complained of. */
async function lastWords(share: string): Promise<string> {
	const text = await readFile(join(share, 'console.log'), 'utf8').catch(() => '');
	return text.trim().split(/\r?\n/).slice(-25).join('\n');
}

/** A director to play with, on this terminal. Resolves when it is off. */
export async function runShell(name: KernelName, say: Say): Promise<void> {
	const { machine } = await launch(name, { runs: [], shell: true }, say);
	await machine.ended;
}

async function launch(name: KernelName, plan: Plan, say: Say): Promise<{ machine: Machine; share: string }> {
	const kernel = await ensureKernel(name, say);
	await ensureTools();
	const share = await newShare(name);
	await writeFile(join(share, 'plan.json'), JSON.stringify(plan));
	return { machine: await boot({ kernel, share, interactive: plan.shell, say }), share };
}

async function newShare(name: KernelName): Promise<string> {
	const parent = join(buildDirectory, 'runs');
	const share = join(parent, `${new Date().toISOString().replaceAll(/[:.]/g, '-')}-${name}`);
	await mkdir(share, { recursive: true });
	const old = (await readdir(parent)).sort().slice(0, -runsKept);
	await Promise.all(old.map((each) => rm(join(parent, each), { recursive: true, force: true })));
	return share;
}

/** Hands on each whole line of a growing file until the machine is off; each silence is bounded by what is under way. */
async function follow(
	machine: Machine,
	file: string,
	take: (event: LabEvent) => void,
	done: () => boolean,
): Promise<void> {
	let ended = false;
	let failure: Error | undefined;
	machine.ended.then(
		() => (ended = true),
		(error: Error) => {
			ended = true;
			failure = error;
		},
	);
	let lastMs = Date.now();
	let limitMs = bootLimitMs;
	const lines = new GrowingFile(file);
	for (;;) {
		const wasEnded = ended;
		for (const line of await lines.read()) {
			take(JSON.parse(line) as LabEvent);
			lastMs = Date.now();
			limitMs = done() ? powerOffLimitMs : scenarioLimitMs;
		}
		if (failure) throw failure;
		if (wasEnded) return;
		if (Date.now() - lastMs > limitMs) {
			if (done()) return;
			throw new Error(`nothing from the guest for ${limitMs / 1000} s`);
		}
		await sleep(readEveryMs);
	}
}

class GrowingFile {
	#offset = 0;
	#rest = '';

	constructor(readonly path: string) {}

	/** Whole lines since the last reading; none where the file does not exist yet. */
	async read(): Promise<string[]> {
		const handle = await open(this.path).catch(() => undefined);
		if (!handle) return [];
		try {
			const { size } = await handle.stat();
			const { bytesRead, buffer } = await handle.read(
				Buffer.alloc(size - this.#offset),
				0,
				size - this.#offset,
				this.#offset,
			);
			this.#offset += bytesRead;
			const lines = (this.#rest + buffer.toString('utf8', 0, bytesRead)).split('\n');
			this.#rest = lines.pop() ?? '';
			return lines;
		} finally {
			await handle.close();
		}
	}
}
