/**
 * A file that is written beside the work and never holds it up: what the disk has not taken yet waits in bounded
 * memory, what is too much is dropped and counted, and a size that was agreed on is never passed. Recordings and packet
 * captures are written by it; what is in them it does not know.
 */
import { createWriteStream, openSync, type WriteStream } from 'node:fs';

export interface BoundedFileOptions {
	octetsMax: number;
	/** The disk said no (ENOSPC, EIO): told once, and nothing more is written. */
	onError: (error: Error) => void;
}

/** What a disk that stalls may leave in memory: two seconds of the fullest ring. */
const waitingOctetsMax = 8 * 1024 * 1024;

/** Clients' addresses and packets are in these files: nobody else's business. */
const fileMode = 0o600;

export class BoundedFile {
	readonly #stream: WriteStream;
	readonly #octetsMax: number;
	#octets = 0;
	#dropped = 0;
	#failed = false;

	/** An existing file begins anew. @throws what open(2) said. */
	constructor(path: string, { octetsMax, onError }: BoundedFileOptions) {
		this.#octetsMax = octetsMax;
		this.#stream = createWriteStream(path, { fd: openSync(path, 'w', fileMode) });
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

	/** One piece, whole or not at all. */
	write(piece: Uint8Array): void {
		if (this.#failed || !this.fits(piece.length) || this.#stream.writableLength > waitingOctetsMax) {
			this.#dropped++;
			return;
		}
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
