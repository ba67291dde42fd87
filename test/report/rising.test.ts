import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { RisingCounts, RisingSums } from '../../src/report/rising.js';

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

describe('a sum of counters', () => {
	/** What is shown of one sum, scrape by scrape. */
	const shown = (...scrapes: Record<string, number[]>[]) => {
		const sums = new RisingSums();
		return scrapes.map((parts) => [...sums.rise('a', new Map(Object.entries(parts)))]);
	};

	it('keeps what one had that is gone, and does not count it again', () => {
		assert.deepEqual(shown({ one: [100], two: [50] }, { two: [50] }, { two: [53] }), [[150], [150], [153]]);
	});

	it('adds what one counts that comes back', () => {
		assert.deepEqual(shown({ one: [100] }, {}, { one: [2] }, { one: [200] }), [[100], [100], [102], [300]]);
	});

	it('goes on where one began anew, and the others did not', () => {
		assert.deepEqual(shown({ one: [9, 100], two: [5, 5] }, { one: [10, 3], two: [6, 5] }), [
			[14, 105],
			[25, 108],
		]);
	});

	it('is empty until something counts, and forgotten when it is no longer shown', () => {
		const sums = new RisingSums();
		assert.deepEqual(sums.rise('a', new Map()), []);
		sums.rise('a', new Map([['one', [100]]]));
		sums.keep(new Set(['b']));
		assert.deepEqual(sums.rise('a', new Map([['one', [3]]])), [3]);
	});
});
