/**
 * What became of a write that the judge asked for: it stands, it was refused, nobody can say, or somebody else has written
 * beside it. The executor has delivered by then whatever the audit saw before it. PURE.
 */
import { bind, closeLease, holdDown, removed, rewritten, settle, yieldTo } from './ending.js';
import { caveatOf } from './guard.js';
import type { Input } from './input.js';
import type { Lease } from './lease.js';
import type { DestinationState, Pending } from './state.js';
import { endLease, enforce, enforced, wakeForLease } from './tenure.js';
import { termsOf } from './terms.js';
import { announce, announceOnce, journal, seconds, type Turn } from './turn.js';

export type OutcomeResult = Extract<Input, { kind: 'outcome' }>['result'];

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
	else stands(turn, destination, lease, pending, result);
}

/** Our write stands. What others wrote meanwhile was covered by it, or came after it and counts now. */
function stands(
	turn: Turn,
	destination: DestinationState,
	lease: Lease,
	pending: Pending,
	result: 'done' | 'dry-run',
): void {
	const { heard, kind } = pending;
	// A destination that was deleted before our write and is there has been added again, though nobody heard of that.
	const covered = heard !== undefined && !heard.afterOwn && (heard.operation !== 'delete' || kind !== 'giveBack');
	if (kind === 'take') taken(turn, destination, lease, result);
	if (kind === 'step') stepped(turn, destination, lease, pending.why);
	const ours = kind === 'giveBack' ? lease.destination.weight : lease.written;
	if (covered) return concede(turn, destination, lease, ours, pending);
	if (kind === 'giveBack') givenBack(turn, destination, lease, pending.why, result);
	if (heard) return rewritten(turn, destination, heard.operation, heard.weight, heard.by);
	if (kind !== 'giveBack') goOn(turn, destination, kind);
}

function taken(turn: Turn, destination: DestinationState, lease: Lease, result: 'done' | 'dry-run'): void {
	const { written = 0 } = lease;
	const owed = lease.destination.weight;
	destination.rehearsed = result === 'dry-run';
	// It counts within a minute from when it went: a reply that was long in coming may have come long after the decision.
	if (uncounted(turn, lease)) turn.state.ejectedMs.push(turn.nowMs);
	if (result === 'done') destination.destination = { ...destination.destination, weight: written };
	enforced(turn, destination, lease);
	const name = written === 0 ? 'quiesced' : 'reduced';
	announce(turn, result === 'done' ? name : 'quiesce-dry-run', destination, {
		owed,
		written,
		leaseSeconds: seconds(lease.untilMs - lease.sinceMs),
		sinceFailedMs: turn.nowMs - destination.failedMs,
		caveat: caveatOf(turn.state, destination),
	});
}

function stepped(
	turn: Turn,
	destination: DestinationState,
	{ written = 0, destination: owed }: Lease,
	why: string,
): void {
	destination.destination = { ...destination.destination, weight: written };
	journal(turn, 'step-up', destination, { written, owed: owed.weight, why });
}

/** What was decided while the weight was being written is done now. */
function goOn(turn: Turn, destination: DestinationState, kind: 'take' | 'step'): void {
	if (turn.state.stopping) endLease(turn, destination, 'ipvigil stops');
	else if (destination.ending !== undefined) endLease(turn, destination, destination.ending);
	// Not before the weight is written: a monitor that acts within a millisecond would take away what we are writing.
	else if (kind === 'take') bind(turn, destination, 'down');
	// It failed again while a step was being written.
	else enforce(turn, destination);
	wakeForLease(turn, destination);
}

/** Somebody wrote between our reading and our writing, and we covered it with `ours`: their word is what we owe now. */
function concede(
	turn: Turn,
	destination: DestinationState,
	lease: Lease,
	ours: number | undefined,
	{ heard }: Pending,
): void {
	if (!heard) return;
	const weight = heard.operation === 'delete' ? lease.destination.weight : heard.weight;
	const owed = { ...lease.destination, weight };
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
	const outageMs = turn.nowMs - destination.outSinceMs;
	// A listener's restart is no reason to trust the server less.
	if (outageMs < termsOf(turn.state, destination.serviceId).policy.restartMs) {
		destination.ejections -= 1;
	}
	const name = result === 'done' ? 'given-back' : 'give-back-dry-run';
	closeLease(turn, destination, name, { owed, outageSeconds: seconds(outageMs), why });
	// It may have been given back for a reason that has passed, while the server is as dead as before.
	enforce(turn, destination);
}

/** What was not taken out takes nobody's place among those that may go within a minute. */
function uncounted({ state }: Turn, lease: Lease | undefined): boolean {
	const at = state.ejectedMs.lastIndexOf(lease?.sinceMs ?? Number.NaN);
	if (at >= 0) state.ejectedMs.splice(at, 1);
	return at >= 0;
}

/**
 * Nothing was written, or nobody can say. `Weights` has left the ledger as it must be; what may stand is given back as
 * soon as the table can be read, and what surely does not is forgotten and tried anew.
 */
function failedWrite(
	turn: Turn,
	destination: DestinationState,
	{ kind, heard, before, climb }: Pending,
	result: 'failed' | 'unknown',
	detail: string,
): void {
	destination.retryAtMs = turn.nowMs + termsOf(turn.state, destination.serviceId).policy.retryMs;
	const isForgotten = kind !== 'giveBack' && result === 'failed';
	const next = heard && isForgotten ? `${heard.by} has written it meanwhile, so it is left alone` : 'trying again';
	announceOnce(turn, 'write-failed', destination, { detail, kind, next });
	if (heard) holdDown(turn, destination);
	if (isForgotten) {
		if (kind === 'take') {
			uncounted(turn, destination.lease);
			destination.ejectedMs.pop();
		}
		destination.lease = before;
		// The same step once more, where it was one.
		destination.climb = climb && { ...climb, dueMs: destination.retryAtMs };
		if (kind === 'step' && !climb) destination.climb = { step: 0, dueMs: destination.retryAtMs };
		if (!before) {
			destination.ending = undefined;
			settle(destination);
		}
		if (heard) rewritten(turn, destination, heard.operation, heard.weight, heard.by);
	} else if (kind !== 'giveBack') destination.ending = 'nobody could say whether it had been written';
	turn.actions.push({ kind: 'schedule', atMs: destination.retryAtMs });
}
