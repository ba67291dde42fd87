/** What is wrong with an argument is said in TypeScript, before C++ sees it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
	BpfObject,
	interfaceIndex,
	type Link,
	MarkedConnection,
	NetlinkSocket,
	openMarkedDatagramSocket,
	PacketSocket,
	RingReader,
} from '../../src/addon/index.js';
import { loadFixture, openFixture, packetOf, returnAll, u32, u64 } from './fixture.js';

/** Any value where the types would not let it through. */
const wrong = (value: unknown) => value as never;
const ignore = () => undefined;

test('text that is no string, empty, too long or holds a NUL is refused with the name of the argument', () => {
	assert.throws(() => BpfObject.open(wrong(7)), { name: 'TypeError', message: 'path must be a string, not 7' });
	assert.throws(() => BpfObject.open(wrong(undefined)), TypeError);
	for (const text of ['', 'a\0b', 'x'.repeat(4096)]) assert.throws(() => interfaceIndex(text), RangeError);
	assert.equal(interfaceIndex('x'.repeat(4095)), undefined);
});

test('configuring an object takes bytes, counts and booleans', () => {
	const object = openFixture();
	assert.throws(() => object.setVariable('answer', wrong('1234')), /bytes must be a Uint8Array, not string/);
	for (const entries of [0, 1.5, -1, 2 ** 32, Number.NaN])
		assert.throws(() => object.setMaxEntries('plain', entries), RangeError);
	object.setMaxEntries('plain', 1);
	assert.throws(() => object.setAutoload('rejected', wrong(1)), /load must be true or false/);
});

test('attaching takes an interface index, a known mode and a place within tc’s limits', () => {
	const object = loadFixture();
	for (const index of [0, -1, 2 ** 31]) assert.throws(() => object.attachTcx('tc_record', index), RangeError);
	assert.throws(() => object.attachXdp('xdp_record', 1, wrong('fast')), /mode must be native or generic, not fast/);
	assert.throws(() => object.attachClsact('tc_record', 1, { handle: 0, priority: 1 }), /handle/);
	assert.throws(() => object.attachClsact('tc_record', 1, { handle: 1, priority: 65_536 }), /priority/);
	object.close();
});

test('keys and values must have the map’s sizes, and batches whole keys', () => {
	const object = loadFixture();
	const map = object.map('plain');
	assert.throws(() => map.get(packetOf(3)), { name: 'RangeError', message: 'key must have 4 bytes, not 3' });
	assert.throws(() => map.set(u32(1), u32(1)), /value must have 8 bytes, not 4/);
	assert.throws(() => map.set(u32(1), u64(1n), { flags: wrong(3) }), /flags/);
	assert.throws(() => map.setBatch(packetOf(6), packetOf(8)), /whole keys of 4 bytes/);
	assert.throws(() => map.setBatch(u32(1, 2), u64(1n)), /values must have 16 bytes, not 8/);
	assert.throws(() => map.entries(0), RangeError);
	map.close();
	object.close();
});

test('a test run takes at least an Ethernet header and at most a million repetitions', () => {
	const object = loadFixture();
	assert.throws(() => object.testRun('xdp_record', packetOf(13)), /packet length must be an integer from 14/);
	assert.throws(() => object.testRun('xdp_record', packetOf(64), { repeat: 1_000_001 }), /repeat/);
	object.close();
});

test('rings and sockets take a map, functions and bounded numbers', () => {
	const object = loadFixture();
	const events = object.map('events');
	assert.throws(() => new RingReader(wrong({}), { onBatch: ignore, onError: ignore }), /map must be a BpfMap/);
	assert.throws(() => new RingReader(events, { onBatch: wrong(1), onError: ignore }), /onBatch must be a function/);
	const limits = [
		{ maxRecordsPerBatch: 0 },
		{ maxRecordsPerBatch: 65_537 },
		{ maxBytesPerBatch: 0 },
		{ pauseMs: 1001 },
	];
	for (const limit of limits)
		assert.throws(() => new RingReader(events, { ...limit, onBatch: ignore, onError: ignore }), RangeError);
	assert.throws(() => new NetlinkSocket({ protocol: 32, onBatch: ignore, onError: ignore }), RangeError);
	assert.throws(() => new NetlinkSocket({ protocol: 0, groups: [0], onBatch: ignore, onError: ignore }), RangeError);
	object.close();
});

test('a packet socket takes an interface, whole instructions and at least an Ethernet header', () => {
	const options = { interfaceIndex: 1, filter: returnAll, onBatch: ignore, onError: ignore };
	assert.throws(() => new PacketSocket({ ...options, interfaceIndex: 0 }), /interfaceIndex must be an integer from 1/);
	for (const bytes of [0, 7, 12, 8 * 4097])
		assert.throws(
			() => new PacketSocket({ ...options, filter: packetOf(bytes) }),
			/number of instructions in filter must be an integer from 1 to 4096/,
		);
	assert.throws(() => new PacketSocket({ ...options, onBatch: wrong(1) }), /onBatch must be a function/);
	const socket = new PacketSocket(options);
	for (const bytes of [13, 65_550]) assert.throws(() => socket.send(packetOf(bytes)), /length of frame/);
	socket.close();
});

test('a marked socket takes a mark, whole addresses of one family, a port and functions', () => {
	const options = { mark: 1, address: packetOf(4), port: 9, onConnect: ignore, onError: ignore };
	for (const mark of [0, -1, 1.5, 2 ** 32]) {
		assert.throws(() => new MarkedConnection({ ...options, mark }), /mark must be an integer from 1/);
		assert.throws(() => openMarkedDatagramSocket({ mark, source: packetOf(4) }), /mark must be an integer from 1/);
	}
	for (const octets of [0, 3, 5, 15, 17]) {
		const words = new RegExp(`must have 4 or 16 bytes, not ${octets}`);
		assert.throws(() => new MarkedConnection({ ...options, address: packetOf(octets) }), words);
		assert.throws(() => openMarkedDatagramSocket({ mark: 1, source: packetOf(octets) }), words);
	}
	assert.throws(() => new MarkedConnection({ ...options, source: packetOf(16) }), /source must have 4 bytes, not 16/);
	assert.throws(() => new MarkedConnection({ ...options, address: wrong('127.0.0.1') }), /must be a Uint8Array/);
	for (const port of [0, 65_536]) assert.throws(() => new MarkedConnection({ ...options, port }), /port must be/);
	assert.throws(() => new MarkedConnection({ ...options, onConnect: wrong(1) }), /onConnect must be a function/);
	assert.throws(() => new MarkedConnection({ ...options, onError: wrong(1) }), /onError must be a function/);
});

test('a link is updated from a BpfObject and from nothing that looks like one', () => {
	const object = loadFixture();
	const link: Link = object.attachTracing('count_calls');
	assert.throws(() => link.update(wrong({ native: {} }), 'count_calls'), /object must be a BpfObject/);
	link.close();
	object.close();
});
