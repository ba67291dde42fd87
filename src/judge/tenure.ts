/**
 * Leases: how a failed destination is taken out, and how its weight comes back (DESIGN, rules 2 to 5). What became of a
 * write is weighed in written.ts, and what others do in ending.ts.
 * Every lease ends in exactly one of: given back, returned to the monitor, yielded, gone. PURE.
 */

import type { ServiceId } from '../table/identity.js';
import type { Destination } from '../table/model.js';
import { freezeTogether, thaw } from './correlation.js';
import { bind, closeLease, holdDown, settle } from './ending.js';
import { mayTakeOut, weightZeroHarm } from './guard.js';
import { holdOf } from './hold.js';
import { type Lease, leaseLengthMs, reasonOf } from './lease.js';
import type { Policy, RuleAction } from './policy.js';
import { plan } from './questions.js';
import { climbSteps } from './slow-start.js';
import { type DestinationState, isExcused, type Pending, random } from './state.js';
import { actionOn, policyOn, termsOf } from './terms.js';
import { announce, announceOnce, journal, seconds, type Turn } from './turn.js';

/** Failed destinations of a service that a floor held in may go once another destination is usable again. */
export function reconsider(turn: Turn, service: ServiceId): void {
	thaw(turn, service);
	for (const id of turn.state.services.get(service)?.destinations ?? []) {
		const destination = turn.state.destinations.get(id);
		if (destination && !isAskedFirst(turn, destination)) enforce(turn, destination);
	}
}

/** At most five times as often as usual. */
const hasteMax = 5;

/**
 * What was held in goes by its own probe's word, not by another's return: who failed together comes back together, and the
 * last word of it may be seconds old.
 */
function isAskedFirst(turn: Turn, { verdict, lease, pending, listener: id }: DestinationState): boolean {
	const listener = turn.state.listeners.get(id ?? '');
	if (verdict !== 'failed' || lease || pending || !listener?.calibrated) return false;
	const { recoverIntervalMs } = policyOn(turn.state, listener);
	const atMs = Math.max(turn.nowMs, listener.lastNegativeMs + recoverIntervalMs / hasteMax);
	if (!listener.next || listener.next.atMs > atMs) plan(turn, listener, 'recover', atMs);
	return true;
}

/** Takes a failed destination out as far as its terms and the guard allow; otherwise says once what stands against it. */
export function enforce(turn: Turn, destination: DestinationState): void {
	const { state, nowMs } = turn;
	const { verdict, pending, inTable, heldDownUntilMs, retryAtMs, addedMs } = destination;
	if (verdict !== 'failed' || pending || !inTable || state.stopping || destination.ending !== undefined) return;
	if (heldDownUntilMs !== undefined || nowMs < retryAtMs) return;
	// Nothing is decided of it before the way there is well; the probes that look for its return come back here.
	if (isExcused(state, destination.destination.address, nowMs) || isUnproven(turn, destination)) return;
	if (isOldEvidence(turn, destination)) return;
	const { action, because } = actionOn(state, destination);
	if (action === 'observe')
		return keepIn(turn, destination, () => announceOnce(turn, 'observed-only', destination, { because }));
	const to = action === 'notify' ? undefined : reducedTo(turn, destination, action);
	if (isOutAlready(destination, to)) return;
	// Whoever has set it to 0 needs to be asked for nothing.
	if (!destination.lease && destination.destination.weight === 0) return;
	// Its weight was coming back; the monitor is asked once it is.
	if (to === undefined && destination.lease) return endLease(turn, destination, 'it has failed again');
	const held = holdOf(state, destination.id);
	if (held)
		return keepIn(turn, destination, () => announceOnce(turn, 'held-back', destination, { reason: held.reason }));
	const graceEndMs = addedMs + termsOf(state, destination.serviceId).policy.graceMs;
	if (nowMs < graceEndMs) return comeBack(turn, destination, graceEndMs);
	// Most of it may be failed by now because others have gone for other reasons.
	freezeTogether(turn, destination.serviceId);
	// A monitor that is told takes all of it, whatever is left of the weight.
	const permission = mayTakeOut(state, destination, state.binding ? 0 : (to ?? 0), nowMs);
	if (!permission.allowed)
		return keepIn(turn, destination, () => overflow(turn, destination, permission.reason, permission.why));
	const service = state.services.get(destination.serviceId);
	const { weight } = destination.destination;
	const harm = to === 0 && service ? weightZeroHarm(service) : undefined;
	if (harm !== undefined) overflow(turn, destination, 'scheduler', harm);
	if (to !== undefined && to > 0 && weight === to)
		overflow(turn, destination, 'weight', `a weight of ${to} has no less`);
	if (to !== undefined && harm === undefined && weight > to) takeOut(turn, destination, to);
	else if (state.binding && !destination.lease) askMonitor(turn, destination);
}

/** Another listener of its host may have shown that the way is there; of this one nothing is known yet. */
function isUnproven({ state }: Turn, { listener }: DestinationState): boolean {
	return state.listeners.get(listener ?? '')?.unproven === true;
}

/** Evidence alone acts at once or not at all: no probe keeps it fresh, and the next of it comes back here. */
function isOldEvidence(turn: Turn, { listener, lease, edge, serviceId }: DestinationState): boolean {
	if (lease || turn.state.listeners.get(listener ?? '')?.calibrated) return false;
	const { confirmIntervalMs } = termsOf(turn.state, serviceId).policy;
	return turn.nowMs - (edge?.lastMs ?? Number.NEGATIVE_INFINITY) > 2 * confirmIntervalMs;
}

/** It stays in, and with all that it is owed: one that failed again while its weight came back has it at once. */
function keepIn(turn: Turn, destination: DestinationState, tell: () => void): void {
	tell();
	if (destination.lease && destination.climb)
		endLease(turn, destination, 'it has failed again and may not be taken out');
}

/** A tick looks at it again. */
function comeBack({ state, actions }: Turn, { id }: DestinationState, atMs: number): void {
	state.busyDestinations.add(id);
	actions.push({ kind: 'schedule', atMs });
}

/** To reduce leaves something in any case. */
function reducedTo({ state }: Turn, destination: DestinationState, action: RuleAction): number {
	const { reducedShare } = termsOf(state, destination.serviceId).policy;
	return action === 'quiesce' ? 0 : Math.max(1, Math.floor(owing(destination).weight * reducedShare));
}

/** Under a lease, and with no more weight than it should have: one whose weight was coming back has too much. */
function isOutAlready({ lease, rehearsed }: DestinationState, to: number | undefined): boolean {
	if (!lease) return false;
	if (rehearsed || lease.written === undefined) return true;
	return to !== undefined && lease.written <= to;
}

function overflow(turn: Turn, destination: DestinationState, reason: string, why: string): void {
	const obstacle = `overflow ${reason}`;
	const { overflow: counts } = turn.state.counters;
	if (destination.told !== obstacle) counts[reason] = (counts[reason] ?? 0) + 1;
	announceOnce(turn, 'overflow', destination, { reason, why });
}

function newLease(turn: Turn, destination: DestinationState, written: number | undefined): Lease {
	const { state, nowMs } = turn;
	const { policy } = termsOf(state, destination.serviceId);
	const earlier = earlierEjections(policy, destination, nowMs);
	if (!destination.lease) destination.outSinceMs = nowMs;
	state.busyDestinations.add(destination.id);
	state.ejectedMs.push(nowMs);
	destination.ejectedMs = [...destination.ejectedMs, nowMs].slice(-policy.flapsMax);
	const lease: Lease = {
		service: destination.service,
		destination: owing(destination),
		state: 'held',
		written,
		sinceMs: nowMs,
		untilMs: nowMs + leaseLengthMs(policy, earlier, random(state)),
		count: earlier + 1,
		pid: state.pid,
		reason: reasonOf(destination.signal),
	};
	destination.lease = lease;
	destination.climb = undefined;
	return lease;
}

/** One is forgotten for each so long that it has served. */
function earlierEjections({ leaseDecayMs }: Policy, destination: DestinationState, nowMs: number): number {
	const { ejections, returnedMs, lease } = destination;
	const servedMs = lease ? 0 : nowMs - returnedMs;
	return Math.max(0, ejections - Math.floor(servedMs / leaseDecayMs));
}

/** What must go back: of a weight that was coming back, the whole of it. */
function owing({ lease, destination }: DestinationState): Destination {
	return { ...destination, weight: lease?.destination.weight ?? destination.weight };
}

function takeOut(turn: Turn, destination: DestinationState, to: number): void {
	const { lease: before, climb: reached } = destination;
	const lease = newLease(turn, destination, to);
	const id = begin(turn, destination, { kind: 'take', why: 'it has failed', before, climb: reached });
	turn.actions.push({ kind: 'setWeight', id, lease, expect: before?.written ?? destination.destination.weight, to });
}

function begin(
	turn: Turn,
	destination: DestinationState,
	what: Pick<Pending, 'kind' | 'why' | 'before' | 'climb'>,
): number {
	const id = turn.state.nextActionId++;
	destination.pending = { id, ...what, own: false, heard: undefined };
	return id;
}

function askMonitor(turn: Turn, destination: DestinationState): void {
	const lease = newLease(turn, destination, undefined);
	turn.actions.push({ kind: 'ledger', lease });
	bind(turn, destination, 'down');
	enforced(turn, destination, lease);
	const name = turn.state.dryRun ? 'monitor-asked-dry-run' : 'monitor-asked';
	announce(turn, name, destination, { leaseSeconds: seconds(lease.untilMs - turn.nowMs) });
	wakeForLease(turn, destination);
}

/** The ejection has taken place: the next lease is longer, and old obstacles are news again. */
export function enforced(turn: Turn, destination: DestinationState, lease: Lease): void {
	destination.ejections = lease.count;
	destination.told = undefined;
	if (!turn.state.dryRun) turn.state.counters.enforced += 1;
}

/** The server is back: the weight is given back, at once or in steps, or the monitor is let judge alone again. */
export function recover(turn: Turn, destination: DestinationState): void {
	destination.verdict = 'recovering';
	journal(turn, 'recovering', destination, {});
	if (!destination.lease) settle(destination);
	else if (destination.ending !== undefined) endLease(turn, destination, destination.ending);
	else if (destination.pending || climbSteps(turn, destination) === 1)
		endLease(turn, destination, 'the server accepts our probe again');
	else climb(turn, destination);
}

/** The next step of a weight that comes back; the last one ends the lease. */
export function climb(turn: Turn, destination: DestinationState): void {
	const { lease: before, climb: reached = { step: 0 } } = destination;
	const steps = climbSteps(turn, destination);
	const step = reached.step + 1;
	if (before?.written === undefined || destination.pending) return;
	if (step >= steps) return endLease(turn, destination, 'the server accepts our probe again');
	const { policy } = termsOf(turn.state, destination.serviceId);
	// Who is told that it is down might act on it while it is coming back.
	bind(turn, destination, 'up');
	const to = Math.floor((before.destination.weight * step) / steps);
	const stepMs = Math.ceil(policy.slowStartMs / (steps - 1));
	const leastMs = turn.nowMs + stepMs + renewMarginMs(turn, destination, before);
	const lease = { ...before, pid: turn.state.pid, written: to, untilMs: Math.max(before.untilMs, leastMs) };
	const reachedBefore = destination.climb;
	destination.lease = lease;
	destination.climb = { step, dueMs: turn.nowMs + stepMs };
	const id = begin(turn, destination, { kind: 'step', why: `step ${step} of ${steps}`, before, climb: reachedBefore });
	turn.actions.push({ kind: 'setWeight', id, lease, expect: before.written, to });
}

/** Ends a lease from our side, now or when the write under way is answered. A weight that we owe is written back. */
export function endLease(turn: Turn, destination: DestinationState, why: string): void {
	const { lease, pending } = destination;
	if (!lease) return;
	destination.ending = why;
	if (pending) return;
	if (lease.written === undefined) return closeLease(turn, destination, 'returned-to-monitor', { why });
	const id = begin(turn, destination, { kind: 'giveBack', why, before: lease, climb: destination.climb });
	turn.actions.push({ kind: 'giveBack', id, lease });
}

/** Renews, ends or retries what is due on a destination with a lease or an unfinished write. */
export function tickDestination(turn: Turn, destination: DestinationState): void {
	const { nowMs } = turn;
	const { lease, pending } = destination;
	brightens(turn, destination);
	if (pending) return;
	if (nowMs < destination.retryAtMs) {
		turn.actions.push({ kind: 'schedule', atMs: destination.retryAtMs });
		return;
	}
	if (lease) tickLease(turn, destination, lease);
	else tickUnleased(turn, destination);
}

function tickLease(turn: Turn, destination: DestinationState, lease: Lease): void {
	const { nowMs } = turn;
	const { policy } = termsOf(turn.state, destination.serviceId);
	// One whose weight was coming back when it failed again, and could not be written.
	enforce(turn, destination);
	if (destination.pending) return;
	if (destination.ending !== undefined) endLease(turn, destination, destination.ending);
	else if (nowMs - destination.outSinceMs >= policy.leaseTotalMs) capReached(turn, destination);
	else if (destination.verdict === 'recovering' && nowMs >= (destination.climb?.dueMs ?? Number.POSITIVE_INFINITY))
		climb(turn, destination);
	else if (holdOf(turn.state, destination.id)) endWhileHeld(turn, destination, lease);
	else if (nowMs >= lease.untilMs - renewMarginMs(turn, destination, lease) && stillRefusing(turn, destination))
		renew(turn, destination, lease);
	else if (nowMs >= lease.untilMs) {
		holdDown(turn, destination);
		// Whom no probe can be asked about is not held to have failed for ever: new evidence will say.
		if (!isCalibrated(turn, destination)) destination.verdict = 'healthy';
		endLease(turn, destination, 'its lease is over and no probe says that it still refuses');
	}
	wakeForLease(turn, destination);
}

/** What waits here without a lease: a grace or a retry that is over, a brown-out that may be. */
function tickUnleased(turn: Turn, destination: DestinationState): void {
	if (destination.brownUntilMs === undefined) turn.state.busyDestinations.delete(destination.id);
	enforce(turn, destination);
}

/** A hold renews nothing. It keeps the server in afterwards, so that no hold-down is needed for that. */
function endWhileHeld(turn: Turn, destination: DestinationState, { untilMs }: Lease): void {
	if (turn.nowMs >= untilMs) endLease(turn, destination, 'its lease is over and the operator holds it');
}

function brightens(turn: Turn, destination: DestinationState): void {
	const { brownUntilMs } = destination;
	if (brownUntilMs === undefined) return;
	if (turn.nowMs < brownUntilMs) {
		turn.actions.push({ kind: 'schedule', atMs: brownUntilMs });
		return;
	}
	destination.brownUntilMs = undefined;
	announce(turn, 'brown-out-over', destination, {});
}

/** Short leases (tests, eager operators) are renewed in their last third. */
function renewMarginMs({ state }: Turn, { serviceId }: DestinationState, lease: Lease): number {
	const { policy } = termsOf(state, serviceId);
	return Math.min(policy.renewMarginMs, Math.floor(leaseLengthMs(policy, lease.count - 1, 0) / 3));
}

/** Only a probe that has been accepted once says anything by being refused. */
function stillRefusing(turn: Turn, destination: DestinationState): boolean {
	const listener = turn.state.listeners.get(destination.listener ?? '');
	if (!listener?.calibrated || destination.verdict !== 'failed') return false;
	const { recoverIntervalMs, probeTimeoutMs } = policyOn(turn.state, listener);
	return turn.nowMs - listener.lastNegativeMs <= 2 * (10 * recoverIntervalMs + probeTimeoutMs);
}

function isCalibrated({ state }: Turn, { listener }: DestinationState): boolean {
	return state.listeners.get(listener ?? '')?.calibrated === true;
}

function renew(turn: Turn, destination: DestinationState, lease: Lease): void {
	const { policy } = termsOf(turn.state, destination.serviceId);
	const lengthMs = leaseLengthMs(policy, lease.count - 1, random(turn.state));
	const untilMs = Math.min(turn.nowMs + lengthMs, destination.outSinceMs + policy.leaseTotalMs);
	if (untilMs <= lease.untilMs) return;
	destination.lease = { ...lease, untilMs };
	turn.actions.push({ kind: 'ledger', lease: destination.lease });
	// Told again: the word may not have got through, and the monitor goes by what stands there.
	const { service, destination: bound } = destination;
	if (destination.bound) turn.actions.push({ kind: 'bind', service, destination: bound, state: 'down', again: true });
	journal(turn, 'renewed', destination, { leaseSeconds: seconds(untilMs - turn.nowMs) });
}

function capReached(turn: Turn, destination: DestinationState): void {
	announce(turn, 'cap-reached', destination, { outageSeconds: seconds(turn.nowMs - destination.outSinceMs) });
	holdDown(turn, destination);
	endLease(turn, destination, 'a lease may last no longer');
}

export function wakeForLease(turn: Turn, destination: DestinationState): void {
	const { lease, pending, verdict } = destination;
	const coming = verdict === 'recovering' ? destination.climb : undefined;
	if (!lease || pending) return;
	const { retryMs } = termsOf(turn.state, destination.serviceId).policy;
	const renewMs = lease.untilMs - renewMarginMs(turn, destination, lease);
	const atMs = renewMs > turn.nowMs ? renewMs : Math.max(lease.untilMs, turn.nowMs + retryMs);
	turn.actions.push({ kind: 'schedule', atMs: Math.min(atMs, Math.max(coming?.dueMs ?? atMs, turn.nowMs)) });
}
