import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RisingCounts } from '../../src/report/rising.js';

test('a row goes on where the kernel began anew', () => {
	const counts = new RisingCounts();
	assert.deepEqual(
		[100, 120, 7, 7, 9, 0].map((count) => counts.rise('a', [count])[0]),
		[100, 120, 127, 127, 129, 129],
	);
});

test('counters of one row begin anew together', () => {
	const counts = new RisingCounts();
	counts.rise('a', [5, 100]);
	assert.deepEqual(counts.rise('a', [6, 3]), [11, 103]);
});

test('a row stands still while nothing counts', () => {
	const counts = new RisingCounts();
	assert.deepEqual(
		[undefined, [5], undefined, [6]].map((row) => counts.rise('a', row)),
		[[], [5], [5], [6]],
	);
});

test('a row that is no longer shown is forgotten', () => {
	const counts = new RisingCounts();
	counts.rise('a', [100]);
	counts.rise('b', [100]);
	counts.keep(new Set(['b']));
	assert.deepEqual([counts.rise('a', [3]), counts.rise('b', [3])], [[3], [103]]);
});

test('two that count the same take turns, and nothing is counted twice', () => {
	const counts = new RisingCounts();
	const shown = (count: number, by: string) => counts.rise('a', [count], by)[0];
	// The wire has counted what the hooks have, and goes on from there.
	assert.deepEqual([shown(100, 'outcome'), shown(98, 'wire'), shown(101, 'wire')], [100, 100, 103]);
	// The hooks are back with maps of their own.
	assert.deepEqual([shown(0, 'outcome'), shown(4, 'outcome'), shown(1, 'outcome')], [103, 107, 108]);
});
