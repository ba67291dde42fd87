import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDuration, spokenDuration } from '../../src/shell/duration.js';

test('a duration is a number and a unit, more than nothing and less than a month', () => {
	for (const [text, ms] of [
		['1ms', 1],
		['30s', 30_000],
		['10m', 600_000],
		['2h', 7_200_000],
		['576h', 2_073_600_000],
	] as const)
		assert.equal(readDuration(text), ms);
	for (const text of ['', '0s', '10', 's', '1.5h', '-1s', '1d', '577h', '10 m'])
		assert.throws(() => readDuration(text), { name: 'OperatorError', kind: 'usage' }, text);
});

test('a duration is spoken in its two largest units', () => {
	for (const [ms, text] of [
		[0, '0 ms'],
		[99, '99 ms'],
		[100, '0.1 s'],
		[2_537, '2.5 s'],
		[9_949, '9.9 s'],
		[9_950, '10 s'],
		[60_000, '1 min'],
		[184_000, '3 min 4 s'],
		[3_600_000, '1 h'],
		[7_504_000, '2 h 5 min'],
		[90_000_000, '1 d 1 h'],
	] as const)
		assert.equal(spokenDuration(ms), text);
});
