/**
 * Notes when refusals pass an interface, without waking anybody: the observer's own program on the same interface
 * fills a ring that is read only when asked. So the stamps cost the measured process nothing but some nanoseconds per
 * packet.
 */
import { interfaceIndex } from '../../../src/addon/index.js';
import { loadObject, u32Constant, u64Constant } from '../../../src/capture/programs.js';
import { EventStream } from '../../../src/capture/stream.js';
import type { RefusalEvent } from '../../../src/decode/event.js';
import { encodeEndpointKey, encodeEndpointState } from '../../../src/decode/keys.js';
import type { Endpoint } from '../../../src/table/model.js';

/** 14,000 refusals of 72 octets: some hundred rounds, and the probes that ask whether a server is back. */
const ringBytes = 1024 * 1024;

/** Starts to record; the returned function ends it and gives every refusal. */
export function record(interfaceName: string, endpoint: Endpoint): () => RefusalEvent[] {
	const object = loadObject({
		object: 'wire',
		programs: ['wire_tc'],
		constants: { event_interval_ns: u64Constant(0), event_burst: u32Constant(1) },
		maxEntries: { events: ringBytes, endpoints: 64, counters: 64 },
	});
	object.map('endpoints').set(encodeEndpointKey(endpoint), encodeEndpointState(0, 0));
	const link = object.attachTcx('wire_tc', interfaceIndex(interfaceName) ?? 0);
	return () => {
		const refusals: RefusalEvent[] = [];
		const stream = new EventStream(object.map('events'), object.map('losses'), {
			onEvents: (events) => refusals.push(...events.filter((event) => event.kind === 'refusal')),
			onError: (error) => {
				throw error;
			},
		});
		while (stream.drain() > 0);
		stream.close();
		// A link that nobody refers to any more is collected, and the program leaves the interface.
		link.close();
		return refusals;
	};
}
