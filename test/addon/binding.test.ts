/** The door without the addon behind it: import, paths, and the message when it is missing. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { test } from 'node:test';
import { load, objectPath } from '../../src/addon/binding.js';
import { bootNs, interfaceHardwareType, interfaceIndex, kernel, monotonicNs } from '../../src/addon/index.js';
import { refusalOf } from './fixture.js';

test('a missing addon says what to do', () => {
	assert.throws(() => load('/nowhere/ipvigil.node'), {
		code: 'ADDON_MISSING',
		message: /cannot load \/nowhere\/ipvigil\.node: run "npm run build:native"/,
	});
});

test('a file that is no addon is as good as missing', () => {
	const directory = mkdtempSync(join(tmpdir(), 'addon-'));
	const path = join(directory, 'ipvigil.node');
	writeFileSync(path, 'not an ELF file');
	assert.throws(() => load(path), { name: 'AddonMissingError', code: 'ADDON_MISSING' });
	rmSync(directory, { recursive: true });
});

test('the object of a vantage point lies in build/bpf', () => {
	assert.ok(isAbsolute(objectPath('wire')));
	assert.match(objectPath('wire'), /\/build\/bpf\/wire\.bpf\.o$/);
});

test('the monotonic clock is the one of Node, and the boot clock is never behind it', () => {
	const before = process.hrtime.bigint();
	const now = monotonicNs();
	const boot = bootNs();
	assert.ok(before <= now && now <= process.hrtime.bigint());
	assert.ok(boot >= now);
});

test('the loopback interface has an index, a name that is nobody’s has none', () => {
	assert.equal(interfaceIndex('lo'), 1);
	assert.equal(interfaceIndex('nobodys-name'), undefined);
});

test('the loopback interface has the hardware type of its own, and no interface has none', () => {
	const loopback = 772;
	assert.equal(interfaceHardwareType('lo'), loopback);
	for (const name of ['nobodys-name', 'x'.repeat(4095)])
		assert.match(
			refusalOf(() => interfaceHardwareType(name)),
			/^ENODEV ioctl/,
		);
});

test('the kernel has at least one possible CPU', () => {
	assert.ok(Number.isInteger(kernel().possibleCpus) && kernel().possibleCpus >= 1);
});
