/** How testimonies are weighed, instant against stretch. Times in milliseconds here, for reading. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Facet, type Testimony } from '../../src/evidence/facet.js';

const hook = (atMs: number, number?: number): Testimony => ({
	by: 'hook',
	sinceUs: atMs * 1_000,
	untilUs: atMs * 1_000,
	...(number !== undefined && { number }),
});
const look = (askedMs: number, answeredMs: number, number?: number): Testimony => ({
	by: 'look',
	sinceUs: askedMs * 1_000,
	untilUs: answeredMs * 1_000,
	...(number !== undefined && { number }),
});

test('the later testimony counts, and what is older than it says nothing', () => {
	const facet = new Facet('a', hook(1_000));
	assert.equal(facet.take('b', hook(2_000)), 1);
	assert.equal(facet.take('a', hook(1_000)), 0, 'the first word, heard again');
	assert.deepEqual([facet.value, facet.changedUs], ['b', 2_000_000]);
});

test('where a look and a hook overlap and contradict each other, neither is believed', () => {
	const facet = new Facet('a', look(0, 1));
	assert.equal(facet.take('b', hook(1_000)), 1);
	assert.equal(facet.take('a', look(990, 1_010)), 'doubtful');
	assert.equal(facet.value, 'b');
	const other = new Facet('b', look(990, 1_010));
	assert.equal(other.take('a', hook(1_000)), 'doubtful');
});

test('a look is believed against a hook from 20 ms after it', () => {
	const facet = () => {
		const made = new Facet('a', look(0, 1));
		made.take('b', hook(1_000));
		return made;
	};
	assert.equal(facet().take('a', look(1_020, 1_030)), 'doubtful');
	assert.equal(facet().take('a', look(1_020.001, 1_030)), 1);
});

test('looks follow each other without a gap', () => {
	const facet = new Facet('a', look(0, 10));
	assert.equal(facet.take('b', look(10, 20)), 'doubtful');
	assert.equal(facet.take('b', look(10.001, 20)), 1);
});

test('a confirmation makes what is known neither older nor less', () => {
	const facet = new Facet('a', look(0, 1));
	facet.take('b', hook(100));
	assert.equal(facet.take('b', look(99, 101)), 0);
	assert.equal(facet.take('a', hook(99.5)), 0, 'it was so since 100');
	const stretch = new Facet('b', look(10, 20));
	assert.equal(stretch.take('b', hook(12)), 0);
	assert.equal(stretch.take('a', hook(15)), 'doubtful', 'it was so until 20');
});

test('numbers order what clocks cannot, and say how much was missed', () => {
	const facet = new Facet('up', look(0, 1, 4));
	assert.equal(facet.take('up', look(0.5, 0.6, 6)), 2);
	assert.equal(facet.take('down', hook(2_000, 5)), 0);
	assert.equal(facet.take('down', hook(1_000, 7)), 1);
	assert.deepEqual([facet.value, facet.changedUs], ['down', 1_000_000]);
});

test('a number that a hook announced in vain is taken back by a later look', () => {
	const facet = new Facet('up', look(0, 1, 4));
	facet.take('down', hook(1_000, 5));
	assert.equal(facet.take('up', look(1_010, 1_011, 4)), 0, 'too soon');
	assert.equal(facet.take('up', look(2_000, 2_001, 4)), 1);
	assert.equal(facet.take('down', hook(3_000, 5)), 1);
});
