/**
 * The log: NDJSON on standard output, for the service manager's journal to keep. What happened to destinations belongs
 * in the journal (`journal.ts`); the log speaks of ipvigil itself. How its lines are written is in `log-output.ts`.
 */
import { type Level, type Logger, pino, stdTimeFunctions } from 'pino';
import { LogOutput } from './log-output.js';

export type LogLevel = Level | 'silent';

export type Log = Logger & {
	/** Lines that could not be written. */
	lost(): number;
	/** Waits for what can still be written, for a second at most. */
	close(): Promise<void>;
};

/** @param output Where the lines go; standard output, written off the decision's path, unless told otherwise. */
export function createLog(level: LogLevel, output: LogOutput = new LogOutput()): Log {
	const log = pino(
		{
			level,
			// The host's name is the service manager's to add.
			base: { pid: process.pid },
			timestamp: stdTimeFunctions.isoTime,
			formatters: { level: (label) => ({ level: label }) },
		},
		output,
	);
	output.onAgain = (lost) => log.warn({ lost }, 'the log is written again; lines of it have been lost since the start');
	return Object.assign(log, { lost: () => output.lost, close: () => output.close() });
}
