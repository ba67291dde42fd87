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
function endQuietlyOnBrokenPipe(error: NodeJS.ErrnoException): void {
	if (error.code !== 'EPIPE') throw error;
	if (process.listenerCount('SIGPIPE') > 0) process.emit('SIGPIPE');
	else process.exit(exits.ok.code);
}

/** Commander has written its message already, and help that was asked for is no error. */
function exitCodeOf(error: unknown): number {
	if (error instanceof CommanderError) return error.exitCode === 0 ? exits.ok.code : exits.usage.code;
	const exit = toExit(error);
	process.stderr.write(describeExit(exit));
	return exit.code;
}

process.title = 'ipvigil';
process.stdout.on('error', endQuietlyOnBrokenPipe);
try {
	await makeProgram().parseAsync();
} catch (error) {
	process.exitCode = exitCodeOf(error);
}
