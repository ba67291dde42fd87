/** A ring buffer's records arrive whole, in bounded batches, and for as long as the reader is open. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BpfObject, type RingOptions, RingReader } from '../../src/addon/index.js';
import { answer, loadFixture, packetOf, recordBytes, refusalOf, wordsOf } from './fixture.js';

const waitMsMax = 5000;

function produce(object: BpfObject, records: number, packetBytes = 64): void {
	object.testRun('xdp_record', packetOf(packetBytes), { repeat: records });
}

/** A reader that keeps the sizes of its batches; `object` is loaded and `records` wait in its ring. */
function readerOf(records: number, options: Partial<RingOptions> = {}) {
	const object = loadFixture();
	if (records > 0) produce(object, records);
	const batches: { bytes: Uint8Array; sizes: number[] }[] = [];
	const reader = new RingReader(object.map('events'), {
		onBatch: (bytes, sizes) => batches.push({ bytes, sizes: [...sizes] }),
		onError: (error) => assert.fail(error),
		...options,
	});
	const received = () => batches.reduce((sum, batch) => sum + batch.sizes.length, 0);
	return { object, reader, batches, received };
}

async function until(condition: () => boolean): Promise<void> {
	for (const end = Date.now() + waitMsMax; !condition(); await sleep(1)) assert.ok(Date.now() < end, 'waited in vain');
}

test('a record arrives with its bytes', async () => {
	const { object, reader, batches, received } = readerOf(0);
	produce(object, 1, 77);
	await until(() => received() === 1);
	assert.deepEqual(batches[0]?.sizes, [recordBytes]);
	assert.deepEqual(wordsOf(batches[0]?.bytes ?? packetOf(0)).slice(2), [77, answer]);
	reader.close();
});

test('ten thousand waiting records all arrive, in batches of at most maxRecordsPerBatch', async () => {
	const { reader, batches, received } = readerOf(10_000, { maxRecordsPerBatch: 256 });
	await until(() => received() === 10_000);
	assert.equal(batches.length, Math.ceil(10_000 / 256));
	assert.ok(batches.slice(0, -1).every((batch) => batch.sizes.length === 256));
	assert.ok(batches.every((batch) => batch.bytes.byteLength === batch.sizes.length * recordBytes));
	reader.close();
});

test('a batch ends with the record that reaches maxBytesPerBatch', async () => {
	const exact = readerOf(8, { maxBytesPerBatch: 4 * recordBytes });
	await until(() => exact.received() === 8);
	assert.deepEqual(
		exact.batches.map((batch) => batch.sizes.length),
		[4, 4],
	);
	exact.reader.close();
	const between = readerOf(8, { maxBytesPerBatch: 3 * recordBytes + 1 });
	await until(() => between.received() === 8);
	assert.equal(between.batches[0]?.sizes.length, 4);
	between.reader.close();
});

test('other work of the loop comes between two full batches', async () => {
	let turns = 0;
	const { reader, received } = readerOf(5000, { maxRecordsPerBatch: 10 });
	const count = () => {
		turns++;
		if (received() < 5000) setImmediate(count);
	};
	setImmediate(count);
	await until(() => received() === 5000);
	assert.ok(turns >= 499, `${turns} turns`);
	reader.close();
});

test('after a batch that emptied the ring the reader rests, and then delivers together what came meanwhile', async () => {
	const { object, reader, batches, received } = readerOf(1, { pauseMs: 200 });
	await until(() => received() === 1);
	produce(object, 1);
	produce(object, 1);
	await sleep(50);
	assert.equal(received(), 1);
	await until(() => received() === 3);
	assert.equal(batches.length, 2);
	reader.close();
});

test('the first record after a quiet time is delivered at once', async (t) => {
	const pauseMs = 1000;
	const { object, reader, received } = readerOf(1, { pauseMs });
	t.after(() => reader.close());
	await until(() => received() === 1);
	await sleep(pauseMs + 100);
	const startMs = performance.now();
	produce(object, 1);
	await until(() => received() === 2);
	assert.ok(performance.now() - startMs < pauseMs / 2, `${performance.now() - startMs} ms`);
});

test('of a burst there is one wake-up in 5 ms, unless told otherwise', async (t) => {
	const { object, reader, batches, received } = readerOf(0);
	t.after(() => reader.close());
	const startMs = performance.now();
	const records = 300;
	for (let record = 0; record < records; record++) {
		produce(object, 1);
		await new Promise((resolve) => setImmediate(resolve));
	}
	await until(() => received() === records);
	const restsMax = (performance.now() - startMs) / 5;
	assert.ok(batches.length <= restsMax + 1, `${batches.length} batches, room for ${restsMax} rests`);
});

test('drain delivers before it returns', () => {
	const { reader, batches, received } = readerOf(1000, { maxRecordsPerBatch: 300 });
	assert.equal(reader.drain(), 1000);
	assert.equal(received(), 1000);
	assert.deepEqual(
		batches.map((batch) => batch.sizes.length),
		[300, 300, 300, 100],
	);
	assert.equal(reader.drain(), 0);
	reader.close();
});

test('an error that onBatch throws under drain reaches the caller', () => {
	const onBatch = () => {
		throw new Error('from onBatch');
	};
	const { reader } = readerOf(1, { onBatch });
	assert.throws(() => reader.drain(), /from onBatch/);
	reader.close();
});

test('a reader may be closed from its own callback, under the loop and under drain', async () => {
	for (const drains of [false, true]) {
		let calls = 0;
		const { reader } = readerOf(100, {
			maxRecordsPerBatch: 10,
			onBatch: () => {
				calls++;
				reader.close();
			},
		});
		if (drains) reader.drain();
		await sleep(50);
		assert.equal(calls, 1);
	}
});

test('records that are left stay in the ring for the next reader', () => {
	const { object, reader } = readerOf(5);
	reader.close();
	let records = 0;
	const next = new RingReader(object.map('events'), {
		onBatch: (_, sizes) => {
			records += sizes.length;
		},
		onError: (error) => assert.fail(error),
	});
	next.drain();
	assert.equal(records, 5);
	next.close();
});

test('a map that is no ring buffer is refused', () => {
	const map = loadFixture().map('plain');
	assert.match(
		refusalOf(() => new RingReader(map, { onBatch: () => undefined, onError: () => undefined })),
		/^EINVAL ring_buffer__new/,
	);
});

test('closing twice is harmless, and drain is EBADF afterwards', () => {
	const { reader } = readerOf(0);
	reader.close();
	reader.close();
	assert.match(
		refusalOf(() => reader.drain()),
		/^EBADF/,
	);
});
