import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { type Hold, holdsMax } from '../../src/judge/hold.js';
import { HoldFile } from '../../src/remedy/hold-file.js';
import { temporaryDirectory } from './example.js';

const refuse = (error: Error) => assert.fail(error);
const one: Hold = { destination: 'tcp 10.0.0.100:80 > 10.1.0.11:80', untilMs: 1_234.5, reason: 'disk' };
const all: Hold = { destination: 'all', untilMs: undefined, reason: 'a "quiet" night' };

describe('the holds', () => {
	test('are remembered from one ipvigil to the next, at once and for the owner alone', (t) => {
		const directory = temporaryDirectory(t);
		const first = new HoldFile(directory, refuse);
		assert.deepEqual(first.recall(), []);
		first.keep([one, all]);
		assert.equal(first.remembers, true);
		const { untilMs: _, ...endless } = all;
		assert.deepEqual(new HoldFile(directory, refuse).recall(), [one, endless]);
		assert.deepEqual(readdirSync(directory), ['holds.json']);
		assert.equal(statSync(join(directory, 'holds.json')).mode & 0o777, 0o600);
		first.keep([]);
		assert.deepEqual(new HoldFile(directory, refuse).recall(), []);
	});

	test('are none where the file makes no sense, which is told', (t) => {
		const directory = temporaryDirectory(t);
		const nonsense = [
			'[{"destination":"all"',
			'{}',
			'[1]',
			'[null]',
			'[{"destination":"all"}]',
			'[{"destination":"all","reason":"x","untilMs":"soon"}]',
		];
		for (const text of nonsense) {
			writeFileSync(join(directory, 'holds.json'), text);
			const told: Error[] = [];
			assert.deepEqual(new HoldFile(directory, (error) => told.push(error)).recall(), [], text);
			assert.equal(told.length, 1, text);
		}
	});

	test('that make sense count, those beside them that make none are told', (t) => {
		const directory = temporaryDirectory(t);
		writeFileSync(join(directory, 'holds.json'), JSON.stringify([1, one]));
		const told: Error[] = [];
		assert.deepEqual(new HoldFile(directory, (error) => told.push(error)).recall(), [one]);
		assert.match(told[0]?.message ?? '', /1 of 2 are no holds/);
	});

	test('are bounded when they are read back', (t) => {
		const directory = temporaryDirectory(t);
		const file = new HoldFile(directory, refuse);
		file.keep(Array.from({ length: holdsMax + 1 }, (_, index) => ({ ...one, destination: `d${index}` })));
		assert.equal(file.recall().length, holdsMax);
	});

	test('keep the one on all, whatever is cut', (t) => {
		const file = new HoldFile(temporaryDirectory(t), refuse);
		const { untilMs: _, ...endless } = all;
		const many = Array.from({ length: holdsMax + 1 }, (_, index) => ({ ...one, destination: `d${index}` }));
		file.keep([...many, all]);
		assert.deepEqual(file.recall(), [...many.slice(0, holdsMax), endless]);
	});

	test('that cannot be written are told, and not said to be remembered until they are', (t) => {
		const directory = temporaryDirectory(t);
		const told: Error[] = [];
		const file = new HoldFile(join(directory, 'later'), (error) => told.push(error));
		file.keep([one]);
		assert.deepEqual([file.remembers, told.length], [false, 1]);
		mkdirSync(join(directory, 'later'));
		file.keep([one]);
		assert.deepEqual([file.remembers, told.length], [true, 1]);
	});
});
