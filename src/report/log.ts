/**
 * The log: NDJSON on standard output, for the service manager's journal to keep. What happened to destinations belongs
 * in the journal (`journal.ts`); the log speaks of ipvigil itself.
 */
import { type DestinationStream, destination, type Level, type Logger, pino, stdTimeFunctions } from 'pino';

export type LogLevel = Level | 'silent';

/**
 * What a reader of our output that has stopped reading may leave waiting; beyond it lines are lost, because a director
 * must not wait for its own log.
 */
const waitingBytesMax = 1_048_576;

/** @param stream Where the lines go; standard output, written off the decision's path, unless told otherwise. */
export function createLog(level: LogLevel, stream: DestinationStream = standardOutput()): Logger {
	return pino(
		{
			level,
			// The host's name is the service manager's to add.
			base: { pid: process.pid },
			timestamp: stdTimeFunctions.isoTime,
			formatters: { level: (label) => ({ level: label }) },
		},
		stream,
	);
}

function standardOutput(): DestinationStream {
	return destination({ dest: 1, sync: false, maxLength: waitingBytesMax });
}
