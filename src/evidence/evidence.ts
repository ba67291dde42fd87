/**
 * Evidence: the refusals of each endpoint, counted in a sliding window. It turns the stream of kernel
 * events into edges that the judge weighs; it decides nothing and knows no destination. PURE.
 */

import type { RefusalEvent } from '../decode/event.js';
import { type EndpointId, endpointId } from '../table/identity.js';
import type { Endpoint } from '../table/model.js';

/** What is known of one endpoint at the moment a signal arrived. */
export interface EvidenceEdge {
	endpoint: Endpoint;
	/** Refusals in the window, the kernel's suppressed ones included. */
	refusals: number;
	/** Distinct client prefixes (/24, /56) among the refusals that were sent to us. */
	clientPrefixes: number;
	/** The newest refusal's client, for the sentence. */
	client: string;
	/** Boot clock, milliseconds. */
	firstMs: number;
	lastMs: number;
}

/**
 * Refusals remembered one by one per endpoint. The kernel sends at most about 50 a second for one endpoint, and
 * distinct prefixes beyond a few dozen change no decision: 64 is ample and bounds 16,384 endpoints to tens of MB.
 */
const signalsMax = 64;

interface Signal {
	atMs: number;
	prefix: string;
	count: number;
}

export interface EvidencePool {
	windowMs: number;
	windows: Map<EndpointId, Signal[]>;
}

export function createEvidence(windowMs: number): EvidencePool {
	return { windowMs, windows: new Map() };
}

/**
 * Adds one refusal. A RST that does not answer a SYN (a client's bad ACK, an abort in mid-connection) is no refusal
 * of the service and gives no edge: facts are in `ipvs` and RFC 9293 §3.10.7.1.
 */
export function observe(pool: EvidencePool, event: RefusalEvent, nowMs: number): EvidenceEdge | undefined {
	if (!event.answersSyn) return undefined;
	const id = endpointId(event.endpoint);
	const signals = (pool.windows.get(id) ?? []).filter((signal) => nowMs - signal.atMs < pool.windowMs);
	signals.push({ atMs: nowMs, prefix: clientPrefix(event.client), count: 1 + event.suppressed });
	if (signals.length > signalsMax) signals.shift();
	pool.windows.set(id, signals);
	return {
		endpoint: event.endpoint,
		refusals: signals.reduce((sum, signal) => sum + signal.count, 0),
		clientPrefixes: new Set(signals.map((signal) => signal.prefix)).size,
		client: event.client,
		firstMs: signals[0]?.atMs ?? nowMs,
		lastMs: nowMs,
	};
}

/** Forgets endpoints that are in no service any more, so that the pool is bounded by the table. */
export function retain(pool: EvidencePool, known: (id: EndpointId) => boolean): void {
	for (const id of pool.windows.keys()) if (!known(id)) pool.windows.delete(id);
}

/**
 * The network that one client most likely sits in: /24 for IPv4, /56 for IPv6. One person behind NAT or with a
 * whole IPv6 delegation is one voice, however many addresses it speaks from.
 */
export function clientPrefix(client: string): string {
	if (!client.includes(':')) return client.slice(0, client.lastIndexOf('.'));
	const groups = expandGroups(client);
	return `${groups.slice(0, 3).join(':')}:${(groups[3] ?? '0').padStart(4, '0').slice(0, 2)}`;
}

function expandGroups(address: string): string[] {
	const [head = '', tail] = address.split('::');
	const front = head === '' ? [] : head.split(':');
	if (tail === undefined) return front;
	const back = tail === '' ? [] : tail.split(':');
	return [...front, ...Array<string>(8 - front.length - back.length).fill('0'), ...back];
}
