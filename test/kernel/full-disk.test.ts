/** The log on a file system of its own that is full. Needs root, to mount it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { LogOutput } from '../../src/report/log-output.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('a full disk tears one line, and the next that finds room begins a line of its own', {
	timeout: 20_000,
}, async (t) => {
	const disk = mkdtempSync(join(tmpdir(), 'ipvigil-full-disk-'));
	execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'ipvigil-log', disk]);
	// Lazily, for what a failing test leaves open.
	t.after(() => {
		execFileSync('umount', ['--lazy', disk]);
		rmdirSync(disk);
	});
	writeFileSync(join(disk, 'other'), Buffer.alloc(57_344));
	const fd = openSync(join(disk, 'log'), 'a');
	const output = new LogOutput(fd);
	const line = (name: string) => `${name.repeat(2_999)}\n`;
	for (const name of ['a', 'b', 'c', 'd']) output.write(line(name));
	await pause(100);
	assert.equal(output.lost, 2, 'two pages of 4 KiB hold two lines and a part of the third');
	rmSync(join(disk, 'other'));
	output.write(line('e'));
	await output.close();
	const torn = 'c'.repeat(8_192 - 6_000);
	closeSync(fd);
	assert.equal(readFileSync(join(disk, 'log'), 'utf8'), `${line('a')}${line('b')}${torn}\n${line('e')}`);
});
