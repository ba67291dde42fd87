/**
 * The command line as a whole: its verbs, its help and its version. What a verb does is in commands/, one file each;
 * they load what they need only when they run, so that `--help` answers at once.
 */
import { Command } from 'commander';
import { makeDoctorCommand } from './commands/doctor.js';
import { makeExplainCommand } from './commands/explain.js';
import { makeHoldCommand } from './commands/hold.js';
import { makeHooksCommand } from './commands/hooks.js';
import { makeReleaseCommand } from './commands/release.js';
import { makeReplayCommand } from './commands/replay.js';
import { makeResumeCommand } from './commands/resume.js';
import { makeRunCommand } from './commands/run.js';
import { makeTableCommand } from './commands/table.js';
import { makeTraceCommand } from './commands/trace.js';
import { exitTable } from './errors.js';
import { version } from './version.js';

/** Help is as wide as the source: it reads the same in a pipe, a pager and a golden file. */
const helpWidthColumns = 100;

export function makeProgram(): Command {
	const program = new Command('ipvigil')
		.description(
			'Early-warning agent for Linux Virtual Server (IPVS) directors: it tells the health checker within ' +
				'milliseconds what the kernel saw of a real server, and never replaces it.',
		)
		.version(version(), '-V, --version', 'print the version')
		.helpOption('-h, --help', 'print this help')
		.helpCommand('help [verb]', 'print the help of a verb')
		.addHelpText('after', `\n${exitTable()}`);
	for (const command of [
		makeRunCommand(),
		makeTableCommand(),
		makeTraceCommand(),
		makeReplayCommand(),
		makeExplainCommand(),
		makeReleaseCommand(),
		makeHoldCommand(),
		makeResumeCommand(),
		makeHooksCommand(),
		makeDoctorCommand(),
	])
		program.addCommand(command);
	for (const command of [program, ...program.commands]) settle(command);
	return program;
}

/** exitOverride makes commander throw instead of ending the process: the exit code is decided in one place, cli.ts. */
function settle(command: Command): void {
	command.exitOverride();
	command.configureOutput({ getOutHelpWidth: () => helpWidthColumns, getErrHelpWidth: () => helpWidthColumns });
	if (command.parent) command.helpOption('-h, --help', 'print this help');
}
