/**
 * The IPVS codec against what ipvsadm and a kernel said to each other, and against hostile bytes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { putNest, putOctets, putU8, putU16, putU32 } from '../../src/netlink/attribute.js';
import { ByteWriter, viewOf } from '../../src/netlink/bytes.js';
import { getDestinations, getInfo, getService, getServices, setDestination } from '../../src/netlink/ipvs.js';
import { readDestination, readInfo, readService } from '../../src/netlink/ipvs-answer.js';
import { type Message, readMessages } from '../../src/netlink/message.js';
import { parseServiceId } from '../../src/table/identity.js';
import type { Destination, ServiceAddress } from '../../src/table/model.js';
import { destination } from '../table/arbitrary.js';
import { exchanges, replies } from './replay.js';

function address(id: string): ServiceAddress {
	const parsed = parseServiceId(id);
	assert.ok(parsed);
	return parsed;
}

/** The bodies that ipvsadm sent, headers apart. */
function sent(name: string): string[] {
	return exchanges(name).map(({ request }) => Buffer.from(request.subarray(16)).toString('hex'));
}

const hex = (body: Uint8Array) => Buffer.from(body).toString('hex');

function messages(name: string): Message[] {
	return replies(name).flatMap((datagram) => readMessages(datagram).messages);
}

test('our questions are ipvsadm’s, octet for octet', () => {
	const asked = sent('ipvs-table');
	assert.ok(asked.includes(hex(getInfo())));
	assert.ok(asked.includes(hex(getServices())));
	for (const id of ['tcp 10.0.0.102:80', 'sctp 10.0.0.100:2905', 'tcp [fd00::100]:443', 'fwmark 7', 'fwmark 7 inet6']) {
		assert.ok(asked.includes(hex(getDestinations(address(id)))), id);
	}
	// ipvsadm fills in defaults for the whole service; what names it is what ours consists of.
	const named = hex(getService(address('tcp 10.0.0.102:80'))).slice(16);
	assert.ok(sent('ipvs-service').some((body) => body.startsWith('04') && body.slice(16).startsWith(named)));
});

test('version and table size are read', () => {
	const info = messages('ipvs-table')
		.map(readInfo)
		.find((found) => found !== undefined);
	assert.deepEqual(info, { version: '1.2.1', connectionTableSize: 4096 });
});

test('a namespace without a service has a connection table of size 0 on 7.3; one that is not named is no answer', () => {
	const [version, size] = ['0800010001020100', '0800020000000000'];
	const answer = (attributes: string) => {
		const octets = Buffer.from(`ff00000020000000a9f8026baf0040a90e010000${attributes}`, 'hex');
		octets.writeUInt32LE(octets.length, 0);
		return readMessages(octets).messages.map(readInfo);
	};
	assert.deepEqual(answer(`${version}${size}`), [{ version: '1.2.1', connectionTableSize: 0 }]);
	assert.deepEqual(answer(version), [undefined]);
	assert.deepEqual(answer(size), [undefined]);
});

test('every kind of service is read: tcp, udp, sctp, firewall marks of both families, IPv6, persistent, flags', () => {
	const services = messages('ipvs-table')
		.map(readService)
		.filter((found) => found !== undefined);
	const told = services.map(({ address: of, scheduler, flags, persistenceSeconds, netmask, persistenceEngine }) => [
		of.kind === 'fwmark' ? `fwmark ${of.fwmark} ${of.family}` : `${of.protocol} ${of.address} ${of.port}`,
		scheduler,
		flags,
		persistenceSeconds,
		netmask,
		persistenceEngine,
	]);
	// Flag 2 is "hashed", which the kernel sets on every service that it serves.
	const expected = [
		['tcp 10.0.0.100 80', 'wrr', 2, 0, '255.255.255.255', ''],
		['udp 10.0.0.100 53', 'rr', 2 | 4, 0, '255.255.255.255', ''],
		['sctp 10.0.0.100 2905', 'wlc', 2, 0, '255.255.255.255', ''],
		['tcp 10.0.0.101 0', 'sh', 1 | 2 | 8 | 16, 300, '255.255.255.0', ''],
		['udp 10.0.0.101 5060', 'mh', 1 | 2 | 4, 60, '255.255.255.255', 'sip'],
		['tcp 10.0.0.102 80', 'rr', 2, 0, '255.255.255.255', ''],
		['tcp fd00::100 443', 'wrr', 1 | 2, 600, '64', ''],
		['fwmark 7 inet', 'wrr', 1 | 2, 360, '255.255.255.255', ''],
		['fwmark 7 inet6', 'rr', 2, 0, '128', ''],
		['tcp 10.0.0.103 8080', 'rr', 2, 0, '255.255.255.255', ''],
		['tcp 10.0.0.104 81', 'rr', 2, 0, '255.255.255.255', ''],
	];
	assert.deepEqual(told.map(String).sort(), expected.map(String).sort());
	const counted = services.find((service) => service.stats.connections > 0n);
	assert.deepEqual(counted?.stats, { connections: 3n, packetsIn: 18n, packetsOut: 12n, bytesIn: 966n, bytesOut: 657n });
});

/** The destinations of a fixture by address, the family of the service being IPv4. */
function destinations(name: string): Map<string, Destination> {
	const found = messages(name).map((message) => readDestination(message, 'inet'));
	return new Map(found.filter((server) => server !== undefined).map((server) => [server.address, server]));
}

test('every attribute of a destination is read: thresholds, tunnels, the family of its own', () => {
	const servers = destinations('ipvs-table');
	const { stats: _stats, ...plain } = servers.get('10.1.0.12') ?? assert.fail();
	assert.deepEqual(plain, {
		family: 'inet',
		address: '10.1.0.12',
		port: 8080,
		forwarding: 'masq',
		weight: 20,
		upperThreshold: 1000,
		lowerThreshold: 800,
		tunnel: { type: 'ipip', port: 0, flags: 0 },
		activeConnections: 0,
		inactiveConnections: 0,
		persistentConnections: 0,
	});
	assert.deepEqual(servers.get('10.1.0.18')?.tunnel, { type: 'gue', port: 6080, flags: 1 });
	assert.deepEqual(servers.get('10.1.0.19')?.tunnel, { type: 'gre', port: 0, flags: 1 });
	assert.deepEqual(servers.get('10.1.0.20')?.tunnel, { type: 'gue', port: 6081, flags: 2 });
	assert.deepEqual([servers.get('fd00:1::21')?.family, servers.get('fd00:1::21')?.forwarding], ['inet6', 'tunnel']);
	assert.equal(servers.get('10.1.0.13')?.forwarding, 'droute');
	assert.equal(servers.get('10.9.9.9')?.stats.connections, 3n);
});

/** A SET_DEST of ours turned into the kernel's NEW_DEST: same nest, as a dump would bring it. */
function asAnswer(request: Uint8Array): Message {
	const copy = request.slice();
	copy[0] = 5;
	return { type: 0x20, flags: 0, sequence: 1, view: viewOf(copy), start: 0, end: copy.length };
}

test('what a dump says of a destination, SET_DEST carries back unchanged', () => {
	for (const server of destinations('ipvs-table').values()) {
		const written = readDestination(asAnswer(setDestination(address('tcp 10.0.0.102:80'), server)), 'inet');
		const { activeConnections, inactiveConnections, persistentConnections, stats } = server;
		assert.deepEqual({ ...written, activeConnections, inactiveConnections, persistentConnections, stats }, server);
	}
});

test('any destination survives SET_DEST and back', () => {
	fc.assert(
		fc.property(destination, (server) => {
			assert.deepEqual(readDestination(asAnswer(setDestination(address('fwmark 7'), server)), 'inet'), server);
		}),
	);
});

test('SET_DEST says the same as ipvsadm -e: each attribute of ours stands in its request', () => {
	const server = { ...(destinations('ipvs-table').get('10.1.0.18') ?? assert.fail()), weight: 0 };
	const ours = hex(setDestination(address('tcp 10.0.0.102:80'), server));
	const theirs = sent('ipvs-set').find((body) => body.startsWith('06')) ?? assert.fail();
	for (const attribute of [
		'14000100 0a010012000000000000000000000000',
		'06000200 00500000',
		'06000b00 02000000',
		'08000300 02000000',
		'08000400 00000000',
		'08000500 00000000',
		'08000600 00000000',
		'05000d00 01000000',
		'06000e00 17c00000',
		'06000f00 01000000',
	]) {
		const octets = attribute.replace(' ', '');
		assert.ok(ours.includes(octets), `ours lacks ${attribute}`);
		assert.ok(theirs.includes(octets), `ipvsadm's lacks ${attribute}`);
	}
});

test('32-bit counters serve where the kernel has no others', () => {
	const writer = new ByteWriter().u8(5).u8(1).u16(0);
	putNest(writer, 2, () => {
		putOctets(
			writer,
			1,
			Uint8Array.from({ length: 16 }, (_, index) => (index < 4 ? 9 : 0)),
		);
		putU32(writer, 3, 0);
		putNest(writer, 10, () => {
			for (const [type, value] of [
				[1, 5],
				[2, 0xffffffff],
				[3, 7],
			] as const)
				putU32(writer, type, value);
			putOctets(writer, 4, Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0));
		});
	});
	const server = readDestination(asAnswer(writer.finish()), 'inet');
	// Where no family is named it is the service's.
	assert.deepEqual([server?.family, server?.address], ['inet', '9.9.9.9']);
	assert.deepEqual(server?.stats, {
		connections: 5n,
		packetsIn: 0xffffffffn,
		packetsOut: 7n,
		bytesIn: 1n << 32n,
		bytesOut: 0n,
	});
});

test('a destination that could not be written back is not shown: an unknown forwarding, tunnel or family', () => {
	const make = (forwarding: number, tunnelType: number, family: number) => {
		const writer = new ByteWriter().u8(5).u8(1).u16(0);
		putNest(writer, 2, () => {
			putOctets(writer, 1, new Uint8Array(16));
			putU32(writer, 3, forwarding);
			putU8(writer, 13, tunnelType);
			putU16(writer, 11, family);
		});
		return readDestination(asAnswer(writer.finish()), 'inet');
	};
	assert.ok(make(4, 2, 2));
	assert.equal(make(5, 2, 2), undefined);
	assert.equal(make(4, 3, 2), undefined);
	assert.equal(make(4, 2, 7), undefined);
});

test('an address that is none is our own bug', () => {
	const server = { ...(destinations('ipvs-table').get('10.1.0.18') ?? assert.fail()), address: 'localhost' };
	assert.throws(() => setDestination(address('fwmark 7'), server), TypeError);
});

const answers = [...messages('ipvs-service'), ...messages('ipvs-table').slice(-6)];

test('an answer cut anywhere gives nothing or a whole object, never an error', () => {
	for (const message of answers) {
		for (let end = message.start; end < message.end; end++) {
			const cut = { ...message, end };
			assert.equal(readInfo(cut) ?? readDestination(cut, 'inet'), undefined);
			assert.equal(readService(cut), undefined);
		}
	}
});

test('no mutation of an answer makes a reader throw', () => {
	const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 });
	fc.assert(
		fc.property(fc.constantFrom(...answers), changes, (message, mutations) => {
			const octets = new Uint8Array(
				message.view.buffer,
				message.view.byteOffset + message.start,
				message.end - message.start,
			).slice();
			for (const [at, value] of mutations) if (octets.length > 0) octets[at % octets.length] = value;
			const mutated = { ...message, view: viewOf(octets), start: 0, end: octets.length };
			void [readInfo(mutated), readService(mutated), readDestination(mutated, 'inet6')];
		}),
		{ numRuns: 2000 },
	);
});
