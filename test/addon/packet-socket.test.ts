/**
 * Frames go out and come in on the loopback interface, under an EtherType of their own that nobody else hears. Needs
 * CAP_NET_RAW; what is not about the loopback is in interfaces.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PacketSocket } from '../../src/addon/index.js';
import { filterOf, refusalOf, returnAll } from './fixture.js';

const loopback = 1;
const ignore = () => undefined;

/** "Local Experimental EtherType 1" (IEEE 802, clause 9.2.4): what our filter lets through, and its neighbour. */
const ours = 0x88b5;
const others = 0x88b6;

/** ldh [12]; jeq #ours, 0, 1; ret #bytes; ret #0 (linux/filter.h, linux/bpf_common.h). */
const onlyOurs = (bytes: number) =>
	filterOf([0x28, 0, 0, 12], [0x15, 0, 1, ours], [0x06, 0, 0, bytes], [0x06, 0, 0, 0]);

function frameOf(etherType: number, length: number, fill = 0): Uint8Array {
	const frame = new Uint8Array(length).fill(fill);
	frame.fill(0, 0, 12);
	frame.set([etherType >> 8, etherType & 0xff], 12);
	return frame;
}

/** All batches that came while `send` ran and shortly after. */
async function heard(filter: Uint8Array, send: (socket: PacketSocket) => void): Promise<Uint8Array[][]> {
	const batches: Uint8Array[][] = [];
	const onBatch = (frames: Uint8Array[]) => batches.push(frames);
	const socket = new PacketSocket({
		interfaceIndex: loopback,
		filter,
		onBatch,
		onError: (error) => assert.fail(error),
	});
	send(socket);
	await sleep(50);
	socket.close();
	return batches;
}

test('what the filter lets through arrives as it was sent, once, and nothing else does', async () => {
	const batches = await heard(onlyOurs(0xffff), (socket) => {
		socket.send(frameOf(others, 60));
		socket.send(frameOf(ours, 14));
		socket.send(frameOf(ours, 1_000, 7));
	});
	assert.deepEqual(batches.flat(), [frameOf(ours, 14), frameOf(ours, 1_000, 7)]);
});

test('a frame is cut where the filter says', async () => {
	const [frame] = (await heard(onlyOurs(20), (socket) => socket.send(frameOf(ours, 60, 7)))).flat();
	assert.deepEqual(frame, frameOf(ours, 60, 7).subarray(0, 20));
});

test('batches are bounded, and a burst arrives whole and in order', async () => {
	const batches = await heard(onlyOurs(0xffff), (socket) => {
		for (let at = 0; at < 150; at++) socket.send(frameOf(ours, 15, at));
	});
	assert.ok(batches.length >= 3 && batches.every((frames) => frames.length <= 64));
	assert.deepEqual(
		batches.flat().map((frame) => frame[14]),
		Array.from({ length: 150 }, (_, at) => at),
	);
});

test('no such interface, no valid program: each is the kernel’s own error', () => {
	const options = { interfaceIndex: loopback, filter: returnAll, onBatch: ignore, onError: ignore };
	assert.equal(
		refusalOf(() => new PacketSocket({ ...options, interfaceIndex: 999_999 })),
		'ENODEV bind',
	);
	// A program that does not end by a return (bpf_check_classic() in net/core/filter.c).
	assert.equal(
		refusalOf(() => new PacketSocket({ ...options, filter: filterOf([0x28, 0, 0, 12]) })),
		'EINVAL setsockopt',
	);
});

test('closing twice is harmless, and sending is EBADF afterwards', () => {
	const socket = new PacketSocket({ interfaceIndex: loopback, filter: returnAll, onBatch: ignore, onError: ignore });
	socket.close();
	socket.close();
	assert.match(
		refusalOf(() => socket.send(frameOf(ours, 14))),
		/^EBADF/,
	);
});
