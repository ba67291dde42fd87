import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ipvsInstance } from '../../src/capture/module.js';

const directory = mkdtempSync(join(tmpdir(), 'ipvigil-module-'));
after(() => rmSync(directory, { recursive: true }));
const module = join(directory, 'ip_vs');
const table = join(directory, 'table');

function load(state: string): void {
	mkdirSync(module, { recursive: true });
	writeFileSync(join(module, 'initstate'), `${state}\n`);
}

test('without module and table there is no IPVS', () => {
	assert.equal(ipvsInstance(module, table), undefined);
});

test('a module that is coming or going is not there', () => {
	for (const state of ['coming', 'going']) {
		load(state);
		assert.equal(ipvsInstance(module, table), undefined);
	}
});

test('each loading has its own number, and keeps it', () => {
	load('live');
	const first = ipvsInstance(module, table);
	assert.equal(ipvsInstance(module, table), first);
	assert.ok(first);
	renameSync(module, join(directory, 'earlier'));
	load('live');
	assert.notEqual(ipvsInstance(module, table), first);
	rmSync(module, { recursive: true });
});

test('built into the kernel it has no module, but a table', () => {
	writeFileSync(table, '');
	assert.notEqual(ipvsInstance(module, table), undefined);
});
