/**
 * How a lease ends by another's word: the monitor or an admin spoke, the destination went, or came back. And the one
 * way in which any lease is closed: the binding ends, the ledger forgets it, one line says how. PURE.
 */
import type { Operation } from '../decode/event.js';
import type { ScenarioName } from './scenario.js';
import { dropDestination } from './standing.js';
import type { DestinationState } from './state.js';
import { termsOf } from './terms.js';
import { announce, journal, seconds, type Turn } from './turn.js';

/**
 * Somebody else wrote this destination. While a write of ours is under way that is only noted, because whether we
 * covered it, or it us, is known when ours is answered (written.ts).
 */
export function rewritten(
	turn: Turn,
	destination: DestinationState,
	operation: Operation,
	weight: number,
	by: string,
): void {
	destination.changedMs = turn.nowMs;
	// Its removal may have gone unheard.
	if (operation === 'add') destination.addedMs = turn.nowMs;
	const { pending, lease } = destination;
	if (pending) {
		pending.heard = { operation, weight, by, afterOwn: pending.own };
		return;
	}
	if (operation === 'delete') return removed(turn, destination, by);
	destination.destination = { ...destination.destination, weight };
	if (!destination.inTable) {
		destination.inTable = true;
		if (weight > 0) returned(turn, destination, `${by} put it back`);
	} else if (lease?.state === 'with-monitor') {
		if (weight > 0) returned(turn, destination, `${by} put it back`);
	} else if (lease && destination.bound && weight === 0) {
		handOver(turn, destination, by);
	} else if (lease) {
		yieldTo(turn, destination, by, `weight ${weight}`);
	} else heed(turn, destination, by);
}

/**
 * Somebody gives weight to a server that failed by evidence alone, which no probe keeps fresh: that is newer, and from
 * who decides.
 */
export function heed(turn: Turn, destination: DestinationState, by: string): void {
	if (destination.verdict !== 'failed' || destination.lease || destination.destination.weight === 0) return;
	if (turn.state.listeners.get(destination.listener ?? '')?.calibrated) return;
	destination.verdict = 'healthy';
	destination.told = undefined;
	holdDown(turn, destination);
	journal(turn, 'put-in', destination, { by });
}

/** The monitor acted on our word. It owns the weight now; we go on probing, to tell it when the server is back. */
function handOver(turn: Turn, destination: DestinationState, by: string): void {
	const { lease, ending } = destination;
	if (!lease) return;
	destination.lease = { ...lease, state: 'with-monitor', written: undefined };
	if (ending !== undefined) return closeLease(turn, destination, 'returned-to-monitor', { why: ending });
	turn.actions.push({ kind: 'ledger', lease: destination.lease });
	if (lease.state === 'held') announce(turn, 'with-monitor', destination, { by });
}

export function removed(turn: Turn, destination: DestinationState, by: string): void {
	destination.inTable = false;
	destination.changedMs = turn.nowMs;
	if (destination.lease && destination.bound) return handOver(turn, destination, by);
	if (destination.lease) return closeLease(turn, destination, 'gone', { by });
	dropDestination(turn.state, destination);
}

/** A destination that the monitor had taken out is in use again: the monitor has decided. */
export function returned(turn: Turn, destination: DestinationState, why: string): void {
	destination.verdict = 'recovering';
	destination.addedMs = turn.nowMs;
	if (destination.lease) closeLease(turn, destination, 'returned-to-monitor', { why });
	else settle(destination);
}

export function yieldTo(turn: Turn, destination: DestinationState, by: string, what: string): void {
	holdDown(turn, destination);
	closeLease(turn, destination, 'yielded', {
		by,
		what,
		holdDownSeconds: seconds(termsOf(turn.state, destination.serviceId).policy.holdDownMs),
	});
}

export function holdDown(turn: Turn, destination: DestinationState): void {
	destination.heldDownUntilMs = turn.nowMs + termsOf(turn.state, destination.serviceId).policy.holdDownMs;
}

/** The lease is over: the binding ends, the ledger forgets it, and one line says how. */
export function closeLease(
	turn: Turn,
	destination: DestinationState,
	name: ScenarioName,
	facts: Record<string, string | number>,
): void {
	const { service, lease } = destination;
	bind(turn, destination, 'up');
	if (lease) turn.actions.push({ kind: 'forget', service, destination: lease.destination });
	destination.lease = undefined;
	destination.ending = undefined;
	destination.rehearsed = false;
	destination.climb = undefined;
	destination.returnedMs = turn.nowMs;
	if (destination.brownUntilMs === undefined) turn.state.busyDestinations.delete(destination.id);
	announce(turn, name, destination, facts);
	settle(destination);
	if (!destination.inTable) dropDestination(turn.state, destination);
}

/** A recovering destination without a lease is healthy. */
export function settle(destination: DestinationState): void {
	if (destination.verdict !== 'recovering') return;
	destination.verdict = 'healthy';
	destination.told = undefined;
}

/** Tells the monitors, where there are any and they have not been told already. */
export function bind(turn: Turn, destination: DestinationState, state: 'down' | 'up'): void {
	if (!turn.state.binding || destination.bound === (state === 'down')) return;
	destination.bound = state === 'down';
	turn.actions.push({ kind: 'bind', service: destination.service, destination: destination.destination, state });
}
