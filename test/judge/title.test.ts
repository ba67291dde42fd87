import assert from 'node:assert/strict';
import { test } from 'node:test';
import { titleOf, titles } from '../../src/judge/title.js';

test('no two scenarios have the same name', () => {
	assert.equal(new Set(Object.values(titles)).size, Object.keys(titles).length);
});

test('a scenario of another version is called by its id', () => {
	assert.equal(titleOf('quiesced'), 'Taken out under a lease');
	for (const id of ['strange', 'toString', '']) assert.equal(titleOf(id), id);
});
