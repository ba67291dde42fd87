/**
 * What the kernel's testimony becomes: one value per record of the ring, and per entry of its maps, in domain
 * units. `decode.ts` and `keys.ts` make them from bytes; `evidence/` counts them. PURE.
 */
import type { Endpoint, ServiceAddress } from '../table/model.js';

/** A RST that a real server sent towards a client: by itself only *plausible* (DESIGN: verified / plausible). */
export interface RefusalEvent {
	kind: 'refusal';
	/** CLOCK_MONOTONIC, microseconds. */
	atUs: number;
	endpoint: Endpoint;
	client: string;
	clientPort: number;
	interfaceIndex: number;
	/** RST|ACK with seq 0, the form that answers a SYN to a closed port (RFC 9293 §3.10.7.1). */
	answersSyn: boolean;
	/** How many of this endpoint and this `answersSyn` the kernel counted but did not send since the last event. */
	suppressed: number;
}

export type Operation = 'add' | 'edit' | 'delete';

/** Somebody wrote a destination: IPVS itself tells nobody, so `audit.bpf.c` does. */
export interface WriteEvent {
	kind: 'write';
	/** CLOCK_MONOTONIC, microseconds. */
	atUs: number;
	service: ServiceAddress;
	destination: { address: string; port: number };
	operation: Operation;
	/** -1 (NO_WEIGHT) for an added destination. */
	oldWeight: number;
	/** -1 (NO_WEIGHT) for a deleted destination. */
	newWeight: number;
	/** The process (not the thread), as the initial PID namespace numbers it. */
	pid: number;
	/** Printable ASCII; whatever else a process calls itself shows as "?". */
	comm: string;
	parentComm: string;
}

export type KernelEvent = RefusalEvent | WriteEvent;

/** A record that could not be read; counted, never thrown. */
export interface Malformed {
	kind: 'malformed';
	reason: string;
}

/** The last write of one destination, as the pinned map remembers it. */
export interface LastWrite {
	service: ServiceAddress;
	destination: { address: string; port: number };
	operation: Operation;
	/** -1 (NO_WEIGHT) where the destination was deleted. */
	weight: number;
	/** How often this destination was written since the map was made: a change of it is a write that one missed. */
	writes: number;
	/** CLOCK_MONOTONIC, microseconds. */
	atUs: number;
	pid: number;
	comm: string;
}

/** What the wire saw of one endpoint since ipvigil watches it; every packet counts, told by an event or not. */
export interface EndpointCounters {
	refusals: number;
	/** RSTs of any other form; a client can provoke them. */
	resets: number;
	acceptances: number;
	/** To the director itself: answers to its own probes and the monitor's checks. */
	ownRefusals: number;
	ownAcceptances: number;
	eventsSent: number;
	eventsSuppressed: number;
	eventsLost: number;
}

/** Why testimony was not read or not delivered, by the words of `enum loss`. */
export interface Losses {
	ringFull: number;
	truncated: number;
	fragment: number;
	headerChain: number;
	writersFull: number;
}
