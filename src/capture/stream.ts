/**
 * One ring of events, from the addon's bounded batches to decoded values. Records that cannot be read are counted
 * and the latest reason is kept; what the kernel could not put into the ring is counted there (`losses`) and only
 * read here. It keeps no events.
 */
import { type BpfMap, RingReader } from '../addon/index.js';
import { decodeBatch } from '../decode/decode.js';
import type { KernelEvent, Losses } from '../decode/event.js';
import { encodeIndex, readLosses, sumLoss } from '../decode/keys.js';

/** Measured: batches of 1,024 records cost a fifteenth of single callbacks, and larger ones hardly less. */
const recordsPerBatchMax = 1024;
/** 1,024 of the largest records (192 octets) fit; with packets behind them (328) a batch is of 799. */
const bytesPerBatchMax = 256 * 1024;

export interface EventSink {
	/** Never empty; in the order of the ring. */
	onEvents(events: KernelEvent[]): void;
	/** The same records as the kernel wrote them, for a recording: after `onEvents`, which nothing may hold up. */
	onBatch?: ((bytes: Uint8Array, sizes: Uint32Array) => void) | undefined;
	/** The ring could not be read; the stream goes on trying. */
	onError(error: Error): void;
}

export interface StreamLosses extends Losses {
	/** Records that arrived and made no sense. */
	malformed: number;
}

/** What each of these has lost, together. */
export function sumLosses(each: readonly StreamLosses[]): StreamLosses {
	const sums: StreamLosses = { ...readLosses(() => 0), malformed: 0 };
	for (const losses of each) for (const name of Object.keys(sums) as (keyof StreamLosses)[]) sums[name] += losses[name];
	return sums;
}

export class EventStream {
	#reader: RingReader;
	#losses: BpfMap;
	#malformed = 0;
	#malformedReason = '';

	constructor(events: BpfMap, losses: BpfMap, sink: EventSink) {
		this.#losses = losses;
		this.#reader = new RingReader(events, {
			maxRecordsPerBatch: recordsPerBatchMax,
			maxBytesPerBatch: bytesPerBatchMax,
			onBatch: (bytes, sizes) => this.#deliver(bytes, sizes, sink),
			onError: (error) => sink.onError(error),
		});
	}

	/** Why the latest malformed record was one; empty as long as there was none. */
	get malformedReason(): string {
		return this.#malformedReason;
	}

	losses(): StreamLosses {
		const countAt = (index: number) => sumLoss(this.#losses.get(encodeIndex(index)) ?? new Uint8Array());
		return { ...readLosses(countAt), malformed: this.#malformed };
	}

	/** Delivers what is in the ring now, before it returns; the number of records. */
	drain(): number {
		return this.#reader.drain();
	}

	close(): void {
		this.#reader.close();
		this.#losses.close();
	}

	#deliver(bytes: Uint8Array, sizes: Uint32Array, sink: EventSink): void {
		const { events, malformed } = decodeBatch(bytes, sizes);
		this.#malformed += malformed.length;
		this.#malformedReason = malformed.at(-1)?.reason ?? this.#malformedReason;
		if (events.length > 0) sink.onEvents(events);
		sink.onBatch?.(bytes, sizes);
	}
}
