/**
 * The kernel's side of the stream: raw records of a ring buffer map, in bounded batches, on this thread's event loop.
 * Its records have no meaning here; src/capture passes them on and src/decode reads them.
 */
import { binding, type NativeRingReader } from './binding.js';
import { checkFunction, checkInstance, checkInteger } from './check.js';
import { BpfMap } from './map.js';

export interface RingOptions {
	/** A batch ends with this many records. 1,024 to 4,096 cost the least per record. */
	maxRecordsPerBatch?: number;
	/** A batch ends with the record that reaches this size. */
	maxBytesPerBatch?: number;
	/**
	 * Rest after a batch that emptied the ring. The first record after a quiet time is still delivered at once; 5 ms
	 * turned 13,500 wake-ups of a flood into 367. 0: no rest.
	 */
	pauseMs?: number;
	/** `bytes` holds the records without gaps; it is fresh each time and may be kept. */
	onBatch: (bytes: Uint8Array, recordSizes: Uint32Array) => void;
	/** The ring could not be read. It is tried again, at most once per second. */
	onError: (error: Error) => void;
}

const recordsPerBatch = 1024;
const recordsPerBatchMax = 65_536;
const bytesPerBatch = 256 * 1024;
const bytesPerBatchMax = 16 * 1024 * 1024;
const pauseMs = 5;
const pauseMsMax = 1000;

/** Keeps the process alive while it is open. */
export class RingReader {
	readonly #native: NativeRingReader;

	/** EINVAL: the map is no ring buffer. */
	constructor(map: BpfMap, options: RingOptions) {
		this.#native = new (binding().RingReader)(
			checkInstance(map, BpfMap, 'map').native,
			checkInteger(options.maxRecordsPerBatch ?? recordsPerBatch, 'maxRecordsPerBatch', 1, recordsPerBatchMax),
			checkInteger(options.maxBytesPerBatch ?? bytesPerBatch, 'maxBytesPerBatch', 1, bytesPerBatchMax),
			checkInteger(options.pauseMs ?? pauseMs, 'pauseMs', 0, pauseMsMax),
			checkFunction(options.onBatch, 'onBatch'),
			checkFunction(options.onError, 'onError'),
		);
	}

	/** Delivers what is in the ring now, before it returns, and says how many records that was. */
	drain(): number {
		return this.#native.drain();
	}

	/** Records that are left stay in the map. May be called from onBatch; twice is harmless. */
	close(): void {
		this.#native.close();
	}
}
