/** Maps as bytes: single entries, batches, per-CPU values, pins. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { BpfLoadError, BpfMap, kernel, Link } from '../../src/addon/index.js';
import {
	loadFixture,
	mapTypeHash,
	mapTypePerCpuHash,
	openFixture,
	refusalOf,
	u32,
	u64,
	withBpffs,
	wordsOf,
} from './fixture.js';

test('a map describes itself', () => {
	const object = loadFixture();
	const plain = object.map('plain');
	assert.deepEqual(
		[plain.name, plain.type, plain.keySize, plain.valueSize, plain.valueStride, plain.maxEntries, plain.perCpu],
		['plain', mapTypeHash, 4, 8, 8, 64, false],
	);
	const perCpu = object.map('per_cpu');
	assert.deepEqual([perCpu.type, perCpu.valueSize, perCpu.perCpu], [mapTypePerCpuHash, 4, true]);
	assert.equal(perCpu.valueStride, 8 * kernel().possibleCpus);
	object.close();
});

test('an entry is set, read, replaced and deleted', () => {
	const map = loadFixture().map('plain');
	assert.equal(map.get(u32(1)), undefined);
	map.set(u32(1), u64(10n));
	map.set(u32(1), u64(11n));
	assert.deepEqual(map.get(u32(1)), u64(11n));
	assert.match(
		refusalOf(() => map.set(u32(1), u64(12n), { flags: 1 })),
		/^EEXIST/,
	);
	assert.match(
		refusalOf(() => map.set(u32(2), u64(12n), { flags: 2 })),
		/^ENOENT/,
	);
	assert.equal(map.delete(u32(1)), true);
	assert.equal(map.delete(u32(1)), false);
	assert.equal(map.get(u32(1)), undefined);
	map.close();
});

test('the last entry fits, the next one is E2BIG', () => {
	const object = openFixture();
	object.setMaxEntries('plain', 2);
	object.load();
	const map = object.map('plain');
	map.setBatch(u32(1, 2), u64(1n, 2n));
	assert.match(
		refusalOf(() => map.set(u32(3), u64(3n))),
		/^E2BIG/,
	);
	object.close();
});

test('a per-CPU entry is all possible CPUs’ values, each in 8 bytes', () => {
	const map = loadFixture().map('per_cpu');
	const values = Array.from({ length: kernel().possibleCpus }, (_, cpu) => [cpu + 1, 0]).flat();
	map.set(u32(1), u32(...values));
	assert.deepEqual(wordsOf(map.get(u32(1)) ?? u32()), values);
	const { values: read, count } = map.entries(10);
	assert.equal(count, 1);
	assert.deepEqual(wordsOf(read), values);
	map.close();
});

test('a batch is read back whole, and no more than asked for', () => {
	const object = openFixture();
	object.setMaxEntries('plain', 20_000);
	object.load();
	const map = object.map('plain');
	const keys = Array.from({ length: 10_000 }, (_, at) => at);
	assert.equal(map.entries(100).count, 0);
	map.setBatch(u32(...keys), u64(...keys.map((key) => BigInt(key) * 3n)));
	const all = map.entries(20_000);
	assert.equal(all.count, 10_000);
	assert.deepEqual(
		wordsOf(all.keys).sort((a, b) => a - b),
		keys,
	);
	const values = new BigUint64Array(all.values.slice().buffer);
	assert.ok(wordsOf(all.keys).every((key, at) => values[at] === BigInt(key) * 3n));
	const some = map.entries(9_999);
	assert.deepEqual([some.count, some.keys.byteLength, some.values.byteLength], [9_999, 39_996, 79_992]);
	object.close();
});

test('a type of map without batches is written and read one by one', () => {
	const map = loadFixture().map('devices');
	const loopback = 1;
	map.setBatch(u32(5, 6, 7), u32(loopback, loopback, loopback));
	const all = map.entries(16);
	assert.equal(all.count, 3);
	assert.deepEqual(wordsOf(all.keys).sort(), [5, 6, 7]);
	assert.deepEqual(wordsOf(all.values), [loopback, loopback, loopback]);
	assert.equal(map.entries(2).count, 2);
	map.close();
});

test('an empty batch is nothing to do', () => {
	const map = loadFixture().map('plain');
	map.setBatch(u32(), u64());
	assert.equal(map.entries(1).count, 0);
	map.close();
});

test('a pinned map keeps its entries, is opened again, and is taken over by the next load', () =>
	withBpffs((directory) => {
		const path = join(directory, 'plain');
		const first = loadFixture();
		first.map('plain').pin(path);
		first.map('plain').set(u32(1), u64(42n));
		first.close();

		const reopened = BpfMap.openPinned(path);
		assert.deepEqual([reopened.name, reopened.get(u32(1))], ['plain', u64(42n)]);
		reopened.close();

		const second = openFixture();
		second.setPinPath('plain', path);
		second.load();
		assert.deepEqual(second.map('plain').get(u32(1)), u64(42n));
		second.close();
	}));

test('setPinPath pins at the load, and a map of another layout is not taken over', () =>
	withBpffs((directory) => {
		const first = openFixture();
		first.setPinPath('plain', join(directory, 'plain'));
		first.load();
		first.close();
		const other = openFixture();
		other.setMaxEntries('plain', 65);
		other.setPinPath('plain', join(directory, 'plain'));
		assert.throws(
			() => other.load(),
			(error: unknown) => error instanceof BpfLoadError && error.code === 'EINVAL' && /mismatch/.test(error.log),
		);
		other.close();
	}));

test('what is pinned is opened as what it is: a map is no link', () =>
	withBpffs((directory) => {
		const path = join(directory, 'plain');
		loadFixture().map('plain').pin(path);
		assert.throws(() => Link.openPinned(path), { code: 'EINVAL', message: /is anon_inode:bpf-map, not bpf-link/ });
		assert.match(
			refusalOf(() => BpfMap.openPinned(join(directory, 'nothing'))),
			/^ENOENT bpf_obj_get/,
		);
	}));

test('closing twice is harmless, and every other call is EBADF afterwards', () => {
	const map = loadFixture().map('plain');
	map.close();
	map.close();
	for (const call of [
		() => map.get(u32(1)),
		() => map.set(u32(1), u64(1n)),
		() => map.delete(u32(1)),
		() => map.entries(1),
		() => map.setBatch(u32(), u64()),
		() => map.pin('/nowhere'),
	])
		assert.match(refusalOf(call), /^EBADF/);
});
