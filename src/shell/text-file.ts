/** Reads the files that the operator names. What is in them is for others to check. */
import { readFileSync } from 'node:fs';
import { OperatorError } from './errors.js';

/** @param what How messages call it: `configuration`, `rules`. @throws OperatorError of kind `usage`, with the remedy. */
export function readTextFile(file: string, what: string, remedy: string): string {
	try {
		return readFileSync(file, 'utf8');
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		throw new OperatorError('usage', `The ${what} ${file} cannot be read: ${reason}`, remedy);
	}
}
