import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RisingCount } from '../../src/report/rising.js';

test('a count goes on where the kernel began anew', () => {
	const count = new RisingCount();
	assert.deepEqual(
		[100, 120, 7, 7, 9, 0].map((one) => count.rise(one)),
		[100, 120, 127, 127, 129, 129],
	);
});

test('a count stands still while nothing counts', () => {
	const count = new RisingCount();
	assert.deepEqual(
		[undefined, 5, undefined, 6].map((one) => count.rise(one)),
		[0, 5, 5, 6],
	);
});
