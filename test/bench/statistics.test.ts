/** Numbers that a reader will quote: the summary and the verdict are right. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closingLine, rowLines } from './print.js';
import { hold, summarize } from './statistics.js';

test('a summary takes its quantiles from what was measured', () => {
	const values = Array.from({ length: 200 }, (_, index) => 200 - index);
	assert.deepEqual(summarize(values), { n: 200, min: 1, median: 100, p99: 198, max: 200 });
	assert.deepEqual(summarize([7]), { n: 1, min: 7, median: 7, p99: 7, max: 7 });
});

test('a goal is met at its very number and missed beyond it, as a ratio where a limit stands beside', () => {
	const row = { what: 'x', unit: 'ms' as const, beside: { what: 'limit', measured: [1, 2, 3] } };
	const goals = [{ of: 'median' as const, atMost: 3 }];
	assert.deepEqual(hold({ ...row, measured: [6], goals }), [{ of: 'median', atMost: 3, reached: 3, met: true }]);
	assert.equal(hold({ ...row, measured: [6.1], goals })[0]?.met, false);
	const atLeast = [{ of: 'median' as const, atLeast: 3 }];
	assert.equal(hold({ ...row, measured: [5.9], goals: atLeast })[0]?.met, false);
	assert.equal(hold({ what: 'x', unit: 'ms', measured: [3], goals })[0]?.met, true);
});

test('nothing measured meets no goal', () => {
	assert.equal(hold({ what: 'x', unit: 'ms', measured: [], goals: [{ of: 'max', atMost: 3 }] })[0]?.met, false);
});

test('a missed goal is printed as missed, with both sides', () => {
	const goals = [{ of: 'median' as const, atMost: 3 }];
	const row = { what: 'x', unit: 'ms' as const, measured: [8], beside: { what: 'limit', measured: [2] }, goals };
	assert.deepEqual(rowLines(row), [
		'   x: median 4 x (goal <= 3: MISSED)',
		'      measured                           min 8  median 8  p99 8  max 8 ms  (n 1)',
		'      limit                              min 2  median 2  p99 2  max 2 ms  (n 1)',
	]);
	const figure = { name: 'f', sentence: '', conditions: '' };
	assert.equal(closingLine([{ figure, rows: [row], failure: undefined, tookMs: 0 }]), '\n1 goals: 0 met, 1 missed');
});
