/** Records of outcome.bpf.c beside the values they become. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decode } from '../../src/decode/decode.js';
import type { LearnedEvent, OutcomeEvent } from '../../src/decode/event.js';

function bytes(...hex: string[]): Uint8Array {
	return Uint8Array.from(Buffer.from(hex.join('').replaceAll(' ', ''), 'hex'));
}

const mapped = '0000 0000 0000 0000 0000 ffff';
const counted = (count: number) => `${count.toString(16).padStart(2, '0')}00 0000 0000 0000`;

/** 10.1.0.11:8080 of tcp 10.0.0.100:80 refused 192.0.2.7:40000. */
const refusedBytes = bytes(
	'04000000 c0000000 cff7 052a 0100 0000',
	`${mapped} 0a000064 0050 06 00`,
	`${mapped} 0a01000b 1f90 06 00`,
	'00000000',
	'01000000',
	`${mapped} c0000207`,
	'9c40 1f90',
	'02010000 03000000 a0860100',
	...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map(counted),
);
const refused: OutcomeEvent = {
	kind: 'outcome',
	atUs: 5_000_001,
	outcome: 'refused',
	service: { kind: 'address', protocol: 'tcp', family: 'inet', address: '10.0.0.100', port: 80 },
	destination: { address: '10.1.0.11', port: 8080 },
	client: '192.0.2.7',
	clientPort: 40_000,
	serverPort: 8080,
	suppressed: 258,
	waiting: 3,
	waitingUs: 100_000,
	counters: {
		scheduled: 1,
		accepted: 2,
		asked: 3,
		answered: 4,
		refused: 5,
		synRepeated: 6,
		unanswered: 7,
		dataRepeated: 8,
		resets: 9,
		gaveUp: 10,
		withdrawn: 11,
		lastAcceptedNs: 12,
	},
};

/** fwmark 7: [fd00::11], which has no port there, accepted on port 8081. */
const learnedBytes = bytes(
	'05000000 50000000 e803 0000 0000 0000',
	`${'0000'.repeat(8)} 0000 00 00`,
	'fd00 0000 0000 0000 0000 0000 0000 0011 0000 00 00',
	'07000000',
	'fd00 0000 0000 0000 0000 0000 0000 0011 1f91 06 00',
);
const learned: LearnedEvent = {
	kind: 'learned',
	atUs: 1,
	service: { kind: 'fwmark', family: 'inet6', fwmark: 7 },
	destination: { address: 'fd00::11', port: 0 },
	endpoint: { protocol: 'tcp', family: 'inet6', address: 'fd00::11', port: 8081 },
};

/** The record with some octets replaced. */
function altered(record: Uint8Array, offset: number, ...octets: number[]): Uint8Array {
	const copy = Uint8Array.from(record);
	copy.set(octets, offset);
	return copy;
}

describe('a record of an attempt', () => {
	it('of a refusal becomes what is told of its destination', () => assert.deepEqual(decode(refusedBytes), refused));

	it('of each outcome has its name', () => {
		const outcomes = [1, 2, 3, 4, 5, 6, 7, 8].map(
			(n) => (decode(altered(refusedBytes, 60, n)) as OutcomeEvent).outcome,
		);
		const names = [
			'refused',
			'synRepeated',
			'overdue',
			'dataRepeated',
			'reset',
			'gaveUp',
			'acceptedAgain',
			'plausiblyRefused',
		];
		assert.deepEqual(outcomes, names);
	});

	it('without a destination speaks of the service alone', () => {
		const record = altered(altered(refusedBytes, 60, 9), 36, ...new Uint8Array(20));
		const event = decode(record) as OutcomeEvent;
		assert.deepEqual([event.outcome, event.destination], ['noDestination', undefined]);
		assert.deepEqual(event.service, refused.service);
	});

	it('with a packet carries its first octets, from the IP header on', () => {
		const head = bytes('28000000 0400 0800 45000028', '00'.repeat(124));
		const record = altered(Uint8Array.of(...refusedBytes, ...head), 4, 0x48, 0x01);
		const packet = { packetOctets: 40, protocol: 0x0800, octets: bytes('45000028') };
		assert.deepEqual(decode(record), { ...refused, packet });
	});

	it('of an outcome that does not exist makes no sense', () => {
		for (const number of [0, 10]) assert.equal(decode(altered(refusedBytes, 60, number)).kind, 'malformed');
	});
});

describe('a record of a learned endpoint', () => {
	it('names destination and endpoint', () => assert.deepEqual(decode(learnedBytes), learned));
	it('of an unknown protocol makes no sense', () =>
		assert.equal(decode(altered(learnedBytes, 78, 7)).kind, 'malformed'));
});
