/**
 * A file that is written beside the work and never holds it up: what the disk has not taken yet waits in bounded
 * memory, what is too much is dropped and counted, and a size that was agreed on is never passed. Recordings and packet
 * captures are written by it; what is in them it does not know.
 */
import { closeSync, constants, createWriteStream, fstatSync, openSync, type WriteStream } from 'node:fs';

export interface BoundedFileOptions {
	/**
	 * What the file begins with. It is written with the first piece: a start that fails before there is any leaves a file
	 * that the next one may take.
	 */
	head: Uint8Array;
	octetsMax: number;
	/** The disk said no (ENOSPC, EIO): told once, and nothing more is written. */
	onError: (error: Error) => void;
}

/** What a disk that stalls may leave in memory: two seconds of the fullest ring. */
const waitingOctetsMax = 8 * 1024 * 1024;

/** Clients' addresses and packets are in these files: nobody else's business. */
const fileMode = 0o600;

/** There is something in the file already. */
export class FileTakenError extends Error {
	constructor(path: string) {
		super(`${path} has something in it already, and is left as it is.`);
		this.name = 'FileTakenError';
	}
}

/**
 * What is in a file may be all that is left of a crash, and a supervisor starts the same command again: it is never
 * written over. Pipes and devices have no size.
 */
function openFresh(path: string): number {
	const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT, fileMode);
	if (fstatSync(fd).size === 0) return fd;
	closeSync(fd);
	throw new FileTakenError(path);
}

export class BoundedFile {
	readonly #stream: WriteStream;
	readonly #head: Uint8Array;
	readonly #octetsMax: number;
	#octets: number;
	#begun = false;
	#dropped = 0;
	#failed = false;

	/** @throws FileTakenError where the file has something in it, or what open(2) said. */
	constructor(path: string, { head, octetsMax, onError }: BoundedFileOptions) {
		this.#head = head;
		this.#octets = head.length;
		this.#octetsMax = octetsMax;
		this.#stream = createWriteStream(path, { fd: openFresh(path) });
		this.#stream.on('error', (error) => {
			this.#failed = true;
			onError(error);
		});
	}

	/** Pieces that did not get into the file although there was room for them. */
	get dropped(): number {
		return this.#dropped;
	}

	/** Whether so many octets still fit. */
	fits(octets: number): boolean {
		return this.#octets + octets <= this.#octetsMax;
	}

	/** Whether there is anything in it. */
	get begun(): boolean {
		return this.#begun;
	}

	/** Its head is written even where no piece comes. */
	begin(): void {
		if (!this.#begun) this.#stream.write(this.#head);
		this.#begun = true;
	}

	/** One piece, whole or not at all. */
	write(piece: Uint8Array): void {
		if (this.#failed || !this.fits(piece.length) || this.#stream.writableLength > waitingOctetsMax) {
			this.#dropped++;
			return;
		}
		this.begin();
		this.#octets += piece.length;
		this.#stream.write(piece);
	}

	/** Resolves when the file has everything, or the disk has refused it and that was told. */
	close(): Promise<void> {
		return new Promise((resolve) => {
			if (this.#stream.closed) return resolve();
			this.#stream.once('close', resolve);
			this.#stream.end();
		});
	}
}
