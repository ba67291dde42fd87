/** Programs attached to the kernel itself: a BTF tracepoint, and an iterator that prints a map. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type BpfMap, Link } from '../../src/addon/index.js';
import { loadFixture, refusalOf, u32, u64, withBpffs } from './fixture.js';

/** System calls that the tracepoint counted; asking is one. */
function callsIn(map: BpfMap): bigint {
	return new BigUint64Array(map.get(u32(0))?.slice().buffer ?? new ArrayBuffer(8))[0] ?? 0n;
}

test('a tp_btf program runs while its link is open', () => {
	const object = loadFixture();
	const map = object.map('plain');
	map.set(u32(0), u64(0n));
	const link = object.attachTracing('count_calls');
	assert.ok(link.id > 0 && link.programId > 0);
	object.close();
	const before = callsIn(map);
	const during = callsIn(map);
	assert.ok(during > before);
	link.close();
	const after = callsIn(map);
	assert.equal(callsIn(map), after);
	map.close();
});

test('a program of another type cannot be attached as a tracing program', () => {
	const object = loadFixture();
	assert.match(
		refusalOf(() => object.attachTracing('xdp_record')),
		/^EINVAL/,
	);
	object.close();
});

test('a pinned iterator prints the map to cat, until it is unpinned', () =>
	withBpffs((directory) => {
		const path = join(directory, 'plain');
		const object = loadFixture();
		object.map('plain').setBatch(u32(1, 2), u64(10n, 20n));
		const link = object.attachIterator('print_plain', 'plain');
		link.pin(path);
		object.close();
		link.close();
		assert.deepEqual(execFileSync('cat', [path], { encoding: 'utf8' }).trim().split('\n').sort(), ['1 10', '2 20']);
		const reopened = Link.openPinned(path);
		reopened.unpin();
		reopened.unpin();
		assert.equal(existsSync(path), false);
		reopened.close();
	}));

test('an iterator over a map that is not there is ENOENT', () => {
	const object = loadFixture();
	assert.match(
		refusalOf(() => object.attachIterator('print_plain', 'no_such_map')),
		/^ENOENT/,
	);
	object.close();
});

test('closing twice is harmless, and every other call is EBADF afterwards', () => {
	const object = loadFixture();
	const link = object.attachTracing('count_calls');
	link.close();
	link.close();
	for (const call of [() => link.id, () => link.pin('/nowhere'), () => link.update(object, 'count_calls')])
		assert.match(refusalOf(call), /^EBADF/);
	object.close();
});
