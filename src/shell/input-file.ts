/** Opens the recordings that the operator wants read: a file, or `-` for standard input. */
import { createReadStream, fstatSync, openSync } from 'node:fs';
import { OperatorError } from './errors.js';

/** @throws OperatorError of kind `usage`, where open(2) refuses, and for a directory. */
export function openInput(file: string): AsyncIterable<Uint8Array> {
	if (file === '-') return process.stdin;
	try {
		const fd = openSync(file, 'r');
		if (fstatSync(fd).isDirectory()) throw new Error(`${file} is a directory`);
		return createReadStream(file, { fd });
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		throw new OperatorError(
			'usage',
			`The recording cannot be read: ${reason}`,
			'Name a file, or - for standard input.',
		);
	}
}
