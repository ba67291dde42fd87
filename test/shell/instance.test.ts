import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pino } from 'pino';
import { claim } from '../../src/shell/instance.js';
import { rehearse } from '../../src/shell/rehearsal.js';

const root = mkdtempSync(join(tmpdir(), 'ipvigil-instance-'));
after(() => rmSync(root, { recursive: true, force: true }));

test('a second ipvigil is refused while the first one lives, and taken after it', async () => {
	const directory = join(root, 'run');
	const first = await claim(directory);
	await assert.rejects(claim(directory), { kind: 'busy', message: `Another ipvigil uses ${directory}.` });
	first.release();
	await new Promise((resolve) => setTimeout(resolve, 20));
	(await claim(directory)).release();
});

test('what a dead one left behind does not stand in the way', async () => {
	const directory = join(root, 'left');
	(await claim(directory)).release();
	writeFileSync(join(directory, 'instance.sock'), '');
	(await claim(directory)).release();
});

test('a runtime directory that cannot be made is told with its path', async () => {
	const file = join(root, 'file');
	writeFileSync(file, '');
	const directory = join(file, 'run');
	await assert.rejects(claim(directory), {
		kind: 'failure',
		message: new RegExp(`${directory} cannot be used: ENOTDIR`),
	});
});

test('a rehearsal reaches its end and leaves nothing behind', async () => {
	const directory = mkdtempSync(join(root, 'rehearsal-'));
	const warnings: string[] = [];
	const log = pino({ level: 'warn' }, { write: (line: string) => warnings.push(line) });
	await rehearse(directory, log);
	assert.deepEqual(warnings, []);
	assert.deepEqual(readdirSync(directory), []);
});

test('a rehearsal that cannot take place is told and stops nothing', async () => {
	const warnings: string[] = [];
	const log = pino({ level: 'warn' }, { write: (line: string) => warnings.push(line) });
	await rehearse(join(root, 'nowhere'), log);
	assert.match(warnings.join(''), /the rehearsal of a decision failed/);
});
