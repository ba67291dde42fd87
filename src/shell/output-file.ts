/** Opens the files that the operator wants written. What goes into them is for others to know. */
import { statSync } from 'node:fs';
import { FileTakenError } from '../capture/bounded-file.js';
import { OperatorError } from './errors.js';

/** @throws OperatorError of kind `usage` where writing `output` would destroy `other`, which is wanted too. */
export function keepApart(output: string, other: string): void {
	const [one, two] = [output, other].map((file) => statSync(file, { throwIfNoEntry: false }));
	const isSame = one && two ? one.dev === two.dev && one.ino === two.ino : output === other;
	if (isSame && !one?.isCharacterDevice())
		throw new OperatorError('usage', `${output} is named for two things.`, 'Name a file of its own for each.');
}

/** The file is not to be written over. */
export class OutputTakenError extends OperatorError {
	constructor(message: string) {
		super('usage', message, 'Move it away, or name another file.');
	}
}

/** @throws OperatorError of kind `usage`, where open(2) refuses, and where the file would be written over. */
export function openOutput<File>(open: () => File): File {
	try {
		return open();
	} catch (error) {
		if (error instanceof FileTakenError) throw new OutputTakenError(error.message);
		const reason = error instanceof Error ? error.message : String(error);
		throw new OperatorError(
			'usage',
			`The file cannot be written: ${reason}`,
			'Name a file in a directory that exists.',
		);
	}
}
