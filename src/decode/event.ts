/**
 * What the kernel's testimony becomes: one value per record of the ring, and per entry of its maps, in domain
 * units. `decode.ts` and `keys.ts` make them from bytes; `evidence/` counts them. PURE.
 */
import type { Endpoint, Protocol, ServiceAddress } from '../table/model.js';

/** Where the frame came from: `known` where its source MAC is the host's or that of a router to it. */
export type Sender = 'unlearned' | 'known';

/** The first octets of the packet behind an event; only where packets were asked for (`trace`). */
export interface PacketHead {
	/** Of the whole packet. */
	packetOctets: number;
	/** EtherType that `octets` begins with; 0 where it begins with an Ethernet header. */
	protocol: number;
	octets: Uint8Array;
}

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
	sender: Sender;
	/** How many of this endpoint and this `answersSyn` the kernel counted but did not send since the last event. */
	suppressed: number;
	packet?: PacketHead | undefined;
}

/** The encapsulation that a quoted packet of ours was in. */
export type QuotedTunnel = 'none' | 'ipip' | 'gue' | 'gre';

/** Whom a quoted packet was for. */
export interface QuotedEndpoint extends Omit<Endpoint, 'protocol'> {
	/** Undefined where only a tunnel's outer header is quoted: the error then speaks of the host alone. */
	protocol: Protocol | undefined;
}

/** An ICMP or ICMPv6 error about a packet that the director forwarded or sent to an endpoint. */
export interface UnreachableEvent {
	kind: 'unreachable';
	/** CLOCK_MONOTONIC, microseconds. */
	atUs: number;
	/** Port 0 where the quote does not reach that far. */
	endpoint: QuotedEndpoint;
	/** The quoted packet's source: "0.0.0.0" or "::" where only a tunnel's outer header is quoted. */
	client: string;
	clientPort: number;
	/** Of ICMP (RFC 792) or ICMPv6 (RFC 4443), as the endpoint's family says. */
	icmpType: number;
	icmpCode: number;
	/** The host itself or a router before it. */
	reporter: string;
	/** 0 where none is quoted. */
	quotedSequence: number;
	tunnel: QuotedTunnel;
	sender: Sender;
	interfaceIndex: number;
	suppressed: number;
	packet?: PacketHead | undefined;
}

/** What became of an attempt, as events.h tells it: `enum outcome`. */
export type Outcome =
	| 'refused'
	| 'synRepeated'
	| 'overdue'
	| 'dataRepeated'
	| 'reset'
	| 'gaveUp'
	| 'acceptedAgain'
	| 'plausiblyRefused'
	| 'noDestination';

/** Per destination since it was listed; `struct outcome_counters` says what each one means. */
export interface OutcomeCounters {
	scheduled: number;
	accepted: number;
	asked: number;
	answered: number;
	refused: number;
	synRepeated: number;
	unanswered: number;
	dataRepeated: number;
	resets: number;
	gaveUp: number;
	withdrawn: number;
	/** CLOCK_MONOTONIC; 0 where none was accepted yet. */
	lastAcceptedNs: number;
}

/** What became of a connection attempt inside IPVS: one destination's, or (`noDestination`) a service's. */
export interface OutcomeEvent {
	kind: 'outcome';
	/** CLOCK_MONOTONIC, microseconds. */
	atUs: number;
	outcome: Outcome;
	service: ServiceAddress;
	/** Undefined for `noDestination`. */
	destination: { address: string; port: number } | undefined;
	client: string;
	clientPort: number;
	/** The destination's port, or, where that has none (0), the connection's. */
	serverPort: number;
	suppressed: number;
	/** Attempts under way that nobody has answered, and how long the oldest has waited. */
	waiting: number;
	waitingUs: number;
	counters: OutcomeCounters;
	packet?: PacketHead | undefined;
}

/** A destination without a port of its own (firewall mark, port 0) accepted a connection at this endpoint. */
export interface LearnedEvent {
	kind: 'learned';
	/** CLOCK_MONOTONIC, microseconds. */
	atUs: number;
	service: ServiceAddress;
	destination: { address: string; port: number };
	endpoint: Endpoint;
}

export type Operation = 'add' | 'edit' | 'delete';
export type Via = 'unknown' | 'netlink' | 'setsockopt';

/** Who asked IPVS for a change. */
export interface Caller {
	/** The process (not the thread), as the initial PID namespace numbers it. */
	pid: number;
	/** As the initial user namespace numbers it. */
	uid: number;
	/** Printable ASCII; whatever else a process calls itself shows as "?". */
	comm: string;
	parentComm: string;
}

/** Somebody wrote a destination: IPVS itself tells nobody, so `audit.bpf.c` does. */
export interface WriteEvent extends Caller {
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
	/** 0, or the negative errno with which IPVS refused. */
	result: number;
	via: Via;
}

/** Somebody wrote a service. */
export interface ServiceEvent extends Caller {
	kind: 'service';
	/** CLOCK_MONOTONIC, microseconds. */
	atUs: number;
	operation: Operation | 'flush';
	/** Undefined for `flush`, and where IPVS refused before it was found. */
	service: ServiceAddress | undefined;
	/** 0, or the negative errno with which IPVS refused. */
	result: number;
	via: Via;
}

/** What changed on an interface of the director, and the new value: `enum link_change`. */
export interface LinkEvent {
	kind: 'link';
	/** CLOCK_MONOTONIC, microseconds. */
	atUs: number;
	interfaceIndex: number;
	interfaceName: string;
	change: 'carrier' | 'activeSlave' | 'slave';
	value: number;
	otherIndex: number;
	/** Of a carrier: how often it has changed, this change included (IFLA_CARRIER_CHANGES); else 0. */
	changes: number;
}

/** The kernel gave up on a neighbour, or found it again (NUD_* of linux/neighbour.h). */
export interface NeighbourEvent {
	kind: 'neighbour';
	/** CLOCK_MONOTONIC, microseconds. */
	atUs: number;
	address: string;
	interfaceIndex: number;
	state: number;
}

export type KernelEvent =
	| RefusalEvent
	| UnreachableEvent
	| OutcomeEvent
	| LearnedEvent
	| WriteEvent
	| ServiceEvent
	| LinkEvent
	| NeighbourEvent;

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
	/** ICMP errors about a client's packet that may speak of a failure. */
	unreachables: number;
	/** ICMP errors that speak of a firewall's policy or of the packet itself. */
	rejections: number;
	/** ICMP errors about the director's own packets. */
	ownUnreachables: number;
	/** RSTs and ICMP errors rejected, because they came from a MAC address that is not known for the host. */
	strangers: number;
}

/** What ICMP errors said of one host, whose quote named no watched endpoint. */
export type HostCounters = Pick<EndpointCounters, 'unreachables' | 'rejections' | 'ownUnreachables' | 'strangers'>;

/** Why testimony was not read or not delivered, by the words of `enum loss`. */
export interface Losses {
	ringFull: number;
	truncated: number;
	fragment: number;
	headerChain: number;
	writersFull: number;
	malformedPacket: number;
	unreadable: number;
	noSyn: number;
	unlisted: number;
	stranger: number;
	badQuote: number;
}
