/**
 * Frames, errors and ends of dumps, against captured bytes and against everything that may go wrong with them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AttributeReader, putNest, putText, putU8, putU16, putU32 } from '../../src/netlink/attribute.js';
import { aligned, ByteReader, ByteWriter, viewOf } from '../../src/netlink/bytes.js';
import { getFamily, readFamily } from '../../src/netlink/generic.js';
import {
	frameRequest,
	messageFlag,
	messageType,
	readDone,
	readError,
	readMessages,
} from '../../src/netlink/message.js';
import { exchanges, replies } from './replay.js';

const whole = (bytes: Uint8Array) => ({ view: viewOf(bytes), start: 0, end: bytes.length });

test('a reader gives what is there, and fails once and for all at what is not', () => {
	const reader = new ByteReader(whole(Uint8Array.of(1, 2, 0, 3, 0, 0, 0, 9)));
	assert.deepEqual([reader.u8(), reader.bytes(2), reader.u32()], [1, Uint8Array.of(2, 0), 3]);
	assert.equal(reader.failed, false);
	assert.equal(reader.u16(), 0);
	assert.equal(reader.failed, true);
	assert.equal(reader.u8(), 0, 'the last octet is not given after a failure');
});

test('alignment is to four', () => {
	assert.deepEqual([0, 1, 4, 5].map(aligned), [0, 4, 4, 8]);
});

test('a request larger than any of ours is a bug', () => {
	new ByteWriter().bytes(new Uint8Array(512));
	assert.throws(() => new ByteWriter().bytes(new Uint8Array(513)), RangeError);
});

test('attributes are read back as they were written, nests within nests', () => {
	const writer = new ByteWriter();
	putU8(writer, 1, 200);
	putNest(writer, 2, () => {
		putU16(writer, 3, 0xfffe);
		putText(writer, 4, 'wlc');
	});
	putU32(writer, 5, 0xfffffffe);
	const outer = new AttributeReader(whole(writer.finish()));
	assert.ok(outer.next());
	assert.deepEqual([outer.type, outer.u8()], [1, 200]);
	assert.ok(outer.next());
	assert.equal(outer.type, 2, 'the nested flag is no part of the type');
	const inner = new AttributeReader(outer.inside());
	assert.ok(inner.next() && inner.u16() === 0xfffe && inner.next() && inner.text() === 'wlc' && !inner.next());
	assert.ok(outer.next() && outer.u32() === 0xfffffffe && !outer.next());
	assert.ok(!outer.malformed && !inner.malformed);
});

test('an attribute that is shorter than what is read from it is malformed', () => {
	const writer = new ByteWriter();
	putU16(writer, 1, 7);
	const attributes = new AttributeReader(whole(writer.finish()));
	assert.ok(attributes.next());
	assert.equal(attributes.u32(), 0);
	assert.ok(attributes.malformed);
});

test('a request is framed as the kernel wants it', () => {
	const framed = frameRequest(0x20, messageFlag.ack, 7, Uint8Array.of(1, 2, 3, 4));
	assert.deepEqual([...framed], [20, 0, 0, 0, 0x20, 0, 5, 0, 7, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
});

test('a family is asked for and answered with its number', () => {
	const [exchange] = exchanges('family-nlctrl');
	assert.ok(exchange);
	const [message] = readMessages(exchange.replies[0] ?? new Uint8Array(0)).messages;
	assert.ok(message);
	assert.deepEqual(readFamily(message), { id: 0x10, name: 'nlctrl', version: 2 });
	// ipvsadm's own request, header apart.
	const [asked] = exchanges('ipvs-table');
	assert.deepEqual(getFamily('IPVS'), asked?.request.slice(16));
});

test('an unknown family is ENOENT', () => {
	const [message] = readMessages(replies('family-none')[0] ?? new Uint8Array(0)).messages;
	assert.equal(message?.type, messageType.error);
	assert.deepEqual(message && readError(message), { errno: 2, text: undefined });
});

/** NLMSG_ERROR with an extended acknowledgement, as netlink_ack() lays it out. */
function errorMessage(errno: number, flags: number, quoted: Uint8Array, text: string): Uint8Array {
	const body = new ByteWriter().u32(-errno >>> 0).bytes(quoted);
	putText(body, 1, text);
	return frameRequest(messageType.error, flags, 1, body.finish());
}

test('the kernel’s own words are found behind a quoted and behind a capped request', () => {
	const request = frameRequest(0x20, 0, 1, new Uint8Array(24));
	for (const [flags, quoted] of [
		[messageFlag.ackAttributes, request],
		[messageFlag.ackAttributes | messageFlag.capped, request.subarray(0, 16)],
	] as const) {
		const [message] = readMessages(errorMessage(22, flags, quoted, 'Invalid weight')).messages;
		assert.deepEqual(message && readError(message), { errno: 22, text: 'Invalid weight' });
	}
	const [plain] = readMessages(errorMessage(22, 0, request, 'no attributes are announced')).messages;
	assert.deepEqual(plain && readError(plain), { errno: 22, text: undefined });
});

test('an acknowledgement is errno 0, and a dump may fail in its last message', () => {
	const acknowledgement = replies('ipvs-set')
		.flatMap((datagram) => readMessages(datagram).messages)
		.at(-1);
	assert.deepEqual(acknowledgement && readError(acknowledgement), { errno: 0, text: undefined });
	const done = (body: Uint8Array) => readMessages(frameRequest(messageType.done, 0, 1, body)).messages[0];
	const failed = done(new ByteWriter().u32(-105 >>> 0).finish());
	assert.deepEqual(failed && readDone(failed), { errno: 105, text: undefined });
	const empty = done(new Uint8Array(0));
	assert.deepEqual(empty && readDone(empty), { errno: 0, text: undefined });
	const short = done(Uint8Array.of(1));
	assert.equal(short && readDone(short), undefined);
});

test('a datagram cut anywhere gives whole messages only', () => {
	const [datagram] = replies('route-addresses');
	assert.ok(datagram);
	const starts = new Set(readMessages(datagram).messages.map((message) => message.end));
	for (let length = 1; length < datagram.length; length++) {
		const { messages, malformed } = readMessages(datagram.subarray(0, length));
		assert.equal(malformed, !starts.has(length), `cut at ${length}`);
		assert.ok(messages.every((message) => message.end <= length));
	}
});

test('no octets whatever make the frame reader, the error reader or the attribute reader throw', () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 96 }), (octets) => {
			const { messages } = readMessages(octets);
			for (const message of messages) void [readError(message), readDone(message), readFamily(message)];
			const attributes = new AttributeReader(whole(octets));
			while (attributes.next()) void [attributes.text(), attributes.u32(), attributes.octets()];
		}),
	);
});
