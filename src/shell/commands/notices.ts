/**
 * What a command has to say beside its output: sentences on standard error, for people. The parts that the daemon uses
 * too speak to a log; here their lines become such sentences.
 */
import { type Logger, pino } from 'pino';
import type { RecordingBlock } from '../../capture/recording.js';

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

/** Why a recording is over before the recorded time was; nothing where it was stopped in order. */
export function tellEnd(block: Extract<RecordingBlock, { kind: 'end' | 'torn' }>): void {
	if (block.kind === 'torn') notice(`the recording was torn: ${block.octets} octets at its end cannot be read`);
	else if (block.reason === 'full') notice('the recording was full: what came later is not in it');
	if (block.kind === 'end' && block.dropped > 0) notice(`${block.dropped} batches are missing: the disk was too slow`);
}
