/**
 * The journal: the history of what ipvigil saw, decided and did, as NDJSON segments on disk for `events` and `explain`.
 *
 * It is written off the decision's path: `write` puts a line into a bounded queue, and a disk that is slow, full or
 * gone costs lines of history, counted and told, never a decision. A failed write is told once and tried again.
 * The ledger of leases is another thing (`remedy/ledger.ts`); nothing here is needed to undo anything.
 */
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalEntry } from '../judge/action.js';
import { segmentName, segmentNumbers } from './segments.js';

export interface JournalOptions {
	directory: string;
	/** A segment that has grown to this is closed and the next one begun. */
	segmentBytes: number;
	/** The oldest segment goes when there are more. */
	segments: number;
	/** Lines waiting for the disk, some 500 octets each. */
	waitingMax?: number;
	/** How long a failed write waits for the next try. */
	retryMs?: number;
	/** Told once when writing begins to fail, and once when it works again. */
	onTrouble?: (sentence: string) => void;
}

export interface JournalLosses {
	/** Lines that found the queue full. */
	dropped: number;
	/** Writes that failed (each is tried again). */
	failedWrites: number;
}

/** Lines that go to the disk in one write: enough for any storm, little enough to stay near the segment's size. */
const linesPerWriteMax = 512;
/** The longest that `close` waits for a disk that does not answer. */
const closeWaitMs = 2_000;

interface Segment {
	handle: FileHandle;
	number: number;
	bytes: number;
}

export class Journal {
	readonly #options: Required<JournalOptions>;
	readonly #waiting: string[] = [];
	readonly #losses: JournalLosses = { dropped: 0, failedWrites: 0 };
	#segment: Segment | undefined;
	#draining: Promise<void> | undefined;
	#retry: NodeJS.Timeout | undefined;
	#troubled = false;
	#closed = false;

	constructor(options: JournalOptions) {
		this.#options = { waitingMax: 8_192, retryMs: 5_000, onTrouble: () => {}, ...options };
	}

	get losses(): Readonly<JournalLosses> {
		return this.#losses;
	}

	/**
	 * Queues one line.
	 * @param bootMs The boot clock, milliseconds: the time that the judge saw.
	 * @param at The wall clock, for people.
	 */
	write(entry: JournalEntry, bootMs: number, at: Date): void {
		if (this.#closed || this.#waiting.length >= this.#options.waitingMax) {
			this.#losses.dropped += 1;
			return;
		}
		this.#waiting.push(`${JSON.stringify({ at: at.toISOString(), bootMs, ...entry })}\n`);
		if (!this.#retry) this.#start();
	}

	/**
	 * Writes what is queued and closes the file; gives up, counting what is left, when the disk does not answer.
	 * Never rejects: what a stop does after it is worth more than the last lines.
	 */
	async close(): Promise<void> {
		this.#closed = true;
		clearTimeout(this.#retry);
		this.#retry = undefined;
		this.#start();
		let timer: NodeJS.Timeout | undefined;
		const late = new Promise<void>((resolve) => {
			timer = setTimeout(resolve, closeWaitMs);
		});
		await Promise.race([this.#end(), late]);
		clearTimeout(timer);
		clearTimeout(this.#retry);
		this.#losses.dropped += this.#waiting.splice(0).length;
	}

	/** Some file systems report a failed write only here (close(2): NFS, quotas). */
	async #end(): Promise<void> {
		try {
			await this.#draining;
			await this.#segment?.handle.close();
		} catch (error) {
			this.#losses.failedWrites += 1;
			this.#options.onTrouble(
				`the journal could not be closed (${(error as Error).message}); its last lines may be missing`,
			);
		}
	}

	#start(): void {
		this.#draining ??= this.#drain().finally(() => {
			this.#draining = undefined;
		});
	}

	async #drain(): Promise<void> {
		while (this.#waiting.length > 0) {
			const lines = this.#waiting.slice(0, linesPerWriteMax);
			try {
				await this.#append(lines.join(''));
				this.#waiting.splice(0, lines.length);
				this.#wellAgain();
			} catch (error) {
				await this.#failed(error as Error);
				return;
			}
		}
	}

	async #append(text: string): Promise<void> {
		let segment = this.#segment ?? (await this.#openNewest());
		if (segment.bytes >= this.#options.segmentBytes) segment = await this.#rotate(segment);
		await segment.handle.appendFile(text);
		segment.bytes += Buffer.byteLength(text);
	}

	async #openNewest(): Promise<Segment> {
		await mkdir(this.#options.directory, { recursive: true, mode: 0o750 });
		const number = (await segmentNumbers(this.#options.directory)).at(-1) ?? 1;
		const segment = await this.#open(number);
		await endTornLine(segment);
		return segment;
	}

	async #rotate({ handle, number }: Segment): Promise<Segment> {
		this.#segment = undefined;
		await handle.close();
		const next = await this.#open(number + 1);
		const numbers = await segmentNumbers(this.#options.directory);
		for (const old of numbers.slice(0, -this.#options.segments)) {
			await rm(join(this.#options.directory, segmentName(old)), { force: true });
		}
		return next;
	}

	async #open(number: number): Promise<Segment> {
		const handle = await open(join(this.#options.directory, segmentName(number)), 'a+', 0o640);
		this.#segment = { handle, number, bytes: (await handle.stat()).size };
		return this.#segment;
	}

	/** Takes back what a failed write may have left behind, lets go of the file and waits for a better time. */
	async #failed(error: Error): Promise<void> {
		this.#losses.failedWrites += 1;
		const segment = this.#segment;
		this.#segment = undefined;
		await segment?.handle.truncate(segment.bytes).catch(() => {
			// The next opening ends the torn line instead; readers count it.
		});
		await segment?.handle.close().catch(() => {
			// Nothing was promised for this file any more.
		});
		if (!this.#troubled)
			this.#options.onTrouble(`the journal cannot be written (${error.message}); trying again, decisions go on`);
		this.#troubled = true;
		if (!this.#closed) this.#retryLater();
	}

	#retryLater(): void {
		this.#retry = setTimeout(() => {
			this.#retry = undefined;
			this.#start();
		}, this.#options.retryMs);
		this.#retry.unref();
	}

	#wellAgain(): void {
		if (!this.#troubled) return;
		this.#troubled = false;
		this.#options.onTrouble(
			`the journal is written again; ${this.#losses.dropped} lines have been lost since the start`,
		);
	}
}

/** A writer that died in the middle of a line: the line is ended, so that the next one stands alone. */
async function endTornLine(segment: Segment): Promise<void> {
	if (segment.bytes === 0) return;
	const last = Buffer.alloc(1);
	await segment.handle.read(last, 0, 1, segment.bytes - 1);
	if (last[0] === 0x0a) return;
	await segment.handle.appendFile('\n');
	segment.bytes += 1;
}
