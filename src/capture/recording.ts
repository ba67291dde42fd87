/**
 * Recordings: the raw batches of every vantage point with all that is needed to decide on them again, the table they
 * speak of included. Raw, because a mistake in decoding or judging must show again in a replay. A recording says which
 * records it holds (EVENTS_VERSION and the structs' layout) and is refused by an ipvigil that reads others.
 *
 * The file: eight octets of magic, then blocks. A block is its kind, the length and the CRC-32 of its body, each a
 * little-endian word, and the body. A writer that was killed leaves a torn tail; everything before it can be read.
 */
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import * as layouts from '../decode/layout.generated.js';
import type { Destination, Service, Snapshot } from '../table/model.js';
import { noStats } from '../table/model.js';
import { BoundedFile } from './bounded-file.js';

export const vantageNames = ['wire', 'outcome', 'audit', 'link'] as const;
export type VantageName = (typeof vantageNames)[number];

/** What was lost on the way, by name: what EventStream.losses() gives. */
export type RecordedLosses = Partial<Record<VantageName, Readonly<Record<string, number>>>>;

/** Who recorded, and how its clocks stood. */
export interface RecordingHead {
	/** Of the ipvigil that recorded, as `ipvigil --version` prints it. */
	version: string;
	/** Its writes to the table are in the recording too: replaying must know them for ipvigil's own. */
	pid: number;
	/** Added to an event's time (CLOCK_MONOTONIC) this gives the time of day, microseconds since 1970. */
	epochOffsetUs: number;
	/** Added to an event's time this gives the boot clock's, by which is decided. */
	bootOffsetUs: number;
}

export type RecordingBlock =
	| { kind: 'head'; head: RecordingHead }
	/** The vantage points that were to be had: who else would have told, did not. */
	| { kind: 'opened'; vantages: VantageName[] }
	/** The table from then on. Counters and connections are not recorded: nothing is decided by them. */
	| { kind: 'table'; atMs: number; snapshot: Snapshot }
	/** As it came out of the ring, at `atMs` of the boot clock. */
	| { kind: 'batch'; atMs: number; vantage: VantageName; bytes: Uint8Array; sizes: Uint32Array }
	| { kind: 'end'; reason: 'stopped' | 'full'; losses: RecordedLosses; dropped: number }
	/** The recorder did not come to its end, or the file was damaged: `octets` of it are left unread. */
	| { kind: 'torn'; octets: number };

/** The file is none that can be read here; `message` says why and what to do. */
export class RecordingError extends Error {
	override readonly name = 'RecordingError';

	constructor(
		readonly code: 'NOT_A_RECORDING' | 'OTHER_VERSION',
		message: string,
		readonly remedy: string,
	) {
		super(message);
	}
}

const magic = Buffer.from('IPVIGREC');
const blockKinds = { head: 1, opened: 2, table: 3, batch: 4, end: 5 } as const;
const blockHeaderOctets = 12;
/** A table of 1,024 x 16 destinations takes 4 MiB, a batch 256 KiB: a longer body is damage. */
const blockOctetsMax = 64 * 1024 * 1024;
/** Kept free for the closing block, so that a full recording has its end too. */
const endOctetsMax = 4096;
/** A million events and more; the kernel's own rate limits make that many hours. */
const recordingOctetsMax = 256 * 1024 * 1024;

/** Of a batch's body: the boot clock, the vantage point, the number of records. Their sizes and then their octets follow. */
const batchHeaderOctets = 16;

/** Changes whenever a struct that crosses from the kernel does. */
export function layoutDigest(): string {
	const sorted = Object.entries(layouts).sort(([a], [b]) => (a < b ? -1 : 1));
	return createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
}

function block(kind: number, body: Uint8Array): Buffer {
	const header = Buffer.alloc(blockHeaderOctets);
	header.writeUInt32LE(kind, 0);
	header.writeUInt32LE(body.length, 4);
	header.writeUInt32LE(crc32(body), 8);
	return Buffer.concat([header, body]);
}

function textBlock(kind: number, value: unknown): Buffer {
	return block(kind, Buffer.from(JSON.stringify(value)));
}

function batchBody(atMs: number, vantage: VantageName, bytes: Uint8Array, sizes: Uint32Array): Buffer {
	const header = Buffer.alloc(batchHeaderOctets + 4 * sizes.length);
	header.writeDoubleLE(atMs, 0);
	header.writeUInt32LE(vantageNames.indexOf(vantage), 8);
	header.writeUInt32LE(sizes.length, 12);
	for (const [index, size] of sizes.entries()) header.writeUInt32LE(size, batchHeaderOctets + 4 * index);
	return Buffer.concat([header, bytes]);
}

const uncounted = { stats: undefined, activeConnections: undefined, inactiveConnections: undefined };

/** Nothing that changes by itself, so that an unchanged table gives the same text. */
function tableText({ services }: Snapshot): string {
	const plain = services.map((service) => ({
		...service,
		stats: undefined,
		destinations: service.destinations.map((one) => ({ ...one, ...uncounted, persistentConnections: undefined })),
	}));
	return JSON.stringify(plain);
}

const noCounts = { stats: noStats, activeConnections: 0, inactiveConnections: 0, persistentConnections: 0 };

function tableOf(plain: (Omit<Service, 'stats' | 'destinations'> & { destinations: Destination[] })[]): Snapshot {
	const counted = (one: Destination): Destination => ({ ...one, ...noCounts });
	return {
		services: plain.map((one) => ({ ...one, stats: noStats, destinations: one.destinations.map(counted) })),
	};
}

export interface RecorderOptions {
	head: RecordingHead;
	/** The boot clock. */
	nowMs: () => number;
	onError: (error: Error) => void;
	/** No more fits: the recording has been closed, and the rest goes on. */
	onFull: () => void;
	octetsMax?: number;
}

export class Recorder {
	readonly #file: BoundedFile;
	readonly #options: RecorderOptions;
	#table = '';
	#ended = false;

	/** @throws what BoundedFile throws. */
	constructor(path: string, options: RecorderOptions) {
		this.#options = options;
		const octetsMax = options.octetsMax ?? recordingOctetsMax;
		const facts = { eventsVersion: layouts.EVENTS_VERSION, layout: layoutDigest(), ...options.head };
		const head = Buffer.concat([magic, textBlock(blockKinds.head, facts)]);
		this.#file = new BoundedFile(path, { head, octetsMax, onError: options.onError });
	}

	/** Each time that it changes. */
	opened(vantages: readonly VantageName[]): void {
		this.#write(textBlock(blockKinds.opened, { vantages }));
	}

	/** Written only where it differs from the one before. */
	table(snapshot: Snapshot): void {
		const text = tableText(snapshot);
		if (text === this.#table) return;
		this.#table = text;
		this.#write(block(blockKinds.table, Buffer.from(`{"atMs":${this.#options.nowMs()},"services":${text}}`)));
	}

	/** What EventStream hands to `onBatch`. */
	batch(vantage: VantageName, bytes: Uint8Array, sizes: Uint32Array): void {
		this.#write(block(blockKinds.batch, batchBody(this.#options.nowMs(), vantage, bytes, sizes)));
	}

	/** Resolves when everything is in the file, which stays empty where there was nothing. */
	async close(losses: RecordedLosses): Promise<void> {
		if (this.#file.begun) this.#end('stopped', losses);
		await this.#file.close();
	}

	#write(octets: Buffer): void {
		if (this.#ended) return;
		if (this.#file.fits(octets.length + endOctetsMax)) return this.#file.write(octets);
		this.#end('full', {});
		this.#options.onFull();
	}

	#end(reason: 'stopped' | 'full', losses: RecordedLosses): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#file.write(textBlock(blockKinds.end, { reason, losses, dropped: this.#file.dropped }));
	}
}

/** Cuts a stream of chunks into pieces of a wanted length. */
class Chunks {
	readonly #source: AsyncIterator<Uint8Array>;
	#held = Buffer.alloc(0);

	constructor(source: AsyncIterable<Uint8Array>) {
		this.#source = source[Symbol.asyncIterator]();
	}

	/** So many octets from here, without taking them; fewer only where the source ends. */
	async peek(length: number): Promise<Buffer> {
		const parts = [this.#held];
		for (let octets = this.#held.length; octets < length; ) {
			const { value, done } = await this.#source.next();
			if (done) break;
			parts.push(Buffer.from(value));
			octets += value.length;
		}
		if (parts.length > 1) this.#held = Buffer.concat(parts);
		return this.#held.subarray(0, length);
	}

	take(length: number): void {
		this.#held = this.#held.subarray(length);
	}

	/** How much is left, the source read to its end. */
	async rest(): Promise<number> {
		let octets = this.#held.length;
		for (let next = await this.#source.next(); !next.done; next = await this.#source.next())
			octets += next.value.length;
		return octets;
	}

	async close(): Promise<void> {
		await this.#source.return?.();
	}
}

/**
 * The blocks of a recording, the head first and `end` or `torn` last. However that ends, the source is let go of: the
 * writer of a pipe may live on, and must not keep a reader that has enough.
 * @throws RecordingError where the file is no recording, or one of other records than this ipvigil reads.
 */
export async function* readRecording(source: AsyncIterable<Uint8Array>): AsyncGenerator<RecordingBlock> {
	const chunks = new Chunks(source);
	try {
		yield* blocksOf(chunks);
	} finally {
		await chunks.close();
	}
}

async function* blocksOf(chunks: Chunks): AsyncGenerator<RecordingBlock> {
	if (!(await chunks.peek(magic.length)).equals(magic)) throw notARecording();
	chunks.take(magic.length);
	for (let first = true; ; first = false) {
		const body = await nextBody(chunks);
		if (body === undefined) {
			if (first) throw notARecording();
			return yield { kind: 'torn', octets: await chunks.rest() };
		}
		const read = readBlock(body.kind, body.octets);
		if (first && read?.kind !== 'head') throw notARecording();
		if (read === undefined) return yield { kind: 'torn', octets: await chunks.rest() };
		chunks.take(blockHeaderOctets + body.octets.length);
		yield read;
		if (read.kind === 'end') return;
	}
}

/** The next block's body where it is whole; it is not taken yet. */
async function nextBody(chunks: Chunks): Promise<{ kind: number; octets: Buffer } | undefined> {
	const header = await chunks.peek(blockHeaderOctets);
	if (header.length < blockHeaderOctets) return undefined;
	const [kind, length, checksum] = [header.readUInt32LE(0), header.readUInt32LE(4), header.readUInt32LE(8)];
	if (length > blockOctetsMax) return undefined;
	const octets = (await chunks.peek(blockHeaderOctets + length)).subarray(blockHeaderOctets);
	return octets.length === length && crc32(octets) === checksum ? { kind, octets } : undefined;
}

/** The checksum was right, so the body is what a Recorder wrote; undefined for a kind that no Recorder writes. */
function readBlock(kind: number, body: Buffer): RecordingBlock | undefined {
	switch (kind) {
		case blockKinds.head:
			return { kind: 'head', head: readHead(body) };
		case blockKinds.opened:
			return { kind: 'opened', ...JSON.parse(body.toString()) };
		case blockKinds.table: {
			const { atMs, services } = JSON.parse(body.toString());
			return { kind: 'table', atMs, snapshot: tableOf(services) };
		}
		case blockKinds.batch:
			return readBatch(body);
		case blockKinds.end:
			return { kind: 'end', ...JSON.parse(body.toString()) };
		default:
			return undefined;
	}
}

function readHead(body: Buffer): RecordingHead {
	const { eventsVersion, layout, ...head } = JSON.parse(body.toString());
	if (eventsVersion === layouts.EVENTS_VERSION && layout === layoutDigest()) return head;
	throw new RecordingError(
		'OTHER_VERSION',
		`The recording was made by ipvigil ${head.version} and holds events of version ${eventsVersion} ` +
			`(layout ${layout}); this one reads version ${layouts.EVENTS_VERSION} (layout ${layoutDigest()}).`,
		`Read it with ipvigil ${head.version}.`,
	);
}

function readBatch(body: Buffer): RecordingBlock | undefined {
	const vantage = vantageNames[body.readUInt32LE(8)];
	if (vantage === undefined) return undefined;
	const sizes = new Uint32Array(body.readUInt32LE(12));
	for (const index of sizes.keys()) sizes[index] = body.readUInt32LE(batchHeaderOctets + 4 * index);
	// Copied, because what decoding keeps of it must not keep a whole chunk of the file alive.
	const bytes = Uint8Array.from(body.subarray(batchHeaderOctets + 4 * sizes.length));
	return { kind: 'batch', atMs: body.readDoubleLE(0), vantage, bytes, sizes };
}

function notARecording(): RecordingError {
	return new RecordingError(
		'NOT_A_RECORDING',
		'This is no recording of ipvigil.',
		'Name a file that ipvigil trace --record or ipvigil run --record has written.',
	);
}
