/** A recording as a user reads it: what is written beside the output is whole, and the recording stays as it is. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Recorder } from '../../../../src/capture/recording.js';
import { eventHeader } from '../../../../src/decode/layout.generated.js';
import { version } from '../../../../src/shell/version.js';
import { packetHeadBytes, refusalBytes } from '../../../decode/samples.js';

const cli = fileURLToPath(new URL('../../../../src/bundle/cli.js', import.meta.url));
/** More than a pipe holds, so that a reader that goes away is noticed before the end. */
const refusals = 2_000;

let folder: string;
let recording: string;

before(async () => {
	folder = mkdtempSync(join(tmpdir(), 'ipvigil-playback-'));
	recording = join(folder, 'recording');
	const fail = () => assert.fail();
	const head = { version: version(), pid: 4711, epochOffsetUs: 0, bootOffsetUs: 0 };
	const recorder = new Recorder(recording, { head, nowMs: () => 1, onError: fail, onFull: fail });
	const record = Buffer.concat([refusalBytes, packetHeadBytes]);
	eventHeader.size.write(new DataView(record.buffer, record.byteOffset), 0, record.length);
	for (let count = 0; count < refusals; count++) recorder.batch('wire', record, Uint32Array.of(record.length));
	await recorder.close({});
});
after(() => rmSync(folder, { recursive: true }));

/** By the lengths of the blocks, which add up to the file where it is whole (draft-ietf-opsawg-pcapng, section 3.1). */
function packetsIn(file: Buffer): number {
	let packets = 0;
	let at = 0;
	for (; at < file.length; at += file.readUInt32LE(at + 4)) if (file.readUInt32LE(at) === 6) packets++;
	assert.equal(at, file.length);
	return packets;
}

function trace(...words: string[]) {
	return spawnSync(process.execPath, [cli, 'trace', ...words], { encoding: 'utf8', timeout: 30_000 });
}

test('a reader that has enough ends it, and the packets until then are in their file', async () => {
	const packets = join(folder, 'packets');
	const child = spawn(process.execPath, [cli, 'trace', '--read', recording, '--write', packets]);
	child.stdout.once('data', () => child.stdout.destroy());
	let said = '';
	child.stderr.on('data', (part) => {
		said += part;
	});
	const [code] = await once(child, 'close');
	assert.equal(code, 0);
	const shown = Number(/ipvigil: (\d+) events/.exec(said)?.[1]);
	assert.ok(shown < refusals, said);
	assert.equal(packetsIn(readFileSync(packets)), shown);
});

test('what has been read enough of, or is no recording, is let go of while its writer lives', async () => {
	const nonsense = join(folder, 'nonsense');
	writeFileSync(nonsense, 'x'.repeat(1_000));
	for (const [words, file, expected] of [
		[['trace', '--read', '-', '--limit', '1'], recording, 0],
		[['trace', '--read', '-'], recording, 0],
		[['replay', '-'], recording, 0],
		[['trace', '--read', '-'], nonsense, 2],
	] as const) {
		const child = spawn(process.execPath, [cli, ...words], { stdio: ['pipe', 'ignore', 'ignore'], timeout: 20_000 });
		// Its reader goes in the middle (EPIPE).
		child.stdin.on('error', () => {});
		child.stdin.write(readFileSync(file));
		const [code] = await once(child, 'exit');
		assert.equal(code, expected, words.join(' '));
	}
});

test('packets are not written over the recording that they are read from', () => {
	const copy = join(folder, 'copy');
	copyFileSync(recording, copy);
	const { status, stderr } = trace('--read', copy, '--write', copy);
	assert.equal(status, 2);
	assert.match(stderr, /is named for two things/);
	assert.deepEqual(readFileSync(copy), readFileSync(recording));
});

test('what has been recorded or captured before is not written over, and the remedy is told', () => {
	const before = readFileSync(recording);
	const other = join(folder, 'other');
	writeFileSync(other, 'x');
	for (const [file, words] of [
		[recording, ['trace', '--record', recording]],
		[other, ['trace', '--write', other]],
		[other, ['trace', '--read', recording, '--write', other]],
	] as const) {
		const { status, stderr } = spawnSync(process.execPath, [cli, ...words], { encoding: 'utf8', timeout: 30_000 });
		assert.equal(status, 2, words.join(' '));
		const sentence = `${file} has something in it already, and is left as it is.`;
		assert.equal(stderr, `ipvigil: ${sentence}\nMove it away, or name another file.\n`);
	}
	assert.deepEqual([readFileSync(recording), readFileSync(other, 'utf8')], [before, 'x']);
});

test('a directory is no recording, and a file to write two things to is refused', () => {
	assert.deepEqual([trace('--read', folder).status, trace('--write', 'x', '--record', 'x').status], [2, 2]);
});
