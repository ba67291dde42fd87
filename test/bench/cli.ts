/**
 * `npm run bench`: measures, prints, judges nothing but the goals. A missed goal is printed as missed and is no error,
 * because a busy machine misses goals too; the exit code is 1 only where a figure broke.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Figure } from './figure.js';
import { decision } from './figures/decision.js';
import { floodFigure } from './figures/flood.js';
import { forwarding } from './figures/forwarding.js';
import { hooks } from './figures/hooks.js';
import { lab } from './figures/lab.js';
import { memory } from './figures/memory.js';
import { programs } from './figures/programs.js';
import { scale } from './figures/scale.js';
import { startFigure } from './figures/start.js';
import { asData, closingLine, type Result, resultLines } from './print.js';
import { Processes } from './processes.js';

const figures: readonly Figure[] = [
	programs,
	memory,
	forwarding,
	decision,
	floodFigure,
	startFigure,
	scale,
	hooks,
	lab,
];
const names = figures.map(({ name }) => name);

interface Options {
	only: string[];
	quick?: boolean;
	output: 'text' | 'json';
}

const began = Date.now();

/** To standard error, so that `-o json` stays alone on standard output. */
function say(sentence: string): void {
	process.stderr.write(`[${((Date.now() - began) / 1000).toFixed(1).padStart(6)} s] ${sentence}\n`);
}

/** Of the figure under way: when they end, it ends too, and takes its network down. */
let underWay: Processes | undefined;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const)
	process.on(signal, () => {
		interrupted = true;
		underWay?.killAll();
	});

async function measure(figure: Figure, quick: boolean): Promise<Result> {
	const startMs = Date.now();
	const processes = new Processes();
	underWay = processes;
	const directory = await mkdtemp(join(tmpdir(), `ipvigil-bench-${figure.name}-`));
	say(`${figure.name}: ${figure.sentence}`);
	const result: Result = { figure, rows: [], failure: undefined, tookMs: 0 };
	try {
		result.rows = await figure.run({ quick, say, directory, processes });
	} catch (error) {
		result.failure = error instanceof Error ? error.message : String(error);
	} finally {
		processes.killAll();
		await rm(directory, { recursive: true, force: true });
		result.tookMs = Date.now() - startMs;
	}
	return result;
}

function conditions(quick: boolean) {
	const load = loadavg().map((value) => value.toFixed(2));
	return { kernel: release(), node: process.version, cpus: cpus().length, model: cpus()[0]?.model, load, quick };
}

async function run({ only, quick = false, output }: Options): Promise<void> {
	if (process.getuid?.() !== 0) throw new Error('namespaces and BPF need root');
	const chosen = only.length === 0 ? figures : figures.filter(({ name }) => only.includes(name));
	const machine = conditions(quick);
	const say = (line: string) => output === 'text' && process.stdout.write(`${line}\n`);
	say(
		`kernel ${machine.kernel}, Node ${machine.node}, ${machine.cpus} x ${machine.model}, load ${machine.load.join(' ')}`,
	);
	const results: Result[] = [];
	for (const figure of chosen) {
		if (interrupted) throw new Error('interrupted');
		const result = await measure(figure, quick);
		results.push(result);
		for (const line of resultLines(result)) say(line);
	}
	say(closingLine(results));
	if (output === 'json')
		process.stdout.write(`${JSON.stringify({ machine, figures: results.map(asData) }, null, '\t')}\n`);
	if (results.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
}

function figureName(value: string, earlier: string[]): string[] {
	if (!names.includes(value)) throw new InvalidArgumentError(`one of ${names.join(', ')}`);
	return [...earlier, value];
}

const program = new Command('bench')
	.description('What ipvigil costs and how soon it acts, as ratios measured side by side in one run.')
	.option('--only <name>', `only this figure, may be repeated: ${names.join(', ')}`, figureName, [])
	.option('--quick', 'a tenth of the rounds: shows that it works, is nothing to quote')
	.addOption(new Option('-o, --output <form>', 'form of the result').choices(['text', 'json']).default('text'))
	.addHelpText('after', '\nExit code: 0 also where a goal is missed (it is printed as missed), 1 where a figure broke.')
	.action(run);

try {
	await program.parseAsync();
} catch (error) {
	process.stderr.write(`bench: ${(error as Error).message}\n`);
	process.exitCode = 1;
}
