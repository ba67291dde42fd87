/** Records of the ring beside the values they become, and what becomes of bytes that are no record. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decode, decodeBatch } from '../../src/decode/decode.js';
import type { RefusalEvent, WriteEvent } from '../../src/decode/event.js';

function bytes(...hex: string[]): Uint8Array {
	return Uint8Array.from(Buffer.from(hex.join('').replaceAll(' ', ''), 'hex'));
}

const mapped = '0000 0000 0000 0000 0000 ffff';

/** 10.1.0.11:8080 refused 192.0.2.7:40000 at 5 000 001 999 ns; 258 were not told before it. */
const refusalBytes = bytes(
	'01000000 48000000 cff7 052a 0100 0000',
	`${mapped} 0a01000b 1f90 06 00`,
	'9c40 01 14',
	`${mapped} c0000207`,
	'03000000 02010000',
	'01000000 00000000',
);
const refusal: RefusalEvent = {
	kind: 'refusal',
	atUs: 5_000_001,
	endpoint: { protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 8080 },
	client: '192.0.2.7',
	clientPort: 40_000,
	interfaceIndex: 3,
	answersSyn: true,
	sender: 'known',
	suppressed: 258,
};

/** ipvsadm, run by bash, set [fd00::11]:80 of the firewall mark 7 from 1 to 0. */
const writeBytes = bytes(
	'02000000 78000000 e803 0000 0000 0000',
	'0000 0000 0000 0000 0000 0000 0000 0000 0000 00 00',
	'fd00 0000 0000 0000 0000 0000 0000 0011 0050 00 00',
	'07000000',
	'02000000 01000000 00000000 00000000 01000000',
	'67120000 e8030000',
	'697076736164 6d00 0000 0000 0000 0000',
	'62617368 1b00 0000 0000 0000 0000 0000',
);
const write: WriteEvent = {
	kind: 'write',
	atUs: 1,
	service: { kind: 'fwmark', family: 'inet6', fwmark: 7 },
	destination: { address: 'fd00::11', port: 80 },
	operation: 'edit',
	oldWeight: 1,
	newWeight: 0,
	result: 0,
	via: 'netlink',
	pid: 4711,
	uid: 1000,
	comm: 'ipvsadm',
	parentComm: 'bash?',
};

/** The record with some octets replaced. */
function altered(record: Uint8Array, offset: number, ...octets: number[]): Uint8Array {
	const copy = Uint8Array.from(record);
	copy.set(octets, offset);
	return copy;
}

describe('a record becomes an event', () => {
	it('of a refusal', () => assert.deepEqual(decode(refusalBytes), refusal));
	it('of a write, its names made printable', () => assert.deepEqual(decode(writeBytes), write));

	it('of a write to a service with an address', () => {
		const service = bytes(`${mapped} 0a000064 1f90 11 00`);
		const destination = bytes(`${mapped} 0a01000b 1f90 11 00`);
		const record = altered(altered(writeBytes, 16, ...service, ...destination), 56, 0, 0, 0, 0);
		const event = decode(record) as WriteEvent;
		assert.deepEqual(event.service, {
			kind: 'address',
			protocol: 'udp',
			family: 'inet',
			address: '10.0.0.100',
			port: 8080,
		});
		assert.deepEqual(event.destination, { address: '10.1.0.11', port: 8080 });
	});

	it('of a deletion, whose new weight is none', () => {
		const record = altered(altered(writeBytes, 60, 3), 68, 0xff, 0xff, 0xff, 0xff);
		const { operation, newWeight } = decode(record) as WriteEvent;
		assert.deepEqual([operation, newWeight], ['delete', -1]);
	});

	it('whose microseconds stay exact beyond 2^32', () => {
		const year = 31_536_000_000_000_123n;
		const record = Uint8Array.from(refusalBytes);
		new DataView(record.buffer).setBigUint64(8, year, true);
		assert.equal((decode(record) as RefusalEvent).atUs, 31_536_000_000_000);
	});

	it('of a name that fills its sixteen octets without a zero', () => {
		const record = altered(writeBytes, 88, ...Buffer.from('abcdefghijklmnop'));
		assert.equal((decode(record) as WriteEvent).comm, 'abcdefghijklmnop');
	});
});

describe('bytes that are no record become a Malformed', () => {
	const cases: [string, Uint8Array, RegExp][] = [
		['where there is no header', refusalBytes.subarray(0, 15), /15 octets, too short/],
		['where there is only a header', refusalBytes.subarray(0, 16), /16 octets that says 72; 72 were due/],
		['where one octet is missing', refusalBytes.subarray(0, 71), /71 octets/],
		['where one octet is too many', Uint8Array.of(...refusalBytes, 0), /73 octets/],
		['where the header tells another size', altered(refusalBytes, 4, 71), /says 71/],
		['of an unknown kind', altered(refusalBytes, 0, 99), /unknown kind 99/],
		['of an unknown protocol', altered(refusalBytes, 34, 7), /unknown protocol/],
		['of an unknown operation', altered(writeBytes, 60, 4), /unknown protocol, operation/],
	];
	for (const [where, record, reason] of cases) {
		it(where, () => {
			const value = decode(record);
			assert.equal(value.kind, 'malformed');
			assert.match((value as { reason: string }).reason, reason);
		});
	}

	it('and never an exception, whatever they are', () => {
		const header = fc.constantFrom(refusalBytes, writeBytes).map((record) => [...record.subarray(0, 8)]);
		const hostile = fc.tuple(header, fc.uint8Array({ minLength: 50, maxLength: 120 }));
		fc.assert(fc.property(hostile, ([first, rest]) => decode(Uint8Array.of(...first, ...rest)).kind !== undefined));
		fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (record) => decode(record).kind !== undefined));
	});
});

describe('a batch', () => {
	it('is read in order, from the middle of a larger buffer too', () => {
		const padded = Uint8Array.of(9, 9, 9, ...refusalBytes, ...writeBytes);
		const batch = decodeBatch(padded.subarray(3), Uint32Array.of(72, 120));
		assert.deepEqual(batch, { events: [refusal, write], malformed: [] });
	});

	it('loses only the record that makes no sense', () => {
		const both = Uint8Array.of(...altered(refusalBytes, 0, 99), ...writeBytes);
		const { events, malformed } = decodeBatch(both, Uint32Array.of(72, 120));
		assert.deepEqual(events, [write]);
		assert.equal(malformed.length, 1);
	});

	it('ends where its sizes go beyond its bytes', () => {
		const { events, malformed } = decodeBatch(refusalBytes, Uint32Array.of(72, 1, 72));
		assert.deepEqual(events, [refusal]);
		assert.match(malformed[0]?.reason ?? '', /1 octets beyond its batch/);
		assert.equal(malformed.length, 1);
	});
});
