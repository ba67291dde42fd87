/** A file whose reader is held up in the middle of it: what a test wants to happen just then, happens just then. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { constants, renameSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Makes `file` a named pipe, and waits for its reader, for 15 s at most. What is returned lets the reader go on. */
export async function heldUp(file: string, text: string): Promise<() => Promise<void>> {
	execFileSync('mkfifo', [`${file}.pipe`]);
	renameSync(`${file}.pipe`, file);
	const writer = await openWriter(file);
	// Whoever reads it a second time finds a file.
	writeFileSync(`${file}.text`, text);
	renameSync(`${file}.text`, file);
	return async () => {
		await writer.writeFile(text);
		await writer.close();
	};
}

/** Without waiting in open(2), in which a thread would keep a failing test from ending (fifo(7): ENXIO). */
async function openWriter(file: string): Promise<FileHandle> {
	for (let tries = 0; tries < 750; tries++) {
		try {
			return await open(file, constants.O_WRONLY | constants.O_NONBLOCK);
		} catch (error) {
			assert.equal((error as NodeJS.ErrnoException).code, 'ENXIO');
		}
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
	assert.fail(`nobody reads ${file}`);
}
