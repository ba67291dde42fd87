/** Opens the files that the operator wants written. What goes into them is for others to know. */
import { OperatorError } from './errors.js';

/** @throws OperatorError of kind `usage`, where open(2) refuses. */
export function openOutput<File>(open: () => File): File {
	try {
		return open();
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		throw new OperatorError(
			'usage',
			`The file cannot be written: ${reason}`,
			'Name a file in a directory that exists.',
		);
	}
}
