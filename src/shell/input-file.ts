/** Opens the recordings that the operator wants read: a file, or `-` for standard input. */
import { createReadStream, openSync } from 'node:fs';
import { OperatorError } from './errors.js';

/** @throws OperatorError of kind `usage`, where open(2) refuses. */
export function openInput(file: string): AsyncIterable<Uint8Array> {
	if (file === '-') return process.stdin;
	try {
		return createReadStream(file, { fd: openSync(file, 'r') });
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		throw new OperatorError(
			'usage',
			`The recording cannot be read: ${reason}`,
			'Name a file, or - for standard input.',
		);
	}
}
