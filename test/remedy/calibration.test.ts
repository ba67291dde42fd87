import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Calibration } from '../../src/remedy/calibration.js';
import { temporaryDirectory } from './example.js';

const refuse = (error: Error) => assert.fail(error);
/** As many as are kept. */
const idsMax = 32_768;

describe('the calibrated probes', () => {
	test('are remembered from one ipvigil to the next', (t) => {
		const directory = temporaryDirectory(t);
		const first = new Calibration(directory, refuse);
		assert.deepEqual(first.recall(), []);
		first.remember('tcp 10.1.0.11:80');
		first.remember('tcp 10.1.0.12:80');
		first.flush();
		assert.deepEqual(new Calibration(directory, refuse).recall(), ['tcp 10.1.0.11:80', 'tcp 10.1.0.12:80']);
	});

	test('are bounded: the oldest goes, and one that is calibrated anew is the newest', (t) => {
		const directory = temporaryDirectory(t);
		const calibration = new Calibration(directory, refuse);
		for (let i = 0; i < idsMax; i += 1) calibration.remember(`endpoint ${i}`);
		calibration.remember('endpoint 0');
		calibration.flush();
		assert.equal(new Calibration(directory, refuse).recall().length, idsMax);
		calibration.remember('one more');
		calibration.flush();
		// What the file holds, not what is read back: that is cut to the bound anyway.
		const kept: string[] = JSON.parse(readFileSync(join(directory, 'calibrated.json'), 'utf8'));
		assert.equal(kept.length, idsMax);
		assert.deepEqual([kept[0], kept.at(-2), kept.at(-1)], ['endpoint 2', 'endpoint 0', 'one more']);
	});

	test('are written only where there is something new', (t) => {
		const directory = temporaryDirectory(t);
		new Calibration(directory, refuse).flush();
		assert.deepEqual(readdirSync(directory), []);
	});

	test('are none where the file makes no sense, which is told', (t) => {
		const directory = temporaryDirectory(t);
		writeFileSync(join(directory, 'calibrated.json'), '["tcp 10.1');
		const told: Error[] = [];
		assert.deepEqual(new Calibration(directory, (error) => told.push(error)).recall(), []);
		assert.equal(told.length, 1);
	});
});
