/** A recording gives back what was written to it, however it ended, and a file that is none says so. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { FileTakenError } from '../../src/capture/bounded-file.js';
import {
	layoutDigest,
	Recorder,
	type RecorderOptions,
	type RecordingBlock,
	RecordingError,
	readRecording,
} from '../../src/capture/recording.js';
import { parseRules } from '../../src/table/rules.js';

const head = { version: '9.9.9', pid: 4711, epochOffsetUs: 1_700_000_000_000_000, bootOffsetUs: 250 };
const bytes = Uint8Array.from({ length: 24 }, (_, index) => index);
const sizes = Uint32Array.of(16, 8);

function tableOf(rules: string) {
	const parsed = parseRules(rules);
	assert.ok(parsed.ok);
	return parsed.snapshot;
}

const table = tableOf(
	'-A -t 10.0.0.100:80 -s wrr\n-a -t 10.0.0.100:80 -r 10.1.0.11:8080 -m -w 5 -x 10\n-A -f 7 -s rr\n',
);

let folder: string;
before(() => {
	folder = mkdtempSync(join(tmpdir(), 'ipvigil-'));
});
after(() => rmSync(folder, { recursive: true }));

function recorderTo(name: string, options: Partial<RecorderOptions> = {}) {
	let nowMs = 1000.5;
	const told: string[] = [];
	const file = join(folder, name);
	const recorder = new Recorder(file, {
		head,
		nowMs: () => nowMs++,
		onError: ({ message }) => told.push(message),
		onFull: () => told.push('full'),
		...options,
	});
	return { file, recorder, told };
}

async function* pieces(octets: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
	for (let at = 0; at < octets.length; at += length) yield octets.subarray(at, at + length);
}

async function blocksOf(octets: Uint8Array, pieceOctets = 65_536): Promise<RecordingBlock[]> {
	const blocks: RecordingBlock[] = [];
	for await (const block of readRecording(pieces(octets, pieceOctets))) blocks.push(block);
	return blocks;
}

async function recorded(): Promise<Buffer> {
	rmSync(join(folder, 'whole'), { force: true });
	const { file, recorder } = recorderTo('whole');
	recorder.opened(['wire', 'audit']);
	recorder.table(table);
	recorder.batch('wire', bytes, sizes);
	recorder.batch('audit', bytes.subarray(0, 8), Uint32Array.of(8));
	await recorder.close({ wire: { ringFull: 3 } });
	return readFileSync(file);
}

const whole: RecordingBlock[] = [
	{ kind: 'head', head },
	{ kind: 'opened', vantages: ['wire', 'audit'] },
	{ kind: 'table', atMs: 1000.5, snapshot: table },
	{ kind: 'batch', atMs: 1001.5, vantage: 'wire', bytes, sizes },
	{ kind: 'batch', atMs: 1002.5, vantage: 'audit', bytes: bytes.subarray(0, 8), sizes: Uint32Array.of(8) },
	{ kind: 'end', reason: 'stopped', losses: { wire: { ringFull: 3 } }, dropped: 0 },
];

describe('a recording', () => {
	it('gives back the table and every batch, in order', async () =>
		assert.deepEqual(await blocksOf(await recorded()), whole));

	it('is read the same octet by octet', async () => assert.deepEqual(await blocksOf(await recorded(), 1), whole));

	it('can be read by its owner only', async () => {
		await recorded();
		assert.equal(statSync(join(folder, 'whole')).mode & 0o777, 0o600);
	});

	it('has the table again only where it changed, and not for a counter', async () => {
		const { file, recorder } = recorderTo('tables');
		recorder.table(table);
		const [service] = table.services;
		assert.ok(service);
		const busy = { ...service, destinations: service.destinations.map((one) => ({ ...one, activeConnections: 9 })) };
		recorder.table({ services: [busy, ...table.services.slice(1)] });
		recorder.table({ services: [service] });
		await recorder.close({});
		const kinds = (await blocksOf(readFileSync(file))).map(({ kind }) => kind);
		assert.deepEqual(kinds, ['head', 'table', 'table', 'end']);
	});

	it('ends, told once, before its limit, and has its end then too', async () => {
		const { file, recorder, told } = recorderTo('full', { octetsMax: 6000 });
		for (let batch = 0; batch < 100; batch++) recorder.batch('wire', bytes, sizes);
		await recorder.close({ wire: { ringFull: 1 } });
		assert.deepEqual(told, ['full']);
		const blocks = await blocksOf(readFileSync(file));
		assert.deepEqual(blocks.at(-1), { kind: 'end', reason: 'full', losses: {}, dropped: 0 });
		assert.ok(blocks.length > 10 && statSync(file).size <= 6000);
	});

	it('says what the disk said, once', async () => {
		const { recorder, told } = recorderTo('../../dev/full');
		recorder.batch('wire', bytes, sizes);
		await recorder.close({});
		assert.equal(told.length, 1);
		assert.match(told[0] ?? '', /ENOSPC/);
	});
});

describe('the file of a recording', () => {
	it('is never written over', async () => {
		const octets = await recorded();
		assert.throws(() => recorderTo('whole'), FileTakenError);
		assert.deepEqual(readFileSync(join(folder, 'whole')), octets);
	});

	it('stays empty where nothing was recorded, and is taken by the next one', async () => {
		const first = recorderTo('empty');
		await first.recorder.close({});
		assert.equal(statSync(first.file).size, 0);
		const { file, recorder } = recorderTo('empty');
		recorder.opened(['wire']);
		await recorder.close({});
		assert.deepEqual((await blocksOf(readFileSync(file))).length, 3);
	});

	it('may be a device or a pipe', async () => {
		const path = join(folder, 'pipe');
		execFileSync('mkfifo', [path]);
		const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
		for (const name of ['pipe', '../../dev/null']) {
			const { recorder, told } = recorderTo(name);
			recorder.opened(['wire']);
			await recorder.close({});
			assert.deepEqual(told, []);
		}
		const octets = Buffer.alloc(65_536);
		assert.equal((await blocksOf(octets.subarray(0, readSync(reader, octets)))).at(-1)?.kind, 'end');
		closeSync(reader);
	});
});

describe('a recording that was torn', () => {
	it('is whole up to there, wherever it was', async () => {
		const octets = await recorded();
		const lengths = new Set<number>();
		// From the end of the head on, which no recording is without.
		for (let length = 20 + octets.readUInt32LE(12); length < octets.length; length += 7) {
			const blocks = await blocksOf(octets.subarray(0, length));
			assert.deepEqual(blocks.slice(0, -1), whole.slice(0, blocks.length - 1), `cut at ${length}`);
			assert.equal(blocks.at(-1)?.kind, 'torn');
			lengths.add(blocks.length);
		}
		assert.deepEqual([...lengths], [2, 3, 4, 5, 6]);
	});

	it('says how much is left unread', async () => {
		const octets = await recorded();
		const end = octets.indexOf('{"reason"');
		assert.deepEqual((await blocksOf(octets.subarray(0, end + 5))).at(-1), { kind: 'torn', octets: 12 + 5 });
	});

	it('ends where an octet was changed', async () => {
		const octets = Buffer.from(await recorded());
		octets[octets.indexOf('10.1.0.11')] = 0x32;
		const blocks = await blocksOf(octets);
		assert.deepEqual(
			blocks.map(({ kind }) => kind),
			['head', 'opened', 'torn'],
		);
	});
});

describe('a file that is no recording of ours', () => {
	const refused = async (octets: Uint8Array, code: string, message: RegExp) =>
		assert.rejects(blocksOf(octets), (error) => {
			assert.ok(error instanceof RecordingError);
			assert.equal(error.code, code);
			assert.match(error.message, message);
			assert.notEqual(error.remedy, '');
			return true;
		});

	it('is refused', async () => {
		await refused(Buffer.from(''), 'NOT_A_RECORDING', /no recording/);
		await refused(Buffer.from('#!/bin/sh\necho no\n'), 'NOT_A_RECORDING', /no recording/);
		await refused((await recorded()).subarray(0, 30), 'NOT_A_RECORDING', /no recording/);
	});

	it('is refused by name where its records are of another version', async () => {
		const other = layoutDigest().startsWith('0') ? '1' : '0';
		const text = (await recorded()).toString('latin1').replace(layoutDigest(), other + layoutDigest().slice(1));
		const octets = Buffer.from(text, 'latin1');
		const { crc32 } = await import('node:zlib');
		const length = octets.readUInt32LE(12);
		octets.writeUInt32LE(crc32(octets.subarray(20, 20 + length)), 16);
		await refused(octets, 'OTHER_VERSION', /made by ipvigil 9\.9\.9 .*version \d+/);
	});
});
