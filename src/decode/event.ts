/**
 * What the kernel's testimony becomes: one value per record of the ring, in domain units.
 * `decode.ts` makes them from bytes; `evidence/` counts them. PURE.
 */
import type { Endpoint } from '../table/model.js';

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
	/** How many refusals of this endpoint the kernel counted but did not send since the last event. */
	suppressed: number;
}

/** Somebody wrote a destination: IPVS itself tells nobody, so `audit.bpf.c` does. */
export interface WriteEvent {
	kind: 'write';
	atUs: number;
	/** 0 for a service without a firewall mark; then protocol, address and port name it. */
	fwmark: number;
	service: Endpoint;
	destination: { address: string; port: number };
	/** add: the old weight has no meaning. */
	operation: 'add' | 'edit' | 'delete';
	oldWeight: number;
	newWeight: number;
	pid: number;
	comm: string;
	parentComm: string;
}

export type KernelEvent = RefusalEvent | WriteEvent;

/** A record that could not be read; counted, never thrown. */
export interface Malformed {
	kind: 'malformed';
	reason: string;
}
