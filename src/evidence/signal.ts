/**
 * What a kernel event says, of whom, and how surely: the one place where testimony gets its scope (DESIGN: director,
 * host, endpoint, destination). Events that speak of nobody, or that the other vantage point tells, are no signal.
 * PURE.
 */
import type { KernelEvent, OutcomeEvent, RefusalEvent, UnreachableEvent } from '../decode/event.js';
import { type DestinationId, destinationId, endpointId } from '../table/identity.js';
import type { Endpoint } from '../table/model.js';
import { icmpBlame, icmpName } from './icmp.js';

/** Each raises suspicion, none convicts. Written as the journal, the metrics and `trace` write them. */
export type SignalName =
	| 'refusal'
	| 'unreachable'
	| 'syn-repeated'
	| 'overdue'
	| 'data-repeated'
	| 'neighbour-failed'
	/** Completes fewer handshakes than the other destinations of its service (ratios.ts). */
	| 'outlier'
	/** Accepts and is asked, and does not answer (ratios.ts). */
	| 'brown-out';

export type Scope =
	| { kind: 'host'; address: string }
	| { kind: 'endpoint'; endpoint: Endpoint }
	/** `port`: the one that the server was asked on, which a firewall mark's destination does not name; undefined: all. */
	| { kind: 'destination'; destination: DestinationId; port: number | undefined };

export interface Signal {
	name: SignalName;
	scope: Scope;
	/** Its connection was checked (a refusal that outcome told); all others only look right. */
	verified: boolean;
	/** This one and those like it that the kernel did not send. */
	count: number;
	/** Undefined where no client is behind it. */
	client: string | undefined;
	/** When the kernel saw it, and when its destination had accepted a client last, by the kernel's clock; undefined: nobody can say. */
	atUs?: number | undefined;
	acceptedUs?: number | undefined;
	/** What cannot be told from the name: the ICMP error and who sent it, how long attempts have waited. */
	detail: string;
}

/** Who tells what became of TCP connections: `outcome` where its hooks attach, else the wire. Never both. */
export type AttemptSource = 'outcome' | 'wire';

/** A destination that accepted somebody this recently is not dead: a SYN or data sent again was a lost packet. */
const freshMs = 1_000;
const nanosecondsPerMicrosecond = 1_000;
const microsecondsPerMillisecond = 1_000;

/** What stands where a client's address is not known. */
const noClient: ReadonlySet<string> = new Set(['::', '0.0.0.0']);

/** The text by which windows are kept and signals compared. */
export function scopeId(scope: Scope): string {
	switch (scope.kind) {
		case 'host':
			return `host ${scope.address}`;
		case 'endpoint':
			return endpointId(scope.endpoint);
		case 'destination':
			return scope.destination;
	}
}

export function signalOf(event: KernelEvent, attempts: AttemptSource): Signal | undefined {
	switch (event.kind) {
		case 'refusal':
			return attempts === 'wire' ? fromRefusal(event) : undefined;
		case 'unreachable':
			return fromUnreachable(event);
		case 'outcome':
			return attempts === 'outcome' ? fromOutcome(event) : undefined;
		// Links and neighbours come from the book of links, which joins several sources; the others are no testimony.
		case 'learned':
		case 'write':
		case 'service':
		case 'link':
		case 'neighbour':
			return undefined;
	}
}

/**
 * A RST that does not answer a SYN (a client's bad ACK, an abort in mid-connection) is no refusal of the service:
 * facts are in RFC 9293 §3.10.7.1.
 */
function fromRefusal(event: RefusalEvent): Signal | undefined {
	if (!event.answersSyn) return undefined;
	const scope: Scope = { kind: 'endpoint', endpoint: event.endpoint };
	return { name: 'refusal', scope, verified: false, count: 1 + event.suppressed, client: event.client, detail: '' };
}

function fromUnreachable(event: UnreachableEvent): Signal | undefined {
	const blame = icmpBlame(event);
	if (blame === 'nobody') return undefined;
	const { protocol, ...host } = event.endpoint;
	const known = protocol !== undefined && host.port !== 0;
	// A quote that ends before the ports cannot name the endpoint: nothing listens there, but where?
	if (blame === 'endpoint' && !known) return undefined;
	const scope: Scope =
		blame === 'endpoint' && known
			? { kind: 'endpoint', endpoint: { ...host, protocol } }
			: { kind: 'host', address: host.address };
	const detail = `${icmpName(event)}, says ${event.reporter}`;
	// Of a tunnel's packet the quote may end before the client's: 8 octets are all that RFC 792 asks for.
	const client = noClient.has(event.client) ? undefined : event.client;
	return { name: 'unreachable', scope, verified: false, count: 1 + event.suppressed, client, detail };
}

/** Outcomes that only describe (a reset later, a client that gave up) are counted in the kernel and shown. */
function fromOutcome(event: OutcomeEvent): Signal | undefined {
	const { service, destination, client, serverPort: port } = event;
	const name = nameOf(event);
	if (name === undefined || destination === undefined) return undefined;
	return {
		name,
		scope: { kind: 'destination', destination: destinationId(service, destination), port },
		verified: event.outcome === 'refused',
		count: 1 + event.suppressed,
		client,
		atUs: event.atUs,
		acceptedUs: acceptedUs(event),
		detail: name === 'overdue' ? waited(event) : '',
	};
}

/** "3 attempts wait, the oldest for 312 ms". */
function waited({ waiting, waitingUs }: OutcomeEvent): string {
	return `${waiting} attempts wait, the oldest for ${Math.round(waitingUs / microsecondsPerMillisecond)} ms`;
}

function nameOf(event: OutcomeEvent): SignalName | undefined {
	switch (event.outcome) {
		case 'refused':
		case 'plausiblyRefused':
			return 'refusal';
		case 'overdue':
			return 'overdue';
		case 'synRepeated':
			return acceptsOthers(event) ? undefined : 'syn-repeated';
		case 'dataRepeated':
			return acceptsOthers(event) ? undefined : 'data-repeated';
		case 'reset':
		case 'gaveUp':
		case 'acceptedAgain':
		case 'noDestination':
			return undefined;
	}
}

function acceptsOthers(event: OutcomeEvent): boolean {
	const agoUs = event.atUs - (acceptedUs(event) ?? Number.NEGATIVE_INFINITY);
	return agoUs < freshMs * microsecondsPerMillisecond;
}

function acceptedUs({ counters }: OutcomeEvent): number | undefined {
	if (counters.lastAcceptedNs === 0) return undefined;
	return Math.floor(counters.lastAcceptedNs / nanosecondsPerMicrosecond);
}
