/**
 * Records of the ring become values. It comes after capture's bounded batches and before evidence. Bytes that
 * do not make sense give a Malformed value, never an exception and never half an event; it decides nothing
 * else. About a million records a second are needed at most, so it reads numbers in place and makes one object
 * and two strings per record. PURE.
 */
import type { KernelEvent, Malformed } from './event.js';
import { malformed, microseconds, viewOf } from './keys.js';
import {
	eventHeader,
	eventKind,
	learnedEvent,
	linkEvent,
	neighbourEvent,
	outcomeEvent,
	packetHead,
	refusalEvent,
	serviceEvent,
	unreachableEvent,
	writeEvent,
} from './layout.generated.js';
import { decodeLink, decodeNeighbour } from './link-events.js';
import { decodeLearned, decodeOutcome } from './outcome-events.js';
import { decodeService, decodeWrite } from './table-events.js';
import { decodePacketHead, decodeRefusal, decodeUnreachable } from './wire-events.js';

export interface DecodedBatch {
	events: KernelEvent[];
	malformed: Malformed[];
}

type Decoder = (view: DataView, base: number, atUs: number) => KernelEvent | Malformed;

/** Every kind of record, the size it must have, and who reads it. */
const decoders = new Map<number, { size: number; decode: Decoder }>([
	[eventKind.refusal, { size: refusalEvent.layout.size, decode: decodeRefusal }],
	[eventKind.unreachable, { size: unreachableEvent.layout.size, decode: decodeUnreachable }],
	[eventKind.outcome, { size: outcomeEvent.layout.size, decode: decodeOutcome }],
	[eventKind.learned, { size: learnedEvent.layout.size, decode: decodeLearned }],
	[eventKind.write, { size: writeEvent.layout.size, decode: decodeWrite }],
	[eventKind.service, { size: serviceEvent.layout.size, decode: decodeService }],
	[eventKind.link, { size: linkEvent.layout.size, decode: decodeLink }],
	[eventKind.neighbour, { size: neighbourEvent.layout.size, decode: decodeNeighbour }],
]);

/** Kinds that may carry the head of the packet behind them. */
const withPacket = new Set<KernelEvent['kind']>(['refusal', 'unreachable', 'outcome']);

function decodeAt(view: DataView, base: number, size: number): KernelEvent | Malformed {
	if (size < eventHeader.layout.size) return malformed(`a record of ${size} octets, too short for a header`);
	const kind = eventHeader.kind.read(view, base);
	const decoder = decoders.get(kind);
	if (decoder === undefined) return malformed(`a record of unknown kind ${kind}`);
	const declared = eventHeader.size.read(view, base);
	const behind = size - decoder.size;
	if ((behind !== 0 && behind !== packetHead.layout.size) || declared !== size) {
		return malformed(`a record of kind ${kind} with ${size} octets that says ${declared}; ${decoder.size} were due`);
	}
	const event = decoder.decode(view, base, microseconds(eventHeader.timeNs.read(view, base)));
	return behind === 0 ? event : withHead(event, decodePacketHead(view, base + decoder.size));
}

function withHead(
	event: KernelEvent | Malformed,
	packet: ReturnType<typeof decodePacketHead>,
): KernelEvent | Malformed {
	if ('kind' in packet) return packet;
	if (event.kind === 'malformed') return event;
	if (withPacket.has(event.kind)) return { ...event, packet } as KernelEvent;
	return malformed(`a packet behind a ${event.kind}, which has none`);
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
