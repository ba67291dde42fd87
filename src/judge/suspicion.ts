/**
 * From a signal to a verdict: suspicion, the probe that settles it, and the probes that see a server return.
 * What follows from a verdict for weights and monitors is `tenure`'s. PURE.
 */
import type { EvidenceEdge } from '../evidence/evidence.js';
import type { Scope } from '../evidence/signal.js';
import { type DestinationId, endpointId, type ListenerId } from '../table/identity.js';
import { defaultAsking } from './asking.js';
import type { Input, ProbeOutcome, ProbePurpose } from './input.js';
import { tryNextPort } from './ports.js';
import {
	calibrationGridMs,
	type DestinationState,
	destinationsOn,
	isExcused,
	type ListenerState,
	rememberCalibrated,
} from './state.js';
import { enforce, reconsider, recover } from './tenure.js';
import { announce, announceOnce, journal, type Turn } from './turn.js';

/** The kernel saw something that speaks against a server: it raises suspicion and asks for a probe, no more. */
export function heard(turn: Turn, edge: EvidenceEdge): void {
	for (const [listener, destinations] of concerned(turn, edge.scope))
		if (!isImpaired(turn, listener)) suspect(turn, listener, destinations, edge);
}

function suspect(turn: Turn, listener: ListenerState, destinations: DestinationState[], edge: EvidenceEdge): void {
	listener.lastSignalMs = turn.nowMs;
	turn.state.busyListeners.add(listener.id);
	const asked = isAskable(listener);
	const { signal, verified, client = '', detail, count, clientPrefixes } = edge;
	for (const destination of destinations.filter((one) => raises(turn, one))) {
		destination.verdict = 'suspect';
		destination.signal = signal;
		journal(turn, 'suspect', destination, { signal, verified, client, detail, count, clientPrefixes, asked });
	}
	if (!destinations.some(({ verdict }) => verdict === 'suspect')) return;
	if (asked) askToConfirm(turn, listener);
	// A tick ends the suspicion that no probe can.
	else turn.actions.push({ kind: 'schedule', atMs: windowEndMs(turn, listener) });
}

/** Whether it is the director that cannot reach the host: then silence says nothing of the server (DESIGN, rule 6). */
function isImpaired({ state }: Turn, { endpoint }: ListenerState): boolean {
	return state.impaired.has(endpoint.address);
}

/** Only a TCP listener can be asked by connecting: what answers a datagram, its protocol alone knows. */
function isAskable({ endpoint }: ListenerState): boolean {
	return endpoint.protocol === 'tcp';
}

/** The listeners that a signal speaks of, each with those of its destinations that are meant. */
function concerned({ state }: Turn, scope: Scope): [ListenerState, DestinationState[]][] {
	switch (scope.kind) {
		case 'endpoint': {
			const listener = state.listeners.get(endpointId(scope.endpoint));
			return listener ? [[listener, destinationsOn(state, listener)]] : [];
		}
		case 'host':
			return [...(state.hosts.get(scope.address) ?? [])].map((one) => [one, destinationsOn(state, one)]);
		case 'destination': {
			const destination = state.destinations.get(scope.destination);
			const listener = state.listeners.get(destination?.listener ?? '');
			// A client of a firewall mark may ask for any port: one that is closed on a healthy server says nothing.
			if (!destination || listener?.endpoint.port !== scope.port) return [];
			return [[listener, sharingListener(destination, destinationsOn(state, listener))]];
		}
	}
}

/**
 * In NAT every service of an endpoint reaches the same listener, so one refusal speaks of them all. In DR and TUN
 * each has a listener of its own, also where that is not what is asked.
 */
function sharingListener(one: DestinationState, others: DestinationState[]): DestinationState[] {
	if (one.destination.forwarding !== 'masq') return [one];
	return others.filter(({ destination }) => destination.forwarding === 'masq');
}

/** Whether a signal makes this destination suspect: a healthy one, or one whose hold-down has passed. */
function raises(turn: Turn, destination: DestinationState): boolean {
	if (destination.verdict === 'healthy') return true;
	const { heldDownUntilMs, lease } = destination;
	if (destination.verdict !== 'failed' || lease || heldDownUntilMs === undefined) return false;
	if (turn.nowMs < heldDownUntilMs) return false;
	destination.heldDownUntilMs = undefined;
	return true;
}

function askToConfirm(turn: Turn, listener: ListenerState): void {
	const atMs = Math.max(turn.nowMs, listener.lastConfirmMs + turn.state.policy.confirmIntervalMs);
	if (listener.next?.purpose === 'confirm' && listener.next.atMs <= atMs) return;
	plan(turn, listener, 'confirm', atMs);
}

/** The next probe of a listener; it goes out at once where it is due and none is under way. */
function plan(turn: Turn, listener: ListenerState, purpose: ProbePurpose, atMs: number): void {
	listener.next = { atMs, purpose };
	turn.state.busyListeners.add(listener.id);
	if (!sendDue(turn, listener)) turn.actions.push({ kind: 'schedule', atMs });
}

function sendDue(turn: Turn, listener: ListenerState): boolean {
	if (!listener.next || listener.probing || listener.next.atMs > turn.nowMs) return false;
	const { purpose } = listener.next;
	listener.next = undefined;
	listener.probing = purpose;
	if (purpose === 'confirm') listener.lastConfirmMs = turn.nowMs;
	const timeoutMs = turn.state.policy.probeTimeoutMs;
	const { id, endpoint, vip } = listener;
	turn.actions.push({ kind: 'probe', id, listener: { endpoint, vip }, asking: defaultAsking, purpose, timeoutMs });
	return true;
}

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
			turn.state.excusedUntilMs.delete(listener.endpoint.address);
			declined(turn, listener, purpose, outcome);
			break;
		case 'reset':
		case 'hung':
		case 'unanswered':
		case 'unreachable':
			declined(turn, listener, purpose, outcome);
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
	listener.silent = 0;
	listener.lastAcceptedMs = turn.nowMs;
	turn.state.excusedUntilMs.delete(listener.endpoint.address);
	listener.next = undefined;
	listener.calibrated = true;
	if (rememberCalibrated(turn.state, listener.id)) turn.actions.push({ kind: 'remember', calibrated: listener.id });
	for (const destination of destinationsOn(turn.state, listener)) {
		if (destination.verdict === 'suspect') {
			acquit(destination);
			journal(turn, 'acquitted', destination, { signal: destination.signal });
		} else if (destination.verdict === 'failed') {
			recover(turn, destination);
		}
		reconsider(turn, destination.serviceId);
	}
}

/** The way to these hosts is well again: that they are silent may be our own fault for a while yet. */
export function excuse({ state, nowMs }: Turn, hosts: Iterable<string>): void {
	for (const host of hosts) {
		const endpoints = state.hosts.get(host);
		if (endpoints) state.excusedUntilMs.set(host, nowMs + state.policy.wayGraceMs);
		for (const listener of endpoints ?? []) listener.silent = 0;
	}
}

function acquit(destination: DestinationState): void {
	destination.verdict = 'healthy';
	destination.told = undefined;
}

function declined(turn: Turn, listener: ListenerState, purpose: ProbePurpose, outcome: ProbeOutcome): void {
	const { policy } = turn.state;
	const { nowMs } = turn;
	listener.lastNegativeMs = nowMs;
	const isOurs = isImpaired(turn, listener);
	// Asked until it answers or its time is up: whichever comes first shows whether the way or the server was at fault.
	if (!isOurs && isExcused(turn.state, listener.endpoint.address, nowMs)) return again(turn, listener, purpose);
	listener.silent = outcome === 'refused' || isOurs ? 0 : listener.silent + 1;
	if (purpose === 'confirm' && outcome !== 'refused' && !isOurs && listener.silent < policy.silentProbes) {
		// Silence has taken its time; "unreachable" comes at once, and a route that flaps must have time to come back.
		return plan(turn, listener, 'confirm', outcome === 'unreachable' ? nowMs + policy.confirmIntervalMs : nowMs);
	}
	if (purpose === 'confirm') convict(turn, listener, outcome);
	const failed = destinationsOn(turn.state, listener).filter(({ verdict }) => verdict === 'failed');
	// What a floor held in may go by now: another server has come back, or been added, in whatever way.
	for (const destination of failed) enforce(turn, destination);
	if (failed.length > 0) plan(turn, listener, 'recover', nowMs + recoverIntervalMs(turn, failed));
	else if (!listener.calibrated) {
		tryNextPort(turn, listener);
		if (listener.destinations.size > 0) again(turn, listener, 'calibrate');
		else listener.next = undefined;
	}
}

/** Through a fault of our own, or a firewall's, nobody was asked: that settles nothing, and prolongs no suspicion. */
function notAsked(turn: Turn, listener: ListenerState, purpose: ProbePurpose, detail: string): void {
	if (purpose !== 'confirm') return again(turn, listener, purpose);
	cannotConfirm(turn, listener, 'error', `it could not be asked: ${detail}`);
	if (windowEndMs(turn, listener) > turn.nowMs) return again(turn, listener, purpose);
	if (!listener.calibrated) again(turn, listener, 'calibrate');
	turn.actions.push({ kind: 'schedule', atMs: turn.nowMs });
}

function cannotConfirm(turn: Turn, listener: ListenerState, probe: ProbeOutcome, why: string): void {
	for (const destination of destinationsOn(turn.state, listener))
		if (destination.verdict === 'suspect')
			announceOnce(turn, 'cannot-confirm', destination, { signal: destination.signal, why, probe });
}

/** The same question once more, after a failure of our own or a calibration that met none. */
function again(turn: Turn, listener: ListenerState, purpose: ProbePurpose): void {
	const { confirmIntervalMs, calibrateIntervalMs } = turn.state.policy;
	// A suspicion that came meanwhile has its own question planned.
	if (purpose === 'calibrate' && listener.next) return;
	if (purpose !== 'calibrate') return plan(turn, listener, purpose, turn.nowMs + confirmIntervalMs);
	const steps = Math.ceil((turn.nowMs + calibrateIntervalMs) / calibrationGridMs);
	plan(turn, listener, purpose, steps * calibrationGridMs);
}

/**
 * A server that has been dead for long is asked less often: every 2 % of its outage, between one and ten base
 * intervals. With 500 ms: after 10 s every 500 ms, after 100 s every 2 s, from 250 s on every 5 s.
 */
function recoverIntervalMs(turn: Turn, failed: DestinationState[]): number {
	const base = turn.state.policy.recoverIntervalMs;
	const outageMs = turn.nowMs - Math.max(...failed.map((destination) => destination.failedMs));
	return Math.min(Math.max(outageMs / 50, base), base * 10);
}

function convict(turn: Turn, listener: ListenerState, probe: ProbeOutcome): void {
	// The suspicion ends by itself; only what comes after the fault counts.
	if (isImpaired(turn, listener)) {
		turn.actions.push({ kind: 'schedule', atMs: windowEndMs(turn, listener) });
		return;
	}
	if (!listener.calibrated) {
		const why = `our probe was ${probe} too, but has never been accepted, so that proves nothing`;
		return cannotConfirm(turn, listener, probe, why);
	}
	for (const destination of destinationsOn(turn.state, listener)) {
		if (destination.verdict !== 'suspect') continue;
		destination.verdict = 'failed';
		destination.failedMs = turn.nowMs;
		turn.state.counters.detected += 1;
		announce(turn, 'failed', destination, { signal: destination.signal, probe, calibrated: true });
		enforce(turn, destination);
	}
}

/** Whether a probe for this purpose will settle a suspicion; a calibration comes again and again, and need not. */
function settles(purpose: ProbePurpose | undefined): boolean {
	return purpose !== undefined && purpose !== 'calibrate';
}

function windowEndMs(turn: Turn, listener: ListenerState): number {
	return listener.lastSignalMs + turn.state.policy.windowMs;
}

/** When this listener wants its next tick: a probe that is due, or the end of the window after its last signal. */
export function nextTickMs(turn: Turn, listener: ListenerState): number {
	const probeMs = listener.probing ? undefined : listener.next?.atMs;
	const endMs = windowEndMs(turn, listener);
	return Math.min(probeMs ?? Number.POSITIVE_INFINITY, endMs > turn.nowMs ? endMs : Number.POSITIVE_INFINITY);
}

/** Sends the probes that are due and ends suspicions that nothing has fed for a whole window. */
export function tickListener(turn: Turn, listener: ListenerState): void {
	sendDue(turn, listener);
	if (settles(listener.probing) || settles(listener.next?.purpose)) return;
	const suspects = destinationsOn(turn.state, listener).filter(({ verdict }) => verdict === 'suspect');
	const over = windowEndMs(turn, listener) <= turn.nowMs;
	for (const destination of over ? suspects : []) {
		acquit(destination);
		journal(turn, 'suspicion-over', destination, { signal: destination.signal });
		reconsider(turn, destination.serviceId);
	}
	if ((suspects.length === 0 || over) && !listener.next && !listener.probing)
		turn.state.busyListeners.delete(listener.id);
}

/**
 * Another listener is asked about it now, or one at last: what was under way elsewhere comes to nothing, and a lease that
 * was resumed could not be asked about before.
 */
export function askAnew(turn: Turn, id: DestinationId): void {
	const destination = turn.state.destinations.get(id);
	const listener = destination?.listener && turn.state.listeners.get(destination.listener);
	if (!listener) return;
	if (destination.verdict === 'failed') plan(turn, listener, 'recover', turn.nowMs);
	if (destination.verdict !== 'suspect') return;
	listener.lastSignalMs = turn.nowMs;
	askToConfirm(turn, listener);
}
