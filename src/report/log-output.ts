/**
 * Where the log's lines leave the process. A log that cannot be written never stops, delays or ends the daemon: lines
 * wait in bounded memory while a reader is slow, and are lost and counted where the disk is full, the reader has gone or
 * nobody reads. Each further line tries again, so that the log goes on by itself. What is in a line it does not know.
 */
import { constants, openSync, write } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { isatty } from 'node:tty';
import { promisify } from 'node:util';

const writeSome = promisify(write);

/** What a reader that has stopped reading may leave waiting: some minutes of a busy log. */
const waitingLengthMax = 1_048_576;
/** A full pipe is looked at again after this: 64 KiB in each of them are more than any storm of lines. */
const retryMs = 50;
/** The longest that `close` waits for a reader that does not read. */
const closeWaitMs = 1_000;

const newline = Buffer.from('\n');

export class LogOutput {
	readonly #fd: number;
	#waiting: string[] = [];
	/** Of what waits and of what is being written. */
	#length = 0;
	#lost = 0;
	#lostTold = 0;
	#writing: Promise<void> | undefined;
	/** What was written last ends within a line. */
	#torn = false;
	#closed = false;
	/** Told how many lines have been lost since the start, when lines are written again after some were. */
	onAgain: (lost: number) => void = () => {};

	/** @param fd Must not block where its reader may be slow; standard output is made so. */
	constructor(fd: number = standardOutput()) {
		this.#fd = fd;
	}

	/** Lines that were not written, or not wholly. */
	get lost(): number {
		return this.#lost;
	}

	/** One line, or lost. */
	write(line: string): void {
		if (this.#closed || this.#length + line.length > waitingLengthMax) {
			this.#lost++;
			return;
		}
		this.#waiting.push(line);
		this.#length += line.length;
		this.#writing ??= this.#drain();
	}

	/** Resolves when everything is written or lost, or its reader was waited for in vain. */
	async close(): Promise<void> {
		await Promise.race([this.#writing, setTimeout(closeWaitMs, undefined, { ref: false })]);
		this.#closed = true;
	}

	async #drain(): Promise<void> {
		while (this.#waiting.length > 0) {
			const text = this.#waiting.splice(0).join('');
			const written = await this.#put(Buffer.from(text));
			this.#length -= text.length;
			if (written) this.#tellLost();
		}
		this.#writing = undefined;
	}

	/** False where some of it was lost. */
	async #put(lines: Buffer): Promise<boolean> {
		let rest = lines;
		try {
			if (this.#torn) await this.#putSome(newline);
			while (rest.length > 0) rest = rest.subarray(await this.#putSome(rest));
			return true;
		} catch {
			// There is nowhere to tell it but the count: what cannot be written is the log itself.
			this.#lost += rest.filter((octet) => octet === newline[0]).length;
			return false;
		}
	}

	/** At least one octet, as soon as there is room; how many. */
	async #putSome(octets: Buffer): Promise<number> {
		for (;;) {
			try {
				const { bytesWritten } = await writeSome(this.#fd, octets);
				this.#torn = octets[bytesWritten - 1] !== newline[0];
				return bytesWritten;
			} catch (error) {
				if ((error as NodeJS.ErrnoException).code !== 'EAGAIN' || this.#closed) throw error;
			}
			await setTimeout(retryMs);
		}
	}

	#tellLost(): void {
		if (this.#lost === this.#lostTold) return;
		this.#lostTold = this.#lost;
		this.onAgain(this.#lost);
	}
}

/**
 * Non-blocking wherever that is possible, because a thread that hangs in write(2) keeps a process from ending. Pipes and
 * sockets become so when Node opens its `process.stdout`. Terminals it leaves blocking (tty.WriteStream), and a stopped
 * one (Ctrl-S) would hold us up: ours is opened for itself. Files never say EAGAIN, and have no reader to wait for.
 */
function standardOutput(): number {
	const { fd } = process.stdout;
	if (!isatty(fd)) return fd;
	try {
		return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
	} catch {
		// Another user's terminal, after su(1): written as it is.
		return fd;
	}
}
