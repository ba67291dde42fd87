/**
 * The RTNETLINK codec against what `ip` and a kernel said to each other (test/fixtures/netlink/README.txt).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { viewOf } from '../../src/netlink/bytes.js';
import { type Message, readMessages } from '../../src/netlink/message.js';
import { readAddress, readChange, readLink, readNeighbour } from '../../src/netlink/route.js';
import { getRoute, readRoute } from '../../src/netlink/route-lookup.js';
import { exchanges, replies } from './replay.js';

const messages = (name: string): Message[] => replies(name).flatMap((datagram) => readMessages(datagram).messages);
const read = <T>(name: string, reader: (message: Message) => T | undefined): T[] =>
	messages(name)
		.map(reader)
		.filter((found) => found !== undefined);

test('links are read: carrier, state, kind, master', () => {
	const links = new Map(read('route-links', readLink).map((link) => [link.name, link]));
	assert.deepEqual([...links.keys()], ['lo', 'dummy0', 'bond0', 'p0', 'v0', 'd0', 'd0.7']);
	assert.deepEqual(links.get('v0'), {
		index: 5,
		name: 'v0',
		up: true,
		running: false,
		carrier: false,
		operationalState: 'lowerlayerdown',
		carrierChanges: 1,
		kind: 'veth',
		slaveKind: 'bond',
		masterIndex: 3,
		linkAddress: 'c2:eb:a4:99:b7:d9',
		parentIndex: 0,
		bond: undefined,
		slave: { active: false, link: 'down', aggregatorId: 0, partnerInSync: false },
	});
	const { carrier, up, running, kind } = links.get('d0') ?? assert.fail();
	assert.deepEqual([carrier, up, running, kind], [true, true, true, 'dummy']);
	assert.deepEqual([links.get('bond0')?.kind, links.get('bond0')?.operationalState], ['bond', 'down']);
	assert.deepEqual([links.get('d0.7')?.kind, links.get('d0.7')?.up], ['vlan', false]);
});

test('addresses are read in both families', () => {
	const addresses = read('route-addresses', readAddress).map(
		(found) => `${found.interfaceIndex} ${found.address}/${found.prefixLength}`,
	);
	const inet = ['1 127.0.0.1/8', '1 10.9.9.9/32', '1 10.0.0.103/32', '3 10.2.0.1/24', '6 10.1.0.1/24'];
	assert.deepEqual(addresses, [...inet, '1 ::1/128', '6 fd00:1::1/64', '6 fe80::40d4:6fff:fe7c:bc6b/64']);
});

test('neighbours are read with their state', () => {
	const neighbours = new Map(read('route-neighbours', readNeighbour).map((found) => [found.address, found]));
	assert.deepEqual(neighbours.get('10.1.0.11'), {
		interfaceIndex: 6,
		family: 'inet',
		address: '10.1.0.11',
		state: 'permanent',
		linkAddress: '02:00:00:00:00:11',
	});
	assert.deepEqual(
		[neighbours.get('10.2.0.14')?.state, neighbours.get('10.2.0.14')?.linkAddress],
		['failed', undefined],
	);
	assert.equal(neighbours.get('10.1.0.12')?.state, 'reachable');
	assert.equal(neighbours.get('fd00:1::13')?.state, 'stale');
});

test('a route is read: on the link, through a gateway, in IPv6, to ourselves', () => {
	const route = (name: string) => read(name, readRoute)[0];
	assert.deepEqual(route('route-get-onlink'), {
		kind: 'unicast',
		interfaceIndex: 6,
		gateway: undefined,
		source: '10.1.0.1',
	});
	assert.deepEqual(route('route-get-gateway'), {
		kind: 'unicast',
		interfaceIndex: 6,
		gateway: '10.1.0.254',
		source: '10.1.0.1',
	});
	assert.deepEqual(route('route-get-gateway6'), {
		kind: 'unicast',
		interfaceIndex: 6,
		gateway: 'fd00:1::fe',
		source: 'fd00:1::1',
	});
	assert.deepEqual(route('route-get-local'), {
		kind: 'local',
		interfaceIndex: 1,
		gateway: undefined,
		source: '10.1.0.1',
	});
});

test('the question for a route is ip’s, but for the flag that asks for the table’s number', () => {
	const [exchange] = exchanges('route-get-onlink');
	const asked = exchange?.request.slice(16) ?? assert.fail();
	asked.fill(0, 8, 12);
	// ip leaves RTA_DST's length at 32 as we do.
	assert.deepEqual(getRoute('inet', '10.1.0.11'), asked);
	assert.throws(() => getRoute('inet', 'nowhere'), TypeError);
});

test('a bond loses and regains its carrier in the notifications, and what was removed is told so', () => {
	const changes = read('route-changes', readChange);
	const bond = changes.filter((change) => change.kind === 'link' && change.link.name === 'bond0');
	assert.deepEqual(
		bond.map((change) => change.kind === 'link' && change.link.carrier),
		[false, true, true, false],
	);
	const told = changes.map((change) => {
		if (change.kind === 'link') return `${change.change} ${change.link.name}`;
		return change.kind === 'address'
			? `${change.change} ${change.address.address}`
			: `${change.change} ${change.neighbour.address}`;
	});
	for (const expected of ['set 10.9.0.1', 'removed 10.9.0.1', 'removed 10.1.0.11', 'set d1', 'removed d1']) {
		assert.ok(told.includes(expected), expected);
	}
	assert.equal(changes.length, messages('route-changes').length);
});

const all = [
	'route-links',
	'route-addresses',
	'route-neighbours',
	'route-get-gateway6',
	'route-changes',
	'route-bonds-lost',
].flatMap(messages);
const readers = [readLink, readAddress, readNeighbour, readRoute, readChange];

test('a message cut anywhere gives nothing or a whole object, never an error', () => {
	for (const message of all.slice(0, 24)) {
		for (let end = message.start; end < message.end; end++)
			for (const reader of readers) void reader({ ...message, end });
	}
	const [link] = messages('route-links');
	assert.equal(link && readLink({ ...link, end: link.start + 20 }), undefined);
});

test('no mutation of a message makes a reader throw', () => {
	const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 });
	fc.assert(
		fc.property(fc.constantFrom(...all), changes, (message, mutations) => {
			const octets = new Uint8Array(
				message.view.buffer,
				message.view.byteOffset + message.start,
				message.end - message.start,
			).slice();
			for (const [at, value] of mutations) if (octets.length > 0) octets[at % octets.length] = value;
			for (const reader of readers) void reader({ ...message, view: viewOf(octets), start: 0, end: octets.length });
		}),
		{ numRuns: 2000 },
	);
});
