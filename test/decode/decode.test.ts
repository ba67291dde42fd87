/** Records of the ring beside the values they become, and what becomes of bytes that are no record. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decode, decodeBatch } from '../../src/decode/decode.js';
import type { LinkEvent, OutcomeEvent, RefusalEvent, ServiceEvent, WriteEvent } from '../../src/decode/event.js';
import { eventKind, linkChange, outcome as outcomeNumbers } from '../../src/decode/layout.generated.js';
import {
	bytes,
	learnedBytes,
	linkBytes,
	mapped,
	outcomeBytes,
	packetHead,
	packetHeadBytes,
	refusal,
	refusalBytes,
	samples,
	serviceBytes,
	unreachableBytes,
	write,
	writeBytes,
} from './samples.js';

/** The record with some octets replaced. */
function altered(record: Uint8Array, offset: number, ...octets: number[]): Uint8Array {
	const copy = Uint8Array.from(record);
	copy.set(octets, offset);
	return copy;
}

describe('a record becomes an event', () => {
	for (const [record, event] of samples) it(`of kind ${event.kind}`, () => assert.deepEqual(decode(record), event));

	it('of every kind that events.h declares, here at least once', () => {
		assert.deepEqual(samples.map(([, { kind }]) => kind).sort(), Object.keys(eventKind).sort());
	});

	it('of a process whose name would write to a terminal, made printable', () => {
		const record = altered(writeBytes, 88, 0x1b, 0x5b);
		assert.equal((decode(record) as WriteEvent).comm, '?[vsadm');
	});

	it('of every outcome that events.h declares', () => {
		for (const [name, number] of Object.entries(outcomeNumbers))
			assert.equal((decode(altered(outcomeBytes, 60, number)) as OutcomeEvent).outcome, name);
	});

	it('of no destination left, which speaks of the service alone', () => {
		const nowhere = altered(
			altered(outcomeBytes, 60, outcomeNumbers.noDestination),
			36,
			...new Array<number>(20).fill(0),
		);
		const { service, destination } = decode(nowhere) as OutcomeEvent;
		assert.deepEqual([service.kind, destination], ['address', undefined]);
	});

	it('of every change of a link that events.h declares', () => {
		for (const [name, number] of Object.entries(linkChange))
			assert.equal((decode(altered(linkBytes, 20, number)) as LinkEvent).change, name);
	});

	it('of a flush, which names no service', () => {
		const flush = altered(altered(serviceBytes, 16, ...new Array<number>(20).fill(0)), 40, 4);
		const { operation, service } = decode(flush) as ServiceEvent;
		assert.deepEqual([operation, service], ['flush', undefined]);
	});

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

describe('the head of a packet', () => {
	const carriers: [string, Uint8Array][] = [
		['refusal', refusalBytes],
		['unreachable', unreachableBytes],
		['outcome', outcomeBytes],
	];
	/** With the size that its header must tell. */
	const withHead = (record: Uint8Array, head = packetHeadBytes) => {
		const both = Uint8Array.of(...record, ...head);
		new DataView(both.buffer).setUint32(4, both.length, true);
		return both;
	};

	for (const [kind, record] of carriers)
		it(`stands behind an event of kind ${kind}`, () => {
			assert.deepEqual(decode(withHead(record)), { ...decode(record), packet: packetHead });
		});

	it('outlives the batch that it came in', () => {
		const batch = withHead(refusalBytes);
		const { packet } = decode(batch) as RefusalEvent;
		batch.fill(0xff);
		assert.deepEqual(packet, packetHead);
	});

	it('may be full, and no fuller', () => {
		const full = decode(withHead(refusalBytes, altered(packetHeadBytes, 4, 128, 0))) as RefusalEvent;
		assert.equal(full.packet?.octets.length, 128);
		const fuller = decode(withHead(refusalBytes, altered(packetHeadBytes, 4, 129, 0)));
		assert.deepEqual(fuller, { kind: 'malformed', reason: 'a packet head of 129 octets' });
	});

	it('behind any other event is malformed', () => {
		assert.deepEqual(decode(withHead(learnedBytes)), {
			kind: 'malformed',
			reason: 'a packet behind a learned, which has none',
		});
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
		['of an unknown way to write', altered(writeBytes, 76, 3), /unknown protocol, operation or way/],
		['of an unknown sender', altered(refusalBytes, 64, 2), /unknown protocol or sender/],
		['of an unknown tunnel', altered(unreachableBytes, 76, 4), /unknown protocol, sender or tunnel/],
		['of an unknown outcome', altered(outcomeBytes, 60, 0), /unknown outcome/],
		['of an outcome that is not declared yet', altered(outcomeBytes, 60, 10), /unknown outcome/],
		['of an outcome of no service', altered(outcomeBytes, 34, 7), /one of no service/],
		['of an endpoint learned of an unknown protocol', altered(learnedBytes, 78, 7), /learned endpoint/],
		['of a service written in an unknown way', altered(serviceBytes, 48, 9), /unknown operation or way/],
		['of an unknown change of a link', altered(linkBytes, 20, 9), /unknown change of a link/],
	];
	for (const [where, record, reason] of cases) {
		it(where, () => {
			const value = decode(record);
			assert.equal(value.kind, 'malformed');
			assert.match((value as { reason: string }).reason, reason);
		});
	}

	it('and never an exception, whatever they are', () => {
		// Kind and size are right, so that what reads the rest is reached.
		const hostile = fc.constantFrom(...samples.map(([record]) => record)).chain((record) => {
			const body = fc.uint8Array({ minLength: record.length - 8, maxLength: record.length - 8 });
			return body.map((rest) => Uint8Array.of(...record.subarray(0, 8), ...rest));
		});
		fc.assert(fc.property(hostile, (record) => decode(record).kind !== undefined));
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
