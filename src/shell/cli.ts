#!/usr/bin/env node
/**
 * The entry of `ipvigil`: it hands the arguments to the program and turns whatever comes back into an exit code and,
 * on standard error, one sentence with what to do next.
 */
import { CommanderError } from 'commander';
import { describeExit, exits, toExit } from './errors.js';
import { makeProgram } from './program.js';

/**
 * A reader that has enough (`ipvigil table | head`) is no failure of ours. A command that has files to close hears of it
 * as the signal that other programs get.
 */
function endOnBrokenOutput(error: NodeJS.ErrnoException): void {
	if (error.code !== 'EPIPE') {
		process.stderr.write(`ipvigil: the output cannot be written: ${error.message}\n`);
		process.exit(exits.failure.code);
	}
	if (process.listenerCount('SIGPIPE') > 0) process.emit('SIGPIPE');
	else process.exit(exits.ok.code);
}

/** Nobody reads what is said beside the output (`ipvigil trace 2>&1 | head`); that must not cut short what is being closed. */
function speakToNobody(error: NodeJS.ErrnoException): void {
	if (error.code !== 'EPIPE') throw error;
}

/** Commander has written its message already, and help that was asked for is no error. */
function exitCodeOf(error: unknown): number {
	if (error instanceof CommanderError) return error.exitCode === 0 ? exits.ok.code : exits.usage.code;
	const exit = toExit(error);
	process.stderr.write(describeExit(exit));
	return exit.code;
}

process.title = 'ipvigil';
process.stdout.on('error', endOnBrokenOutput);
process.stderr.on('error', speakToNobody);
try {
	await makeProgram().parseAsync();
} catch (error) {
	process.exitCode = exitCodeOf(error);
}
