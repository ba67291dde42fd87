/**
 * Records of the ring become values. It comes after capture's bounded batches and before evidence. Bytes that
 * do not make sense give a Malformed value, never an exception and never half an event; it decides nothing
 * else. About a million records a second are needed at most, so it reads numbers in place and makes one object
 * and two strings per record. PURE.
 */
import { formatAddress } from '../table/address.js';
import type { KernelEvent, Malformed, RefusalEvent, WriteEvent } from './event.js';
import { malformed, microseconds, operationName, printable, readEndpoint, readWriterKey, viewOf } from './keys.js';
import { eventHeader, eventKind, refusalEvent, writeEvent } from './layout.generated.js';

export interface DecodedBatch {
	events: KernelEvent[];
	malformed: Malformed[];
}

function decodeRefusal(view: DataView, base: number, atUs: number): RefusalEvent | Malformed {
	const endpoint = readEndpoint(view, base + refusalEvent.endpoint.offset);
	if (endpoint === undefined) return malformed('a refusal of an unknown protocol');
	return {
		kind: 'refusal',
		atUs,
		endpoint,
		client: formatAddress(refusalEvent.client.read(view, base)),
		clientPort: refusalEvent.clientPort.read(view, base),
		interfaceIndex: refusalEvent.interfaceIndex.read(view, base),
		answersSyn: refusalEvent.answersSyn.read(view, base) !== 0,
		suppressed: refusalEvent.suppressed.read(view, base),
	};
}

function decodeWrite(view: DataView, base: number, atUs: number): WriteEvent | Malformed {
	const names = readWriterKey(view, base + writeEvent.key.offset);
	const operation = operationName(writeEvent.operation.read(view, base));
	if (names === undefined || operation === undefined) return malformed('a write of an unknown protocol or operation');
	return {
		kind: 'write',
		atUs,
		...names,
		operation,
		oldWeight: writeEvent.oldWeight.read(view, base),
		newWeight: writeEvent.newWeight.read(view, base),
		pid: writeEvent.pid.read(view, base),
		comm: printable(writeEvent.comm.read(view, base)),
		parentComm: printable(writeEvent.parentComm.read(view, base)),
	};
}

type Decoder = (view: DataView, base: number, atUs: number) => KernelEvent | Malformed;

/** Every kind of record, the size it must have, and who reads it. */
const decoders = new Map<number, { size: number; decode: Decoder }>([
	[eventKind.refusal, { size: refusalEvent.layout.size, decode: decodeRefusal }],
	[eventKind.write, { size: writeEvent.layout.size, decode: decodeWrite }],
]);

function decodeAt(view: DataView, base: number, size: number): KernelEvent | Malformed {
	if (size < eventHeader.layout.size) return malformed(`a record of ${size} octets, too short for a header`);
	const kind = eventHeader.kind.read(view, base);
	const decoder = decoders.get(kind);
	if (decoder === undefined) return malformed(`a record of unknown kind ${kind}`);
	const declared = eventHeader.size.read(view, base);
	if (size !== decoder.size || declared !== size) {
		return malformed(`a record of kind ${kind} with ${size} octets that says ${declared}; ${decoder.size} were due`);
	}
	return decoder.decode(view, base, microseconds(eventHeader.timeNs.read(view, base)));
}

/** One record. */
export function decode(record: Uint8Array): KernelEvent | Malformed {
	return decodeAt(viewOf(record), 0, record.length);
}

/** A batch: records one after the other, without gaps, `sizes` octets each. What the batch is short of is malformed. */
export function decodeBatch(bytes: Uint8Array, sizes: Uint32Array): DecodedBatch {
	const batch: DecodedBatch = { events: [], malformed: [] };
	const view = viewOf(bytes);
	let base = 0;
	for (const size of sizes) {
		const fits = size <= bytes.length - base;
		const record = fits ? decodeAt(view, base, size) : malformed(`a record of ${size} octets beyond its batch`);
		if (record.kind === 'malformed') batch.malformed.push(record);
		else batch.events.push(record);
		if (!fits) break;
		base += size;
	}
	return batch;
}
