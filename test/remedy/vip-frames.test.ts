/**
 * The VIP probe's frames, each beside its octets. The octets, checksums included, are as tshark 4.0 reads them without a
 * complaint (`test/kernel/vip-frames.test.ts` asks it again).
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readAnswer } from '../../src/remedy/vip-answer.js';
import { writeNeighbourQuestion } from '../../src/remedy/vip-neighbour.js';
import { addressOctets, internetChecksum, isMac, macOctets } from '../../src/remedy/vip-octets.js';
import {
	readFrame,
	readPacket,
	readSegment,
	readSegmentData,
	tcpFlag,
	writeSegment,
} from '../../src/remedy/vip-packet.js';
import { decapsulate, encapsulate, tunnelProblem } from '../../src/remedy/vip-tunnel.js';
import { noTunnel, type Tunnel, tunnelFlags } from '../../src/table/model.js';
import {
	acceptance,
	advertisementFrame,
	inet,
	inet6,
	neighbourFrame,
	samples,
	segmentFrame,
	serverMac,
	tunnelled,
	unreachableFrame,
} from './vip-samples.js';
import { sentBy } from './vip-sent.js';

const hex = (octets: Uint8Array | undefined) => Buffer.from(octets ?? []).toString('hex');
const octets = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(/\s/g, ''), 'hex'));

const ethernet4 = '020000000011 020000000001 0800';
const ethernet6 = '020000000011 020000000001 86dd';
const packet4 = '4500002c 00004000 40062667 0a010001 0a000064';
const packet6 = '60000000 00180640 fd000001000000000000000000000001 fd000000000000000000000000000100';
const syn4 = `${packet4} ef320050 fedcba98 00000000 6002faf0 e3730000 02040218`;
const syn6 = `${packet6} ef320050 fedcba98 00000000 6002faf0 fa290000 020404c4`;
const outer6 = 'fd000001000000000000000000000001 fd000001000000000000000000000011';

const questions: [string, Uint8Array, string][] = [
	[
		'ARP request',
		writeNeighbourQuestion(inet.way, '10.1.0.11'),
		'ffffffffffff 020000000001 0806 0001080006040001 020000000001 0a010001 000000000000 0a01000b',
	],
	[
		'neighbour solicitation',
		writeNeighbourQuestion(inet6.way, 'fd00:1::11'),
		`3333ff000011 020000000001 86dd 60000000 00203aff fd000001000000000000000000000001
		ff0200000000000000000001ff000011 87007d77 00000000 fd000001000000000000000000000011 0101 020000000001`,
	],
	['SYN, IPv4', sentBy(inet).syn, `${ethernet4} ${syn4}`],
	['SYN, IPv6', sentBy(inet6).syn, `${ethernet6} ${syn6}`],
	[
		'RST, IPv4',
		sentBy(inet).rst,
		`${ethernet4} 45000028 00004000 4006266b 0a010001 0a000064 ef320050 fedcba99 00000000 5004faf0 f7900000`,
	],
	['IPIP', sentBy(tunnelled(inet)).syn, `${ethernet4} 45000040 00004000 400426ad 0a010001 0a01000b ${syn4}`],
	['IPv6 in IPv6', sentBy(tunnelled(inet6)).syn, `${ethernet6} 60000000 00402940 ${outer6} ${syn6}`],
	[
		'GRE',
		sentBy(tunnelled(inet, { type: 'gre' })).syn,
		`${ethernet4} 45000044 00004000 402f267e 0a010001 0a01000b 00000800 ${syn4}`,
	],
	[
		'GRE with a checksum, IPv6',
		sentBy(tunnelled(inet6, { type: 'gre', flags: tunnelFlags.checksum })).syn,
		`${ethernet6} 60000000 00482f40 ${outer6} 800086dd 92e70000 ${syn6}`,
	],
	[
		'GUE',
		sentBy(tunnelled(inet, { type: 'gue', port: 6080 })).syn,
		`${ethernet4} 4500004c 00004000 40112694 0a010001 0a01000b ef3217c0 00380000 00040000 ${syn4}`,
	],
	[
		'GUE with a checksum, IPv6',
		sentBy(tunnelled(inet6, { type: 'gue', port: 6080, flags: tunnelFlags.checksum })).syn,
		`${ethernet6} 60000000 004c1140 ${outer6} ef3217c0 004c97ea 00290000 ${syn6}`,
	],
];

describe('frames that are sent', () => {
	for (const [name, frame, expected] of questions) test(name, () => assert.equal(hex(frame), hex(octets(expected))));

	test('a tunnel that needs what the probe cannot do has its reason', () => {
		assert.equal(tunnelProblem({ type: 'gue', port: 6080, flags: tunnelFlags.checksum }), undefined);
		assert.match(tunnelProblem({ type: 'gue', port: 6080, flags: tunnelFlags.remoteChecksum }) ?? '', /not supported/);
	});
});

describe('frames that are read', () => {
	test('an ARP reply and a neighbour advertisement', () => {
		const arp = '020000000001 020000000011 0806 0001080006040002 020000000011 0a01000b 020000000001 0a010001';
		assert.equal(hex(neighbourFrame(inet)), hex(octets(arp)));
		assert.deepEqual(readAnswer(octets(arp)), { kind: 'neighbour', address: '10.1.0.11', mac: serverMac });
		const advertised = readAnswer(neighbourFrame(inet6));
		assert.deepEqual(advertised, { kind: 'neighbour', address: 'fd00:1::11', mac: serverMac });
	});

	test('an advertisement that passed a router is none, nor is an ARP request an answer', () => {
		assert.equal(readAnswer(advertisementFrame(inet6.way, serverMac, 254)), undefined);
		assert.equal(readAnswer(writeNeighbourQuestion(inet.way, '10.1.0.11')), undefined);
	});

	test('an acceptance, padded as a short frame is', () => {
		const frame = segmentFrame(inet, { flags: acceptance, acknowledgement: 0xfedcba99 });
		const segment = { sourcePort: 80, destinationPort: 61_234, sequence: 7, acknowledgement: 0xfedcba99, flags: 0x12 };
		const ends = { source: '10.0.0.100', destination: '10.1.0.1' };
		const expected = { kind: 'segment', mac: serverMac, ...ends, segment, data: new Uint8Array() };
		assert.deepEqual(readAnswer(new Uint8Array([...frame, 0, 0])), expected);
	});

	const tunnels: (Partial<Tunnel> | undefined)[] = [
		undefined,
		{},
		{ type: 'gre' },
		{ type: 'gre', flags: tunnelFlags.checksum },
		{ type: 'gue', port: 6080 },
	];
	for (const sample of samples)
		for (const tunnel of tunnels)
			test(`an error about a SYN to ${sample.target.vip}, tunnel ${JSON.stringify(tunnel) ?? 'none'}`, () => {
				const asked = tunnel === undefined ? sample : tunnelled(sample, tunnel);
				const { vip, host } = sample.target;
				const code = sample === inet6 ? 4 : 3;
				assert.deepEqual(readAnswer(unreachableFrame(asked, sentBy(asked).syn, code)), {
					kind: 'unreachable',
					from: host,
					reason: 'port unreachable',
					counts: tunnel !== undefined,
					quote: {
						source: sample.way.source,
						destination: vip,
						sourcePort: 61_234,
						destinationPort: 80,
						sequence: 0xfedcba98,
					},
				});
			});

	test('an IPv6 host without tunnels says so by a parameter problem, and no other one counts', () => {
		const asked = tunnelled(inet6);
		const { syn } = sentBy(asked);
		const answer = readAnswer(unreachableFrame(asked, syn, 1, 4));
		assert.deepEqual(answer?.kind === 'unreachable' && answer.reason, 'unrecognized next header');
		assert.equal(readAnswer(unreachableFrame(asked, syn, 0, 4)), undefined);
		assert.equal(readAnswer(unreachableFrame(tunnelled(inet), sentBy(tunnelled(inet)).syn, 1, 4)), undefined);
	});

	test('an error that quotes no more than RFC 792 asks for is read without a tunnel, and dropped with one', () => {
		const cut = (frame: Uint8Array) => frame.subarray(0, 14 + 20 + 8);
		assert.equal(readAnswer(unreachableFrame(inet, cut(sentBy(inet).syn), 1))?.kind, 'unreachable');
		const asked = tunnelled(inet);
		assert.equal(readAnswer(unreachableFrame(asked, cut(sentBy(asked).syn), 1)), undefined);
	});

	test('a frame cut anywhere, or of any octets, gives nothing or a whole answer, never an error', () => {
		const whole = samples.flatMap((sample) => [
			neighbourFrame(sample),
			segmentFrame(sample, { flags: acceptance }),
			unreachableFrame(sample, sentBy(sample).syn, 1),
		]);
		for (const frame of whole)
			for (let length = 0; length < frame.length; length++) readAnswer(frame.subarray(0, length));
		fc.assert(
			fc.property(fc.constantFrom(...whole), fc.nat(), fc.integer({ min: 0, max: 255 }), (frame, at, octet) => {
				const spoilt = frame.slice();
				spoilt[at % spoilt.length] = octet;
				const answer = readAnswer(spoilt);
				if (answer?.kind === 'neighbour') assert.ok(isMac(answer.mac));
			}),
		);
	});
});

describe('the Internet checksum', () => {
	test('is that of RFC 1071 §3', () => {
		assert.equal(internetChecksum(octets('0001 f203 f4f5 f6f7')), 0xffff - 0xddf2);
		assert.equal(internetChecksum(octets('01')), 0xfeff);
		assert.equal(internetChecksum(new Uint8Array()), 0xffff);
	});

	test('is what the words leave modulo 65535, however many they are', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 2_000 }), (data) => {
				const even = data.length % 2 === 0 ? data : new Uint8Array([...data, 0]);
				const number = even.length === 0 ? 0n : BigInt(`0x${hex(even)}`);
				assert.equal(BigInt(0xffff - internetChecksum(data)) % 65535n, number % 65535n);
			}),
		);
	});
});

describe('whatever is written', () => {
	const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
	const port = fc.integer({ min: 0, max: 65_535 });
	const segments = fc.record({
		sourcePort: port,
		destinationPort: port,
		sequence: u32,
		acknowledgement: u32,
		flags: fc.constantFrom(tcpFlag.syn, tcpFlag.rst, acceptance),
	});

	test('is read again, out of every tunnel', () => {
		const tunnels = fc.constantFrom<Tunnel>(
			noTunnel,
			{ type: 'gre', port: 0, flags: 0 },
			{ type: 'gre', port: 0, flags: tunnelFlags.checksum },
			{ type: 'gue', port: 6080, flags: 0 },
			{ type: 'gue', port: 6080, flags: tunnelFlags.checksum },
		);
		fc.assert(
			fc.property(segments, tunnels, fc.constantFrom(...samples), (segment, tunnel, { target, way }) => {
				const ends = { source: way.source, destination: target.vip };
				const outer = { source: way.source, destination: target.host };
				const packet = readPacket(encapsulate(writeSegment(ends, segment), outer, tunnel, 61_000));
				const inner = packet && decapsulate(packet);
				assert.deepEqual([inner?.source, inner?.destination], [way.source, target.vip]);
				assert.deepEqual(readSegment(inner?.payload ?? new Uint8Array()), { ...segment });
			}),
		);
	});

	test('has its data again, behind options too', () => {
		fc.assert(
			fc.property(segments, fc.uint8Array({ maxLength: 512 }), fc.constantFrom(...samples), (segment, data, sample) => {
				const ends = { source: sample.way.source, destination: sample.target.vip };
				const packet = readPacket(writeSegment(ends, segment, data));
				assert.deepEqual(readSegmentData(packet?.payload ?? new Uint8Array()), data);
			}),
		);
		for (const octet of [0x00, 0x40, 0xf0]) {
			const header = new Uint8Array(30).fill(7).with(12, octet);
			assert.equal(readSegmentData(header).length, 0, 'a length that lies is no data');
		}
		assert.equal(readSegmentData(new Uint8Array(12)).length, 0);
	});

	test('addresses keep their octets', () => {
		fc.assert(fc.property(fc.ipV4(), (text) => assert.equal([...addressOctets(text)].join('.'), text)));
		fc.assert(
			fc.property(fc.uint8Array({ minLength: 14, maxLength: 14 }), (header) => {
				const frame = readFrame(header);
				assert.deepEqual(macOctets(frame?.destination ?? ''), header.subarray(0, 6));
				assert.deepEqual(macOctets(frame?.source ?? ''), header.subarray(6, 12));
			}),
		);
		for (const text of ['eth0', '10.0.0.256', '']) assert.throws(() => addressOctets(text), TypeError);
		for (const text of ['02:00:00:00:00', '02:00:00:00:00:0g', '']) assert.throws(() => macOctets(text), TypeError);
	});
});
