/**
 * The judge's state: what it believes of each endpoint and destination, and nothing that could be read elsewhere.
 *
 *               signal                  calibrated probe refused
 *     healthy ───────────▶ suspect ───────────────────────────────▶ failed
 *        ▲                    │                                        │ probe accepted
 *        │  probe accepted,   │                                        ▼
 *        └── or window over ──┘◀────────── weight given back ──── recovering
 *
 * Verdicts move in every mode; a lease exists only where a weight was written or a monitor was asked. PURE.
 */

import type { Operation } from '../decode/event.js';
import type { EvidenceEdge } from '../evidence/evidence.js';
import type { SignalName } from '../evidence/signal.js';
import {
	type DestinationId,
	destinationId,
	type ListenerId,
	listenerId,
	type ServiceId,
	serviceId,
} from '../table/identity.js';
import type { Destination, Endpoint, Listener, ServiceAddress } from '../table/model.js';
import type { ActionId, Verdict } from './action.js';
import type { Asking } from './asking.js';
import type { Hold, HoldScope } from './hold.js';
import type { ProbePurpose } from './input.js';
import type { Lease } from './lease.js';
import type { TermsBook } from './terms.js';

export interface ListenerState extends Listener {
	id: ListenerId;
	asking: Asking;
	/** Our probe has been accepted at least once, so a refusal of it means something. */
	calibrated: boolean;
	/** The probe under way, if any. */
	probing: ProbePurpose | undefined;
	/** When the next probe is due, and what for; undefined where none is wanted. */
	next: { atMs: number; purpose: ProbePurpose } | undefined;
	lastConfirmMs: number;
	/** When a probe last met anything but acceptance: a lease is renewed only while the server goes on refusing. */
	lastNegativeMs: number;
	/** When a probe was last accepted. */
	lastAcceptedMs: number;
	/** Probes in a row that met silence, and that were accepted. */
	silent: number;
	accepts: number;
	/** Not answered since the way there came back: what is believed of it is from before. */
	unproven: boolean;
	/** When the newest signal came: a suspicion without a probe ends one window later. */
	lastSignalMs: number;
	destinations: Set<DestinationId>;
}

export interface Pending {
	id: ActionId;
	kind: 'take' | 'step' | 'giveBack';
	why: string;
	/** The lease that stood before, and how far its weight had come back: both stand again where the write has failed. */
	before: Lease | undefined;
	climb: DestinationState['climb'];
	/** The audit has seen our own write pass. */
	own: boolean;
	/** The last that others wrote meanwhile, and whether our own write had passed before it. */
	heard: { operation: Operation; weight: number; by: string; afterOwn: boolean } | undefined;
}

export interface DestinationState {
	id: DestinationId;
	service: ServiceAddress;
	serviceId: ServiceId;
	destination: Destination;
	/** What is asked about it; undefined where neither the table nor a connection has shown the port yet. */
	listener: ListenerId | undefined;
	/** False while a monitor has taken it out of the table at our word. */
	inTable: boolean;
	/** The last snapshot did not show it, though nobody was seen to remove it. */
	missed: boolean;
	/** When we last knew of a change first-hand (our own write, the audit): an older snapshot says nothing against it. */
	changedMs: number;
	/** When it came into the table, as far as we know. */
	addedMs: number;
	/** When it was seen to accept clients last: a probe that asks elsewhere proves something only then. */
	acceptedMs: number;
	verdict: Verdict;
	/** What made it suspect last, and the newest of it; undefined after a restart. */
	signal: SignalName;
	edge: EvidenceEdge | undefined;
	failedMs: number;
	/** Since when it has had less than its weight by us, over every lease of that time. */
	outSinceMs: number;
	/** Until when it is told to answer its clients no more (a brown-out); undefined where it is not. */
	brownUntilMs: number | undefined;
	/** When the last ejection ended: after a long calm the leases start short again. */
	returnedMs: number;
	lease: Lease | undefined;
	/** A write of ours that has not been answered yet. Until it is, what others do is only noted: `Pending.heard`. */
	pending: Pending | undefined;
	/** Why the lease is to end, once it is to: a giving back that fails is tried again until it is settled. */
	ending: string | undefined;
	/** The lease is a rehearsal (dry run): the weight in the table is not ours, and is nobody's offence. */
	rehearsed: boolean;
	/** The binding notification that stands. */
	bound: boolean;
	/** Hands off until then, and until the evidence is new; undefined where nobody else spoke. */
	heldDownUntilMs: number | undefined;
	/** Not before: a failed write is tried again then. */
	retryAtMs: number;
	ejections: number;
	/** When it was taken out of late, the earliest first; no more than the policy's `flapsMax`. */
	ejectedMs: number[];
	/** The step that its weight has come back to, and when the next one is due; undefined where it does not come back. */
	climb: { step: number; dueMs: number } | undefined;
	/** The obstacle that was told last (a floor, a missing calibration), so that each is told once. */
	told: string | undefined;
}

export interface ServiceState {
	address: ServiceAddress;
	scheduler: string;
	flags: number;
	destinations: Set<DestinationId>;
}

export interface Counters {
	detected: number;
	enforced: number;
	overflow: Record<string, number>;
	probes: Record<string, number>;
}

export interface State {
	terms: TermsBook;
	/** The process whose pid stands in new leases. */
	pid: number;
	/** Everything is decided and nothing is done: then nothing is said to have been done either. */
	dryRun: boolean;
	/** Whether any monitor can be made to act by a binding notification. */
	binding: boolean;
	services: Map<ServiceId, ServiceState>;
	destinations: Map<DestinationId, DestinationState>;
	listeners: Map<ListenerId, ListenerState>;
	/** The listeners of each host: what speaks of hosts comes in storms, when a switch dies. */
	hosts: Map<string, Set<ListenerState>>;
	/**
	 * Listeners whose probe has been accepted, those included that are not in the table now: a monitor that takes a
	 * destination out and puts it back has not changed what our probe proves. The oldest go when there are too many.
	 */
	calibrated: Set<ListenerId>;
	/**
	 * Where destinations without a port of their own were seen to accept, or are configured to: the kernel tells it once,
	 * and who removes one and adds it again between two snapshots has not moved it. Those that a snapshot does not show
	 * are forgotten.
	 */
	learned: Map<DestinationId, { configured: boolean; endpoints: Endpoint[] }>;
	/** Hosts whose way from the director is impaired, with the reason: nothing that is seen of them counts against them. */
	impaired: ReadonlyMap<string, string>;
	/** Hosts whose way has come back, and until when their silence is excused: the first answer ends it. */
	excusedUntilMs: Map<string, number>;
	/** Listeners and destinations that a tick must look at; all others cost nothing. */
	busyListeners: Set<ListenerId>;
	busyDestinations: Set<DestinationId>;
	/** Services of which most failed together, and since when. */
	frozen: Map<ServiceId, number>;
	/** What the operator wants left alone. */
	holds: Map<HoldScope, Hold>;
	/** When destinations were taken out within the last minute, the earliest first. */
	ejectedMs: number[];
	nextActionId: ActionId;
	/** State of the pseudo-random sequence that jitter is taken from. */
	seed: number;
	stopping: boolean;
	counters: Counters;
}

export function createState(options: Pick<State, 'terms' | 'pid' | 'dryRun' | 'binding' | 'seed'>): State {
	return {
		...options,
		services: new Map(),
		destinations: new Map(),
		listeners: new Map(),
		hosts: new Map(),
		calibrated: new Set(),
		learned: new Map(),
		impaired: new Map(),
		excusedUntilMs: new Map(),
		frozen: new Map(),
		holds: new Map(),
		ejectedMs: [],
		busyListeners: new Set(),
		busyDestinations: new Set(),
		nextActionId: 1,
		stopping: false,
		counters: { detected: 0, enforced: 0, overflow: {}, probes: {} },
	};
}

export function createDestination(service: ServiceAddress, destination: Destination, nowMs: number): DestinationState {
	return {
		id: destinationId(service, destination),
		service,
		serviceId: serviceId(service),
		destination,
		listener: undefined,
		inTable: true,
		missed: false,
		changedMs: Number.NEGATIVE_INFINITY,
		addedMs: nowMs,
		acceptedMs: Number.NEGATIVE_INFINITY,
		verdict: 'healthy',
		signal: 'refusal',
		edge: undefined,
		failedMs: 0,
		outSinceMs: 0,
		brownUntilMs: undefined,
		returnedMs: Number.NEGATIVE_INFINITY,
		lease: undefined,
		pending: undefined,
		ending: undefined,
		rehearsed: false,
		bound: false,
		heldDownUntilMs: undefined,
		retryAtMs: 0,
		ejections: 0,
		ejectedMs: [],
		climb: undefined,
		told: undefined,
	};
}

export function createListener(listener: Listener, asking: Asking): ListenerState {
	return {
		...listener,
		asking,
		id: listenerId(listener),
		calibrated: false,
		probing: undefined,
		next: undefined,
		lastConfirmMs: Number.NEGATIVE_INFINITY,
		lastNegativeMs: Number.NEGATIVE_INFINITY,
		lastAcceptedMs: Number.NEGATIVE_INFINITY,
		silent: 0,
		accepts: 0,
		unproven: false,
		lastSignalMs: Number.NEGATIVE_INFINITY,
		destinations: new Set(),
	};
}

/** Whether a host's silence says nothing of it, because the way there is impaired, or was a moment ago. */
export function isExcused({ impaired, excusedUntilMs }: State, host: string, nowMs: number): boolean {
	return impaired.has(host) || nowMs < (excusedUntilMs.get(host) ?? Number.NEGATIVE_INFINITY);
}

export function destinationsOn(state: State, listener: ListenerState): DestinationState[] {
	const standing: DestinationState[] = [];
	for (const id of listener.destinations) {
		const destination = state.destinations.get(id);
		if (destination) standing.push(destination);
	}
	return standing;
}

/** The next number in [0, 1) of the state's own sequence (mulberry32: small, seeded, good enough for jitter). */
export function random(state: State): number {
	state.seed = (state.seed + 0x6d2b79f5) | 0;
	let t = Math.imul(state.seed ^ (state.seed >>> 15), 1 | state.seed);
	t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
	return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}
