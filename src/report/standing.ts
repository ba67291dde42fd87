/**
 * How a destination stands at this moment, as the judge has it: what the control API answers and `explain` prints. It
 * reads the state and changes nothing in it.
 */
import type { Verdict } from '../judge/action.js';
import { weightZeroHarm } from '../judge/guard.js';
import { holdOf } from '../judge/hold.js';
import type { LeaseState } from '../judge/lease.js';
import type { Mode } from '../judge/policy.js';
import type { DestinationState, State } from '../judge/state.js';
import { termsOf } from '../judge/terms.js';
import type { DestinationId, ListenerId, ServiceId } from '../table/identity.js';
import type { Forwarding } from '../table/model.js';
import { caveatsOf } from './caveats.js';

/** Times are ISO 8601 in UTC, as JSON carries them; durations milliseconds. */
export interface Standing {
	destination: DestinationId;
	service: ServiceId;
	mode: Mode;
	dryRun: boolean;
	verdict: Verdict;
	inTable: boolean;
	weight: number;
	forwarding: Forwarding;
	scheduler: string | null;
	lease: StandingLease | null;
	hold: { scope: string; reason: string; until: string | null; leftMs: number | null } | null;
	/** For how long we keep our hands off, because somebody else has spoken; 0 where only new evidence is waited for. */
	handsOffMs: number | null;
	/** What our probe asks about it. */
	asked: {
		listener: ListenerId;
		calibrated: boolean;
		acceptedMsAgo: number | null;
		declinedMsAgo: number | null;
	} | null;
	/** What spoke against it last; null where nothing has since the start. */
	signal: { name: string; msAgo: number } | null;
	/** The fault of the director's own that hides the server. */
	impaired: string | null;
	caveats: string[];
}

export interface StandingLease {
	state: LeaseState;
	/** null: no weight was written; the monitor was asked to act. */
	written: number | null;
	owed: number;
	since: string;
	until: string;
	leftMs: number;
	count: number;
	/** Why it is being ended, where it is. */
	ending: string | null;
	/** A dry run's: nothing was written. */
	rehearsed: boolean;
}

/**
 * @param nowMs The boot clock.
 * @param now The same moment on the wall clock.
 */
export function standingOf(state: State, id: DestinationId, nowMs: number, now: Date): Standing | undefined {
	const destination = state.destinations.get(id);
	if (!destination) return undefined;
	const service = state.services.get(destination.serviceId);
	const { address, weight, forwarding } = destination.destination;
	const harm = service && weightZeroHarm(service);
	const wall = (ms: number) => new Date(now.getTime() + ms - nowMs).toISOString();
	const { heldDownUntilMs } = destination;
	return {
		destination: id,
		service: destination.serviceId,
		mode: termsOf(state, destination.serviceId).mode,
		dryRun: state.dryRun,
		verdict: destination.verdict,
		inTable: destination.inTable,
		weight,
		forwarding,
		scheduler: service?.scheduler ?? null,
		lease: leaseOf(destination, nowMs, wall),
		hold: heldNow(state, id, nowMs, wall),
		handsOffMs: heldDownUntilMs === undefined ? null : whole(Math.max(heldDownUntilMs - nowMs, 0)),
		...askedOf(state, destination, nowMs),
		impaired: state.impaired.get(address) ?? null,
		caveats: caveatsOf(destination.serviceId, service?.flags, harm),
	};
}

function leaseOf(
	{ lease, ending, rehearsed }: DestinationState,
	nowMs: number,
	wall: (ms: number) => string,
): StandingLease | null {
	if (!lease) return null;
	return {
		state: lease.state,
		written: lease.written ?? null,
		owed: lease.destination.weight,
		since: wall(lease.sinceMs),
		until: wall(lease.untilMs),
		leftMs: whole(Math.max(lease.untilMs - nowMs, 0)),
		count: lease.count,
		ending: ending ?? null,
		rehearsed,
	};
}

function heldNow(state: State, id: DestinationId, nowMs: number, wall: (ms: number) => string): Standing['hold'] {
	const held = holdOf(state, id);
	if (!held) return null;
	const { destination: scope, reason, untilMs } = held;
	if (untilMs === undefined) return { scope, reason, until: null, leftMs: null };
	return { scope, reason, until: wall(untilMs), leftMs: whole(Math.max(untilMs - nowMs, 0)) };
}

function askedOf(
	state: State,
	{ listener, signal }: DestinationState,
	nowMs: number,
): Pick<Standing, 'asked' | 'signal'> {
	const known = listener === undefined ? undefined : state.listeners.get(listener);
	if (!known) return { asked: null, signal: null };
	const ago = (ms: number) => (Number.isFinite(ms) ? whole(nowMs - ms) : null);
	const { id, calibrated, lastAcceptedMs, lastNegativeMs, lastSignalMs } = known;
	const msAgo = ago(lastSignalMs);
	return {
		asked: { listener: id, calibrated, acceptedMsAgo: ago(lastAcceptedMs), declinedMsAgo: ago(lastNegativeMs) },
		signal: msAgo === null ? null : { name: signal, msAgo },
	};
}

const whole = (ms: number) => Math.round(ms);
