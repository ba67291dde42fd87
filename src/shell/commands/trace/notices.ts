/**
 * What a command has to say beside its output: sentences on standard error, for people. The parts that the daemon uses
 * too speak to a log; here their lines become such sentences.
 */
import { type Logger, pino } from 'pino';

export function notice(sentence: string): void {
	process.stderr.write(`ipvigil: ${sentence}\n`);
}

/** A log whose lines read `ipvigil: watching an interface (interface eth1, method tcx)`. */
export function noticeLog(write: (sentence: string) => void = notice): Logger {
	const stream = { write: (line: string) => write(sentenceOf(JSON.parse(line))) };
	return pino({ base: null, timestamp: false, level: 'info' }, stream);
}

function sentenceOf({ msg, level: _, err, ...fields }: Record<string, unknown>): string {
	const reason = err instanceof Object && 'message' in err ? { reason: err.message } : {};
	const said = Object.entries({ ...fields, ...reason }).map(([name, value]) => `${name} ${value}`);
	return said.length === 0 ? String(msg) : `${msg} (${said.join(', ')})`;
}
