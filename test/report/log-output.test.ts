/** A log that cannot be written: what becomes of its lines, on true devices and pipes. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LogOutput } from '../../src/report/log-output.js';

const folder = mkdtempSync(join(tmpdir(), 'ipvigil-log-output-'));
after(() => rmSync(folder, { recursive: true }));

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
const timeout = 20_000;
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A pipe with a name: its reader can go and come back. */
function pipe(name: string) {
	const path = join(folder, name);
	execFileSync('mkfifo', [path]);
	const openReader = () => openSync(path, O_RDONLY | O_NONBLOCK);
	const reader = openReader();
	return { reader, openReader, writer: openSync(path, O_WRONLY | O_NONBLOCK) };
}

/** What is in the pipe now; empty where nothing is (read(2): EAGAIN while it has a writer). */
function read(reader: number): string {
	const octets = Buffer.alloc(65_536);
	try {
		return octets.toString('latin1', 0, readSync(reader, octets));
	} catch {
		return '';
	}
}

test('lines arrive whole and in their order', { timeout }, async () => {
	const file = join(folder, 'file');
	const output = new LogOutput(openSync(file, 'w'));
	const lines = Array.from({ length: 1_000 }, (_, index) => `${index}\n`);
	for (const line of lines) output.write(line);
	await output.close();
	assert.equal(readFileSync(file, 'utf8'), lines.join(''));
	assert.equal(output.lost, 0);
});

test('on a device that is always full each line is lost and counted, and none is waited for', { timeout }, async () => {
	const output = new LogOutput(openSync('/dev/full', 'w'));
	for (let count = 0; count < 5; count++) output.write('line\n');
	await pause(100);
	assert.equal(output.lost, 5);
	output.write('line\n');
	await output.close();
	assert.equal(output.lost, 6);
});

test('lines are lost while a pipe has no reader, and written again when it has one, which is told', {
	timeout,
}, async () => {
	const { reader, openReader, writer } = pipe('gone');
	closeSync(reader);
	const output = new LogOutput(writer);
	output.onAgain = (lost) => output.write(`${lost} lost\n`);
	output.write('a\n');
	output.write('b\n');
	await pause(100);
	assert.equal(output.lost, 2);
	const again = openReader();
	output.write('c\n');
	await output.close();
	assert.equal(read(again), 'c\n2 lost\n');
});

test('a reader that does not read costs the lines beyond a mebibyte, and gets all others when it does', {
	timeout,
}, async () => {
	const { reader, writer } = pipe('slow');
	const output = new LogOutput(writer);
	const lines = Array.from({ length: 2_000 }, (_, index) => `${index}`.padStart(1_023, '.').concat('\n'));
	for (const line of lines) output.write(line);
	assert.equal(output.lost, 2_000 - 1_024);
	let got = '';
	const ended = output.close();
	for (let tries = 0; tries < 500 && got.length < 1_048_576; tries++, await pause(2)) got += read(reader);
	await ended;
	assert.equal(got, lines.slice(0, 1_024).join(''));
});

test('the end waits a second for a reader that never reads, and no longer', { timeout }, async () => {
	const { writer } = pipe('never');
	const output = new LogOutput(writer);
	for (let count = 0; count < 200; count++) output.write(`${'x'.repeat(1_023)}\n`);
	const before = performance.now();
	await output.close();
	const tookMs = performance.now() - before;
	assert.ok(tookMs > 900 && tookMs < 3_000, `${tookMs} ms`);
	await pause(200);
	assert.equal(output.lost, 200 - 64, 'a pipe holds 64 KiB (pipe(7)); the rest has been given up');
});
