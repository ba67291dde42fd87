/** A netlink socket carries datagrams to the kernel and back; the codecs have their own tests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NetlinkSocket } from '../../src/addon/index.js';
import { refusalOf } from './fixture.js';

const netlinkRoute = 0;
const rtmNewLink = 16;
const rtmGetLink = 18;
const nlmsgError = 2;
const nlmsgDone = 3;
const request = 1;
const dump = 0x300;

/** struct nlmsghdr and an empty struct ifinfomsg (linux/netlink.h, linux/rtnetlink.h). */
function linkRequest(type: number, flags: number): Uint8Array {
	const bytes = new DataView(new ArrayBuffer(32));
	bytes.setUint32(0, 32, true);
	bytes.setUint16(4, type, true);
	bytes.setUint16(6, flags, true);
	bytes.setUint32(8, 7, true);
	return new Uint8Array(bytes.buffer);
}

/** The types of the messages in a datagram, and whom they are for. */
function messagesOf(datagram: Uint8Array): { type: number; portId: number }[] {
	const view = new DataView(datagram.buffer);
	const messages = [];
	for (let at = 0; at < datagram.byteLength; at += (view.getUint32(at, true) + 3) & ~3)
		messages.push({ type: view.getUint16(at + 4, true), portId: view.getUint32(at + 12, true) });
	return messages;
}

/** The first answer that ends with one of the `last` types. */
function ask(bytes: Uint8Array, last: number[]): Promise<{ types: number[]; portIds: Set<number>; portId: number }> {
	return new Promise((resolve, reject) => {
		const types: number[] = [];
		const portIds = new Set<number>();
		const socket = new NetlinkSocket({
			protocol: netlinkRoute,
			onBatch: (datagrams) => {
				for (const { type, portId } of datagrams.flatMap(messagesOf)) {
					types.push(type);
					portIds.add(portId);
				}
				if (!types.some((type) => last.includes(type))) return;
				const { portId } = socket;
				socket.close();
				resolve({ types, portIds, portId });
			},
			onError: reject,
		});
		socket.send(bytes);
	});
}

test('a dump of the links arrives whole and is addressed to us', async () => {
	const { types, portIds, portId } = await ask(linkRequest(rtmGetLink, request | dump), [nlmsgDone]);
	assert.equal(types[0], rtmNewLink);
	assert.equal(types.at(-1), nlmsgDone);
	assert.ok(portId > 0);
	assert.deepEqual([...portIds], [portId]);
});

test('a request that makes no sense is answered by the kernel, not thrown', async () => {
	const { types } = await ask(linkRequest(9999, request), [nlmsgError]);
	assert.deepEqual(types, [nlmsgError]);
});

test('two sockets have two addresses', () => {
	const options = { protocol: netlinkRoute, onBatch: () => undefined, onError: () => undefined };
	const sockets = [new NetlinkSocket(options), new NetlinkSocket(options)];
	assert.notEqual(sockets[0]?.portId, sockets[1]?.portId);
	for (const socket of sockets) socket.close();
});

test('a protocol or group that the kernel does not have is refused', () => {
	const callbacks = { onBatch: () => undefined, onError: () => undefined };
	assert.equal(
		refusalOf(() => new NetlinkSocket({ protocol: 31, ...callbacks })),
		'EPROTONOSUPPORT socket',
	);
	assert.equal(
		refusalOf(() => new NetlinkSocket({ protocol: netlinkRoute, groups: [60_000], ...callbacks })),
		'EINVAL setsockopt',
	);
});

test('closing twice is harmless, and every other call is EBADF afterwards', () => {
	const socket = new NetlinkSocket({ protocol: netlinkRoute, onBatch: () => undefined, onError: () => undefined });
	socket.close();
	socket.close();
	assert.match(
		refusalOf(() => socket.send(linkRequest(rtmGetLink, request))),
		/^EBADF/,
	);
	assert.match(
		refusalOf(() => socket.portId),
		/^EBADF/,
	);
});
