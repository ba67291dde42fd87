/** `npm run lab`: real directors in virtual machines, from the command line. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { ensureKernel, type KernelName, kernelNames } from './kernel.js';
import { planFor } from './plan.js';
import type { Scenario } from './scenario.js';
import { loadScenarios } from './scenarios.js';
import { runScenarios, runShell } from './session.js';
import { asItShould, Timeline } from './timeline.js';

const say = (sentence: string) => void process.stdout.write(`${sentence}\n`);
const kernelOption = () =>
	new Option('-k, --kernel <series>', 'Debian kernel to boot').choices(kernelNames).default('6.1');

const program = new Command('lab')
	.description('Real IPVS directors, clients and servers in a virtual machine with a stock Debian kernel.')
	.argument('[scenarios...]', 'scenarios by name, or "all" for every one that the kernel has')
	.addOption(kernelOption())
	.option('-b, --blind', "switch the scenario's signal off: it must then fail")
	.addHelpText(
		'after',
		'\nExit code: 0 when all went as it should, 1 when a scenario did not, 2 when the lab itself failed.',
	)
	.action(async (names: string[], options: { kernel: KernelName; blind?: boolean }) => {
		if (names.length === 0) return program.help({ error: true });
		await run(names, options.kernel, options.blind ?? false);
	});

program.command('list').description('the scenarios').action(list);
program
	.command('shell')
	.description('a director to play with, on this terminal')
	.addOption(kernelOption())
	.action((_options, command: Command) => runShell(command.optsWithGlobals<{ kernel: KernelName }>().kernel, say));
program
	.command('kernels')
	.description('fetch kernels into the cache (all, or those named)')
	.argument('[series...]', kernelNames.join(', '), series, [])
	.action(async (names: KernelName[]) => {
		for (const name of names.length > 0 ? names : kernelNames)
			say(`kernel ${name}: ${(await ensureKernel(name, say)).release}`);
	});

function series(value: string, earlier: KernelName[]): KernelName[] {
	const name = kernelNames.find((each) => each === value);
	if (!name) throw new InvalidArgumentError(`one of ${kernelNames.join(', ')}`);
	return [...earlier, name];
}

async function list(): Promise<void> {
	for (const { name, sentence, signal, kernels, ci } of await loadScenarios()) {
		const notes = [
			...(signal ? [`--blind switches off: ${signal}`] : []),
			...(ci ? [`tested on ${ci.join(', ')}`] : []),
			...(kernels ? [kernels.length > 0 ? `kernels ${kernels.join(', ')}` : 'only by name'] : []),
		];
		say(`${name.padEnd(24)}${sentence}${notes.length > 0 ? ` (${notes.join('; ')})` : ''}`);
	}
}

async function run(names: string[], kernel: KernelName, blind: boolean): Promise<void> {
	const scenarios = await loadScenarios();
	const all = names.includes('all');
	const runs = all
		? planFor(scenarios, kernel, blind)
		: names.map((name) => ({ scenario: known(name, scenarios, blind), blind }));
	const timeline = new Timeline(say);
	const outcomes = await runScenarios({
		kernel,
		runs,
		say,
		onEvent: (event) => timeline.event(event),
		onOutcome: (outcome) => timeline.outcome(outcome),
	});
	// A blind run exits as its scenario ends: it must fail, so honest is 1. `all` judges for itself.
	const bad = outcomes.filter((each) => (all ? !asItShould(each) : each.failure !== undefined));
	process.exitCode = bad.length === 0 ? 0 : 1;
}

function known(name: string, scenarios: Scenario[], blind: boolean): string {
	const scenario = scenarios.find((each) => each.name === name);
	if (!scenario) throw new Error(`no scenario ${name}: see "npm run lab -- list"`);
	if (blind && !scenario.signal) throw new Error(`${name} names no signal to switch off`);
	return name;
}

for (const command of [program, ...program.commands]) command.exitOverride();
try {
	await program.parseAsync();
} catch (error) {
	// commander has already said what is wrong with the words, or printed the help that was asked for.
	if (!(error instanceof CommanderError)) process.stderr.write(`lab: ${(error as Error).message}\n`);
	process.exitCode = error instanceof CommanderError && error.exitCode === 0 ? 0 : 2;
}
