/** Packet files as another program reads them: tshark where it is installed, and block by block here. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { FileTakenError } from '../../src/capture/bounded-file.js';
import { PacketFile } from '../../src/capture/pcapng.js';

/** 10.1.0.11:8080 refuses 192.0.2.7:40000: RST|ACK, sequence 0; the checksums are right. */
const packet = Buffer.from('450000280000400040066f0f0a01000bc00002071f909c400000000000000001501400006e9c0000', 'hex');
const frame = Buffer.concat([Buffer.from('020000000001020000000002' + '0800', 'hex'), packet]);
const epochUs = Date.parse('2026-11-22T17:35:02.123Z') * 1000 + 456;

let file: string;
let folder: string;
before(async () => {
	folder = mkdtempSync(join(tmpdir(), 'ipvigil-'));
	file = join(folder, 'x.pcapng');
	const packets = new PacketFile(file, 'ipvigil 9.9.9', (error) => assert.fail(error));
	packets.write(epochUs, { packetOctets: 1500, protocol: 0, octets: frame }, 'a frame, cut');
	packets.write(epochUs + 1, { packetOctets: 40, protocol: 0x0800, octets: packet }, 'ein Päckchen');
	await packets.close();
});
after(() => rmSync(folder, { recursive: true }));

interface Block {
	type: number;
	body: Buffer;
}

function blocksOf(octets: Buffer): Block[] {
	const blocks: Block[] = [];
	for (let at = 0; at < octets.length; ) {
		const length = octets.readUInt32LE(at + 4);
		assert.equal(octets.readUInt32LE(at + length - 4), length, 'the length stands at both ends');
		assert.equal(length % 4, 0);
		blocks.push({ type: octets.readUInt32LE(at), body: octets.subarray(at + 8, at + length - 4) });
		at += length;
	}
	return blocks;
}

/** The first option behind the fixed part: its code and its text. */
function optionAt(body: Buffer, at: number): [number, string] {
	const length = body.readUInt16LE(at + 2);
	return [body.readUInt16LE(at), body.toString('utf8', at + 4, at + 4 + length)];
}

test('a file is a section, an interface for frames and one for packets, and then the packets', () => {
	const [section, frames, packets, first, second, ...more] = blocksOf(readFileSync(file));
	assert.ok(section && frames && packets && first && second);
	assert.equal(more.length, 0);
	assert.equal(section.type, 0x0a0d0d0a);
	assert.equal(section.body.readUInt32LE(0), 0x1a2b3c4d);
	assert.deepEqual(optionAt(section.body, 16), [4, 'ipvigil 9.9.9']);
	assert.deepEqual([frames.type, frames.body.readUInt16LE(0)], [1, 1]);
	assert.deepEqual([packets.type, packets.body.readUInt16LE(0)], [1, 101]);
	const seen = [first, second].map(({ type, body }) => {
		const [interfaceId, high = 0, low = 0, captured = 0, whole] = [0, 4, 8, 12, 16].map((at) => body.readUInt32LE(at));
		const time = high * 2 ** 32 + low;
		const octets = body.subarray(20, 20 + captured);
		return { type, interfaceId, time, whole, octets, comment: optionAt(body, 20 + Math.ceil(captured / 4) * 4) };
	});
	assert.deepEqual(seen, [
		{ type: 6, interfaceId: 0, time: epochUs, whole: 1500, octets: frame, comment: [1, 'a frame, cut'] },
		{ type: 6, interfaceId: 1, time: epochUs + 1, whole: 40, octets: packet, comment: [1, 'ein Päckchen'] },
	]);
});

test('tshark reads it, times, comments and all', () => {
	const fields = ['frame.time_epoch', 'frame.len', 'frame.comment', 'tcp.srcport', 'tcp.flags', 'ip.dst'];
	const out = execFileSync('tshark', ['-r', file, '-T', 'fields', ...fields.flatMap((name) => ['-e', name])], {
		encoding: 'utf8',
		stdio: 'pipe',
	});
	const rows = out
		.trimEnd()
		.split('\n')
		.map((line) => line.split('\t'));
	const seconds = (us: number) => `${Math.floor(us / 1e6)}.${String(us % 1e6).padStart(6, '0')}000`;
	assert.deepEqual(rows, [
		[seconds(epochUs), '1500', 'a frame, cut', '8080', '0x0014', '192.0.2.7'],
		[seconds(epochUs + 1), '40', 'ein Päckchen', '8080', '0x0014', '192.0.2.7'],
	]);
});

test('only its owner may read it', () => assert.equal(statSync(file).mode & 0o777, 0o600));

test('a file without a packet is a capture, and none is written over', async () => {
	const path = join(folder, 'none.pcapng');
	const open = () => new PacketFile(path, 'ipvigil 9.9.9', (error) => assert.fail(error));
	await open().close();
	assert.deepEqual(
		blocksOf(readFileSync(path)).map(({ type }) => type),
		[0x0a0d0d0a, 1, 1],
	);
	assert.throws(open, FileTakenError);
});
