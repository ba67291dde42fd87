/**
 * `npm run test:sim`: many seeds, and what came of them as a table. `SEED=n npm run test:sim` replays one and tells its
 * story; the exit code is 1 where anything was violated.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { run } from './run.js';
import { Summary } from './summary.js';

const progressEveryMs = 5_000;

function say(sentence: string): void {
	process.stderr.write(`${sentence}\n`);
}

/** The ledger is real files: on tmpfs where there is one, as on a director. */
function workDirectory(): string {
	return mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ipvigil-sim-'));
}

async function replay(seed: number, directory: string): Promise<void> {
	const { story, violations } = await run(seed, { directory, told: true });
	for (const line of story) process.stdout.write(`${line}\n`);
	for (const { checker, atMs, detail } of violations)
		process.stdout.write(`VIOLATED ${checker} at ${(atMs / 1_000).toFixed(3)}: ${detail}\n`);
	if (violations.length > 0) process.exitCode = 1;
}

async function many(from: number, seeds: number, directory: string): Promise<void> {
	const summary = new Summary();
	const began = performance.now();
	let nextMs = began + progressEveryMs;
	for (let seed = from; seed < from + seeds; seed++) {
		const outcome = await run(seed, { directory });
		summary.add(outcome);
		for (const { checker, atMs, detail } of outcome.violations)
			say(`seed ${seed}, ${(atMs / 1_000).toFixed(3)} s: ${checker}: ${detail}`);
		if (performance.now() < nextMs) continue;
		nextMs += progressEveryMs;
		say(`${summary.seeds} of ${seeds} seeds, ${summary.violations} violations`);
	}
	process.stdout.write(`${summary.print(performance.now() - began)}\n`);
	if (summary.violations > 0) process.exitCode = 1;
}

function whole(value: string): number {
	const number = Number(value);
	if (!Number.isInteger(number) || number < 0) throw new InvalidArgumentError('a whole number');
	return number;
}

// Whoever reads only the beginning of a story has seen enough.
process.stdout.on('error', () => {});

const program = new Command('test:sim')
	.description('Simulated worlds against the shipped judge and executor, with checkers after every step.')
	.option('--seeds <number>', 'how many', whole, 2_000)
	.option('--from <seed>', 'the first one', whole, 0)
	.addHelpText('after', '\nSEED=n in the environment replays that one and prints its story.')
	.action(async ({ seeds, from }: { seeds: number; from: number }) => {
		const directory = workDirectory();
		try {
			const { SEED: one } = process.env;
			await (one === undefined ? many(from, seeds, directory) : replay(whole(one), directory));
		} finally {
			rmSync(directory, { recursive: true, force: true });
		}
	});

try {
	await program.parseAsync();
} catch (error) {
	say(`test:sim: ${(error as Error).message}`);
	process.exitCode = 1;
}
