/**
 * Leases: how a failed destination is taken out, who may end that, and how it comes back (DESIGN, rules 2 to 5).
 * Every lease ends in exactly one of: given back, returned to the monitor, yielded, gone. PURE.
 */
import type { ServiceId } from '../table/identity.js';
import { bind, closeLease, holdDown, removed, rewritten, settle, yieldTo } from './ending.js';
import { mayTakeOut, weightZeroHarm } from './guard.js';
import type { Input } from './input.js';
import { type Lease, leaseLengthMs } from './lease.js';
import { type DestinationState, isExcused, type Pending, random } from './state.js';
import { announce, announceOnce, journal, seconds, type Turn } from './turn.js';

/** Failed destinations of a service that a floor held in may go once another destination is usable again. */
export function reconsider(turn: Turn, service: ServiceId): void {
	for (const id of turn.state.services.get(service)?.destinations ?? []) {
		const destination = turn.state.destinations.get(id);
		if (destination) enforce(turn, destination);
	}
}

/** Takes a failed destination out as far as the mode and the guard allow; otherwise says once what stands against it. */
export function enforce(turn: Turn, destination: DestinationState): void {
	const { state, nowMs } = turn;
	const { verdict, lease, pending, inTable, heldDownUntilMs, retryAtMs } = destination;
	if (verdict !== 'failed' || lease || pending || !inTable || state.stopping) return;
	if (heldDownUntilMs !== undefined || nowMs < retryAtMs) return;
	// Nothing is decided of it before the way there is well; the probes that look for its return come back here.
	if (isExcused(state, destination.destination.address, nowMs)) return;
	if (state.mode === 'observe') return announceOnce(turn, 'observed-only', destination, {});
	const permission = mayTakeOut(state, destination, nowMs);
	if (!permission.allowed) return overflow(turn, destination, permission.reason, permission.why);
	const service = state.services.get(destination.serviceId);
	const harm = service && weightZeroHarm(service);
	if (state.mode === 'assist' && harm) overflow(turn, destination, 'scheduler', harm);
	if (state.mode === 'assist' && !harm && destination.destination.weight > 0) takeOut(turn, destination);
	else if (state.binding) askMonitor(turn, destination);
}

function overflow(turn: Turn, destination: DestinationState, reason: string, why: string): void {
	const obstacle = `overflow ${reason}`;
	const { overflow: counts } = turn.state.counters;
	if (destination.told !== obstacle) counts[reason] = (counts[reason] ?? 0) + 1;
	announceOnce(turn, 'overflow', destination, { reason, why });
}

function newLease(turn: Turn, destination: DestinationState, written: number | undefined): Lease {
	const { state, nowMs } = turn;
	const { policy } = state;
	if (nowMs - destination.returnedMs > 2 * policy.leaseCapMs) destination.ejections = 0;
	state.busyDestinations.add(destination.id);
	state.ejectedMs.push(nowMs);
	const lease: Lease = {
		service: destination.service,
		destination: { ...destination.destination },
		state: 'held',
		written,
		sinceMs: nowMs,
		untilMs: nowMs + leaseLengthMs(policy, destination.ejections, random(state)),
		count: destination.ejections + 1,
		pid: state.pid,
		reason: 'failed: clients were refused and the probe confirmed it',
	};
	destination.lease = lease;
	return lease;
}

/** The ejection has taken place: the next lease is longer, and old obstacles are news again. */
function enforced(turn: Turn, destination: DestinationState, lease: Lease): void {
	destination.ejections = lease.count;
	destination.told = undefined;
	if (!turn.state.dryRun) turn.state.counters.enforced += 1;
}

function takeOut(turn: Turn, destination: DestinationState): void {
	const lease = newLease(turn, destination, 0);
	const id = begin(turn, destination, 'take', 'it has failed');
	turn.actions.push({ kind: 'setWeight', id, lease, expect: destination.destination.weight, to: 0 });
}

function begin(turn: Turn, destination: DestinationState, kind: 'take' | 'giveBack', why: string): number {
	const id = turn.state.nextActionId++;
	destination.pending = { id, kind, why, own: false, heard: undefined };
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

/** The server is back: the weight is given back, or the monitor is let judge alone again. */
export function recover(turn: Turn, destination: DestinationState): void {
	destination.verdict = 'recovering';
	journal(turn, 'recovering', destination, {});
	if (destination.lease) endLease(turn, destination, 'the server accepts our probe again');
	else settle(destination);
}

/** Ends a lease from our side, now or when the write under way is answered. A weight that we owe is written back. */
export function endLease(turn: Turn, destination: DestinationState, why: string): void {
	const { lease, pending } = destination;
	if (!lease) return;
	destination.ending = why;
	if (pending) return;
	if (lease.written === undefined) return closeLease(turn, destination, 'returned-to-monitor', { why });
	const id = begin(turn, destination, 'giveBack', why);
	turn.actions.push({ kind: 'giveBack', id, lease });
}

export type OutcomeResult = Extract<Input, { kind: 'outcome' }>['result'];

/** What became of a write that we asked for. The executor has delivered by now whatever the audit saw before it. */
export function outcome(turn: Turn, id: number, result: OutcomeResult, detail: string): void {
	const destination = [...turn.state.busyDestinations]
		.map((busy) => turn.state.destinations.get(busy))
		.find((candidate) => candidate?.pending?.id === id);
	const { pending, lease } = destination ?? {};
	if (!destination || !pending || !lease) return;
	destination.pending = undefined;
	destination.changedMs = turn.nowMs;
	const by = pending.heard?.by ?? 'somebody';
	if (result === 'gone') removed(turn, destination, by);
	else if (result === 'changed') yieldTo(turn, destination, by, detail);
	else if (result === 'failed' || result === 'unknown') failedWrite(turn, destination, pending, result, detail);
	else written(turn, destination, lease, pending, result);
}

/** Our write stands. What others wrote meanwhile was covered by it, or came after it and counts now. */
function written(
	turn: Turn,
	destination: DestinationState,
	lease: Lease,
	pending: Pending,
	result: 'done' | 'dry-run',
): void {
	const { heard, kind } = pending;
	const covered = heard !== undefined && !heard.afterOwn && heard.operation !== 'delete';
	if (kind === 'take') taken(turn, destination, lease, result);
	if (covered) return concede(turn, destination, lease, kind === 'take' ? 0 : lease.destination.weight, pending);
	if (kind === 'giveBack') givenBack(turn, destination, lease, pending.why, result);
	if (heard) return rewritten(turn, destination, heard.operation, heard.weight, heard.by);
	if (kind === 'take') settleTaken(turn, destination);
}

function taken(turn: Turn, destination: DestinationState, lease: Lease, result: 'done' | 'dry-run'): void {
	destination.rehearsed = result === 'dry-run';
	if (result === 'done') destination.destination = { ...destination.destination, weight: 0 };
	enforced(turn, destination, lease);
	announce(turn, result === 'done' ? 'quiesced' : 'quiesce-dry-run', destination, {
		owed: lease.destination.weight,
		leaseSeconds: seconds(lease.untilMs - lease.sinceMs),
		sinceFailedMs: turn.nowMs - destination.failedMs,
	});
}

/** What was decided while the weight was being written is done now. */
function settleTaken(turn: Turn, destination: DestinationState): void {
	if (turn.state.stopping) endLease(turn, destination, 'ipvigil stops');
	else if (destination.ending !== undefined) endLease(turn, destination, destination.ending);
	// Not before the weight is written: a monitor that acts within a millisecond would take away what we are writing.
	else bind(turn, destination, 'down');
	wakeForLease(turn, destination);
}

/** Somebody wrote between our reading and our writing, and we covered it with `ours`: their word is what we owe now. */
function concede(turn: Turn, destination: DestinationState, lease: Lease, ours: number, { heard }: Pending): void {
	if (!heard) return;
	const owed = { ...lease.destination, weight: heard.weight };
	destination.lease = { ...lease, destination: owed, written: ours };
	turn.actions.push({ kind: 'ledger', lease: destination.lease });
	holdDown(turn, destination);
	endLease(turn, destination, `${heard.by} had just written it`);
}

function givenBack(
	turn: Turn,
	destination: DestinationState,
	lease: Lease,
	why: string,
	result: 'done' | 'dry-run',
): void {
	const owed = lease.destination.weight;
	if (result === 'done') destination.destination = { ...destination.destination, weight: owed };
	const outageMs = turn.nowMs - lease.sinceMs;
	// A listener's restart is no reason to trust the server less.
	if (outageMs < turn.state.policy.restartMs) destination.ejections -= 1;
	const name = result === 'done' ? 'given-back' : 'give-back-dry-run';
	closeLease(turn, destination, name, { owed, outageSeconds: seconds(outageMs), why });
	// It may have been given back for a reason that has passed, while the server is as dead as before.
	enforce(turn, destination);
}

/** What was not taken out takes nobody's place among those that may go within a minute. */
function uncount({ state }: Turn, { lease }: DestinationState): void {
	const at = state.ejectedMs.lastIndexOf(lease?.sinceMs ?? Number.NaN);
	if (at >= 0) state.ejectedMs.splice(at, 1);
}

/**
 * Nothing was written, or nobody can say. `Weights` has left the ledger as it must be; what may stand is given back as
 * soon as the table can be read, and what surely does not is forgotten and tried anew.
 */
function failedWrite(
	turn: Turn,
	destination: DestinationState,
	{ kind, heard }: Pending,
	result: 'failed' | 'unknown',
	detail: string,
): void {
	destination.retryAtMs = turn.nowMs + turn.state.policy.retryMs;
	const spoken = heard && kind === 'take' && result === 'failed';
	const next = spoken ? `${heard.by} has written it meanwhile, so it is left alone` : 'trying again';
	announceOnce(turn, 'write-failed', destination, { detail, kind, next });
	if (heard) holdDown(turn, destination);
	if (kind === 'take' && result === 'failed') {
		uncount(turn, destination);
		destination.lease = undefined;
		destination.ending = undefined;
		settle(destination);
		if (heard) rewritten(turn, destination, heard.operation, heard.weight, heard.by);
	} else if (kind === 'take') destination.ending = 'nobody could say whether it had been written';
	turn.actions.push({ kind: 'schedule', atMs: destination.retryAtMs });
}

/** Renews, ends or retries what is due on a destination with a lease or an unfinished write. */
export function tickDestination(turn: Turn, destination: DestinationState): void {
	const { state, nowMs } = turn;
	const { lease, pending } = destination;
	if (pending) return;
	if (nowMs < destination.retryAtMs) {
		turn.actions.push({ kind: 'schedule', atMs: destination.retryAtMs });
		return;
	}
	if (!lease) {
		state.busyDestinations.delete(destination.id);
		return enforce(turn, destination);
	}
	const { policy } = state;
	if (destination.ending !== undefined) endLease(turn, destination, destination.ending);
	else if (nowMs - lease.sinceMs >= policy.leaseTotalMs) capReached(turn, destination, lease);
	else if (nowMs >= lease.untilMs - renewMarginMs(turn, lease) && stillRefusing(turn, destination))
		renew(turn, destination, lease);
	else if (nowMs >= lease.untilMs) {
		holdDown(turn, destination);
		endLease(turn, destination, 'its lease is over and no probe says that it still refuses');
	}
	wakeForLease(turn, destination);
}

/** Short leases (tests, eager operators) are renewed in their last third. */
function renewMarginMs(turn: Turn, lease: Lease): number {
	return Math.min(turn.state.policy.renewMarginMs, Math.floor((lease.untilMs - lease.sinceMs) / 3));
}

function stillRefusing(turn: Turn, destination: DestinationState): boolean {
	const listener = destination.listener && turn.state.listeners.get(destination.listener);
	if (!listener || destination.verdict !== 'failed') return false;
	const { recoverIntervalMs, probeTimeoutMs } = turn.state.policy;
	return turn.nowMs - listener.lastNegativeMs <= 2 * (10 * recoverIntervalMs + probeTimeoutMs);
}

function renew(turn: Turn, destination: DestinationState, lease: Lease): void {
	const { policy } = turn.state;
	const lengthMs = leaseLengthMs(policy, lease.count - 1, random(turn.state));
	const untilMs = Math.min(turn.nowMs + lengthMs, lease.sinceMs + policy.leaseTotalMs);
	if (untilMs <= lease.untilMs) return;
	destination.lease = { ...lease, untilMs };
	turn.actions.push({ kind: 'ledger', lease: destination.lease });
	journal(turn, 'renewed', destination, { leaseSeconds: seconds(untilMs - turn.nowMs) });
}

function capReached(turn: Turn, destination: DestinationState, lease: Lease): void {
	announce(turn, 'cap-reached', destination, { outageSeconds: seconds(turn.nowMs - lease.sinceMs) });
	holdDown(turn, destination);
	endLease(turn, destination, 'a lease may last no longer');
}

function wakeForLease(turn: Turn, destination: DestinationState): void {
	const { lease, pending } = destination;
	if (!lease || pending) return;
	const renewMs = lease.untilMs - renewMarginMs(turn, lease);
	const atMs = renewMs > turn.nowMs ? renewMs : Math.max(lease.untilMs, turn.nowMs + turn.state.policy.retryMs);
	turn.actions.push({ kind: 'schedule', atMs });
}
