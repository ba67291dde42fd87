/**
 * What the answer to a probe means: it acquits, confirms, calibrates, or sees a server return; and which question comes
 * next. PURE.
 */
import type { ListenerId } from '../table/identity.js';
import type { Input, ProbeOutcome, ProbePurpose } from './input.js';
import { tryNextPort } from './ports.js';
import { again, plan, recoverIntervalMs, sendDue, windowEndMs } from './questions.js';
import { isAskable, rememberCalibrated } from './standing.js';
import { destinationsOn, isExcused, type ListenerState } from './state.js';
import { acquit, cannotConfirm, confirm, isImpaired } from './suspicion.js';
import { enforce, reconsider, recover } from './tenure.js';
import { policyOn } from './terms.js';
import { journal, type Turn } from './turn.js';

type Answer = Pick<Extract<Input, { kind: 'probe' }>, 'purpose' | 'outcome' | 'detail'>;

export function probed(turn: Turn, id: ListenerId, { purpose, outcome, detail }: Answer): void {
	const { probes } = turn.state.counters;
	const label = `${purpose} ${outcome}`;
	probes[label] = (probes[label] ?? 0) + 1;
	const listener = turn.state.listeners.get(id);
	if (!listener) return;
	listener.probing = undefined;
	switch (outcome) {
		case 'accepted':
			accepted(turn, listener);
			break;
		case 'refused':
		case 'reset':
		case 'hung':
		case 'unanswered':
		case 'unreachable':
			declined(turn, listener, purpose, outcome, detail);
			break;
		case 'error':
			notAsked(turn, listener, purpose, detail);
			break;
		default:
			outcome satisfies never;
	}
	sendDue(turn, listener);
}

/** The server is there. That calibrates the probe, clears suspicion, and ends a failure. */
function accepted(turn: Turn, listener: ListenerState): void {
	const { recoverSuccesses, recoverIntervalMs: intervalMs } = policyOn(turn.state, listener);
	listener.silent = 0;
	listener.accepts += 1;
	listener.unproven = false;
	listener.lastAcceptedMs = turn.nowMs;
	turn.state.excusedUntilMs.delete(listener.endpoint.address);
	listener.next = undefined;
	calibrate(turn, listener);
	// What would prove nothing by being refused proves nothing by being accepted.
	if (!listener.calibrated) return;
	const isBack = listener.accepts >= recoverSuccesses;
	for (const destination of destinationsOn(turn.state, listener)) {
		if (destination.verdict === 'suspect') {
			acquit(turn, destination);
			journal(turn, 'acquitted', destination, { signal: destination.signal });
		} else if (destination.verdict === 'failed') {
			if (isBack) recover(turn, destination);
			else plan(turn, listener, 'recover', turn.nowMs + intervalMs);
		}
		reconsider(turn, destination.serviceId);
	}
}

/** An acceptance proves that a refusal will mean something where clients meet the same listener, or were accepted too. */
function calibrate(turn: Turn, listener: ListenerState): void {
	if (listener.calibrated) return;
	if (!asksAsClients(turn, listener) && !acceptsClients(turn, listener)) return again(turn, listener, 'calibrate');
	listener.calibrated = true;
	if (rememberCalibrated(turn.state, listener.id)) turn.actions.push({ kind: 'remember', calibrated: listener.id });
}

/** Our question meets what those of clients meet: on the VIP, and on the address that NAT rewrites to. */
function asksAsClients({ state }: Turn, listener: ListenerState): boolean {
	const { method, address, port } = listener.asking;
	if (method === 'command' || address !== undefined || port !== undefined) return false;
	if (method === 'auto' && listener.vip) return true;
	return destinationsOn(state, listener).every(
		({ destination: { forwarding } }) => forwarding === 'masq' || forwarding === 'localnode',
	);
}

/** Two intervals, because what was accepted is read once in each. */
function acceptsClients(turn: Turn, listener: ListenerState): boolean {
	const sinceMs = turn.nowMs - 2 * policyOn(turn.state, listener).ratioIntervalMs;
	return destinationsOn(turn.state, listener).some(({ acceptedMs }) => acceptedMs >= sinceMs);
}

/** The way to these hosts is well again: that they are silent may be our own fault for a while yet. */
export function excuse({ state, nowMs }: Turn, hosts: Iterable<string>): void {
	// Also of hosts that are gone by now: one that is added again at once is behind the same way.
	for (const [host, untilMs] of state.excusedUntilMs) if (untilMs <= nowMs) state.excusedUntilMs.delete(host);
	for (const host of hosts) {
		const endpoints = state.hosts.get(host);
		if (endpoints) state.excusedUntilMs.set(host, nowMs + state.terms.others.policy.wayGraceMs);
		for (const listener of endpoints ?? []) {
			listener.silent = 0;
			// Who cannot be asked has nothing to prove.
			listener.unproven = isAskable(listener);
		}
	}
}

/** The server itself has spoken; all other ways of not accepting are silence, which has many reasons. */
function isItsWord(outcome: ProbeOutcome): boolean {
	return outcome === 'refused' || outcome === 'reset';
}

function isStandIn({ asking, endpoint }: ListenerState): boolean {
	return asking.address !== undefined && asking.address !== endpoint.address;
}

function declined(
	turn: Turn,
	listener: ListenerState,
	purpose: ProbePurpose,
	outcome: ProbeOutcome,
	detail: string,
): void {
	const { state, nowMs } = turn;
	const { silentProbes, confirmIntervalMs } = policyOn(state, listener);
	const isWord = isItsWord(outcome);
	// The way to a stand-in is another one, which nobody watches.
	if (!isWord && isStandIn(listener)) return notAsked(turn, listener, purpose, `its stand-in is silent: ${detail}`);
	listener.lastNegativeMs = nowMs;
	listener.accepts = 0;
	// Whoever speaks can be reached; a server that accepts and then hangs has spoken as well.
	if (isWord || outcome === 'hung') state.excusedUntilMs.delete(listener.endpoint.address);
	const isOurs = isImpaired(turn, listener);
	// Asked until it answers or its time is up: whichever comes first shows whether the way or the server was at fault.
	if (!isOurs && isExcused(state, listener.endpoint.address, nowMs)) return again(turn, listener, purpose);
	listener.silent = isWord || isOurs ? 0 : listener.silent + 1;
	const isSettled = isWord || isOurs || listener.silent >= silentProbes;
	// The first silence may be of a question that was sent into the dark.
	listener.unproven = isOurs || (listener.unproven && !isSettled);
	if ((purpose === 'confirm' || listener.unproven) && !isSettled) {
		// Silence has taken its time; "unreachable" comes at once, and a route that flaps must have time to come back.
		return plan(turn, listener, purpose, outcome === 'unreachable' ? nowMs + confirmIntervalMs : nowMs);
	}
	if (purpose === 'confirm') confirm(turn, listener, outcome, detail);
	const failed = destinationsOn(state, listener).filter(({ verdict }) => verdict === 'failed');
	// What a floor held in may go by now: another server has come back, or been added, in whatever way.
	for (const destination of failed) enforce(turn, destination);
	if (failed.length > 0) plan(turn, listener, 'recover', nowMs + recoverIntervalMs(turn, listener, failed));
	else if (!listener.calibrated) {
		tryNextPort(turn, listener);
		if (listener.destinations.size > 0) again(turn, listener, 'calibrate');
		else listener.next = undefined;
	}
}

/** Through a fault of our own, or a firewall's, nobody was asked: that settles nothing, and prolongs no suspicion. */
function notAsked(turn: Turn, listener: ListenerState, purpose: ProbePurpose, detail: string): void {
	const isWanted =
		purpose !== 'recover' || destinationsOn(turn.state, listener).some(({ verdict }) => verdict === 'failed');
	if (purpose !== 'confirm' && isWanted) return again(turn, listener, purpose);
	if (purpose !== 'confirm') return;
	cannotConfirm(turn, listener, 'error', `it could not be asked: ${detail}`);
	if (windowEndMs(turn, listener) > turn.nowMs) return again(turn, listener, purpose);
	if (!listener.calibrated) again(turn, listener, 'calibrate');
	turn.actions.push({ kind: 'schedule', atMs: turn.nowMs });
}
