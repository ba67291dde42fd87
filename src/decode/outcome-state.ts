/**
 * What the kernel keeps of each destination's attempts (struct outcome_state), as values; and the octets with which
 * userspace lists a destination there. The kernel settles what has become unanswered only when a next attempt comes:
 * what has come of age since then is settled here, so that the reading is right on a quiet destination too. PURE.
 */
import type { ServiceAddress } from '../table/model.js';
import type { OutcomeCounters } from './event.js';
import type { ListField, NumberField } from './field.js';
import { encodeDestinationKey, readService, viewOf } from './keys.js';
import {
	destinationKey,
	OUTCOME_EPOCH_SHIFT,
	OUTCOME_SETTLED_EPOCHS,
	outcomeCounters,
	outcomeState,
	serviceOutcomes,
	waitingCell,
} from './layout.generated.js';
import { readOutcomeCounters } from './outcome-events.js';

/** Counts by powers of two: bucket 0 is below 2 us, bucket n from 2^n us on, the last has no end. */
export type DurationBuckets = readonly number[];

export interface OutcomeState {
	counters: OutcomeCounters;
	/** Attempts under way that nobody has answered, and how long the oldest since the last acceptance has waited. */
	waiting: number;
	waitingUs: number;
	/** From SYN to the client's ACK and its mean deviation, smoothed (RFC 6298 §2); 0 before the first. */
	handshakeUs: number;
	handshakeDeviationUs: number;
	handshakes: DurationBuckets;
	/** From the client's first data to its acknowledgement of the server's. */
	firstAnswers: DurationBuckets;
}

/** What one destination is compared with others by, since it is watched: less than an OutcomeState, and read far oftener. */
export interface OutcomeReading {
	accepted: number;
	/** Refused, or neither answered nor repeated. */
	failed: number;
	/** Requests of clients, and those of them that were answered. */
	asked: number;
	answered: number;
	/** As in OutcomeState. */
	handshakeUs: number;
}

/** A service for which the scheduler found no destination, and how often. */
export interface ServiceOutcomes {
	service: ServiceAddress;
	noDestination: number;
}

const nanosecondsPerMicrosecond = 1000;
const epochNs = 2 ** OUTCOME_EPOCH_SHIFT;

/** The value of a destination that is listed anew: its key and zeroes, `size` octets with what only the kernel knows. */
export function encodeOutcomeState(
	service: ServiceAddress,
	destination: { address: string; port: number },
	size: number,
): Uint8Array {
	const value = new Uint8Array(size);
	value.set(encodeDestinationKey(service, destination), outcomeState.key.offset);
	return value;
}

function readBuckets(field: ListField<NumberField>, view: DataView, base: number): number[] {
	const buckets = new Array<number>(field.length);
	for (let index = 0; index < field.length; index++)
		buckets[index] = field.of.read(view, base + field.offset + index * field.stride);
	return buckets;
}

/** As look_at_waiting() in bpf/waiting.bpf.h, at `nowNs` of CLOCK_MONOTONIC; nothing is written back. */
function readWaiting(view: DataView, base: number, lastAcceptedNs: number, nowNs: number) {
	const { offset, length, stride } = outcomeState.waiting;
	const epoch = Math.floor(nowNs / epochNs);
	let [waiting, unanswered, oldestNs] = [0, 0, nowNs];
	for (let index = 0; index < length; index++) {
		const cell = base + offset + index * stride;
		const count = waitingCell.count.read(view, cell);
		if (count === 0) continue;
		if (epoch - waitingCell.epoch.read(view, cell) >= OUTCOME_SETTLED_EPOCHS) {
			unanswered += count;
			continue;
		}
		waiting += count;
		const firstNs = waitingCell.firstNs.read(view, cell);
		if (firstNs > lastAcceptedNs) oldestNs = Math.min(oldestNs, firstNs);
	}
	return { waiting, unanswered, waitingUs: Math.floor((nowNs - oldestNs) / nanosecondsPerMicrosecond) };
}

/** The struct outcome_state at `base`. */
export function readOutcomeState(view: DataView, base: number, nowNs: number): OutcomeState {
	const counters = readOutcomeCounters(view, base + outcomeState.counters.offset);
	const { unanswered, ...open } = readWaiting(view, base, counters.lastAcceptedNs, nowNs);
	counters.unanswered += unanswered;
	return {
		counters,
		...open,
		handshakeUs: outcomeState.handshakeUs.read(view, base),
		handshakeDeviationUs: outcomeState.handshakeDeviationUs.read(view, base),
		handshakes: readBuckets(outcomeState.handshakes, view, base),
		firstAnswers: readBuckets(outcomeState.firstAnswers, view, base),
	};
}

/** Of the struct outcome_state at `base`. */
export function readOutcomeReading(view: DataView, base: number): OutcomeReading {
	const counters = base + outcomeState.counters.offset;
	return {
		accepted: outcomeCounters.accepted.read(view, counters),
		failed: outcomeCounters.refused.read(view, counters) + outcomeCounters.unanswered.read(view, counters),
		asked: outcomeCounters.asked.read(view, counters),
		answered: outcomeCounters.answered.read(view, counters),
		handshakeUs: outcomeState.handshakeUs.read(view, base),
	};
}

/** All entries of the map of services: `count` keys and values, each one after the other. */
export function readServiceOutcomes(entries: {
	keys: Uint8Array;
	values: Uint8Array;
	count: number;
}): ServiceOutcomes[] {
	const [keys, values] = [viewOf(entries.keys), viewOf(entries.values)];
	const read: ServiceOutcomes[] = [];
	for (let index = 0; index < entries.count; index++) {
		const key = index * destinationKey.layout.size;
		const service = readService(keys, key, destinationKey.fwmark.read(keys, key));
		const noDestination = serviceOutcomes.noDestination.read(values, index * serviceOutcomes.layout.size);
		if (service) read.push({ service, noDestination });
	}
	return read;
}
