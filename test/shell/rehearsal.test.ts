import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { temporaryDirectory } from '../remedy/example.js';

/** Rehearses in a process of its own, which has nothing else to do: what it leaves open keeps it from ending. */
function rehearseAlone(directory: string, longestMs?: number) {
	const [rehearsal, pino] = [
		new URL('../../src/shell/rehearsal.js', import.meta.url).href,
		import.meta.resolve('pino'),
	];
	const program = `
		import { pino } from ${JSON.stringify(pino)};
		import { rehearse } from ${JSON.stringify(rehearsal)};
		await rehearse(${JSON.stringify(directory)}, pino({ level: 'warn' }, process.stderr), ${longestMs});
	`;
	const { status, signal, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
		encoding: 'utf8',
		timeout: 20_000,
	});
	return { ended: { status, signal }, said: stderr };
}

const byItself = { status: 0, signal: null };

/** So deep that a rehearsal can make its own directory in it, and nothing further (PATH_MAX is 4,096 octets). */
function tooDeep(directory: string): string {
	const steps = '/'.padEnd(200, 'x').repeat(30);
	const path = (directory + steps).slice(0, 4_095 - '/rehearsal-XXXXXX'.length - 3);
	mkdirSync(path, { recursive: true });
	return path;
}

describe('a process that rehearses', () => {
	test('ends by itself after a whole rehearsal', (t) => {
		const { ended, said } = rehearseAlone(temporaryDirectory(t));
		assert.deepEqual({ ended, said }, { ended: byItself, said: '' });
	});

	test('ends by itself where the directory is not there', (t) => {
		const { ended, said } = rehearseAlone(join(temporaryDirectory(t), 'nowhere'));
		assert.deepEqual(ended, byItself);
		assert.match(said, /ENOENT/);
	});

	test('ends by itself where nothing can be made in the directory, when it listens already', (t) => {
		const { ended, said } = rehearseAlone(tooDeep(temporaryDirectory(t)));
		assert.deepEqual(ended, byItself);
		assert.match(said, /ENAMETOOLONG.*leases/);
	});

	test('ends by itself, and leaves nothing behind, where the time is up in the middle', (t) => {
		const directory = temporaryDirectory(t);
		const { ended, said } = rehearseAlone(directory, 0);
		assert.deepEqual(ended, byItself);
		assert.match(said, /the rehearsal takes too long/);
		assert.deepEqual(readdirSync(directory), []);
	});
});
