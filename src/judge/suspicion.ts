/**
 * From a signal to a verdict: suspicion, and what ends it. The probe that is to settle it is planned in questions.ts and
 * answered in answers.ts; what follows from a verdict for weights and monitors is `tenure`'s. PURE.
 */
import type { EvidenceEdge } from '../evidence/evidence.js';
import type { Scope } from '../evidence/signal.js';
import { endpointId } from '../table/identity.js';
import { freezeTogether } from './correlation.js';
import type { ProbeOutcome } from './input.js';
import { askToConfirm, plan, sendDue, settles, windowEndMs } from './questions.js';
import { isAskable } from './standing.js';
import { type DestinationState, destinationsOn, isExcused, type ListenerState } from './state.js';
import { enforce, reconsider, wakeForLease } from './tenure.js';
import { strength, termsOf } from './terms.js';
import { announce, announceOnce, journal, type Turn } from './turn.js';

/** The kernel saw something that speaks against a server: it raises suspicion and asks for a probe, no more. */
export function heard(turn: Turn, edge: EvidenceEdge): void {
	for (const [listener, destinations] of concerned(turn, edge.scope)) {
		if (isImpaired(turn, listener)) continue;
		if (edge.signal === 'brown-out') for (const one of destinations) brownOut(turn, one, edge);
		if (edge.signal !== 'brown-out' || asksForAnswers(listener)) suspect(turn, listener, destinations, edge);
	}
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
	for (const destination of destinations) weigh(turn, destination, edge);
	if (!asked || !listener.calibrated) enforceAnew(turn, destinations, edge);
	const suspects = destinations.filter(({ verdict }) => verdict === 'suspect');
	if (suspects.length === 0) return;
	if (asked) askToConfirm(turn, listener);
	// A tick ends the suspicion that no probe can.
	else turn.actions.push({ kind: 'schedule', atMs: windowEndMs(turn, listener) });
	if (!asked || !listener.calibrated) convictByEvidence(turn, suspects, edge);
}

/** What evidence convicted, and something kept in, goes by new proof only. */
function enforceAnew(turn: Turn, destinations: DestinationState[], edge: EvidenceEdge): void {
	for (const destination of destinations) {
		if (destination.verdict !== 'failed' || proof(turn, destination, edge) === undefined) continue;
		destination.edge = edge;
		enforce(turn, destination);
	}
}

function isProbed({ state }: Turn, { listener }: DestinationState): boolean {
	return state.listeners.get(listener ?? '')?.calibrated === true;
}

/** Of several signals that one counts by whose rule more may follow: a lesser one must not hide it. */
function weigh(turn: Turn, destination: DestinationState, edge: EvidenceEdge): void {
	const { verdict, serviceId } = destination;
	if (verdict !== 'suspect' && verdict !== 'failed') return;
	// What keeps a verdict by evidence fresh, or makes more of it, is proof again.
	if (verdict === 'failed' && !isProbed(turn, destination) && proof(turn, destination, edge) === undefined) return;
	const { actions } = termsOf(turn.state, serviceId);
	const more = strength(actions[edge.signal]) - strength(actions[destination.signal]);
	if (more < 0 || (more === 0 && edge.signal !== destination.signal)) return;
	destination.signal = edge.signal;
	destination.edge = edge;
	if (verdict === 'failed' && more > 0) enforce(turn, destination);
}

/** Whether it is the director that cannot reach the host: then silence says nothing of the server (DESIGN, rule 6). */
export function isImpaired({ state }: Turn, { endpoint }: ListenerState): boolean {
	return state.impaired.has(endpoint.address);
}

/** A kernel accepts for a program that hangs: only a probe that wants an answer can tell whether there is one. */
function asksForAnswers({ asking }: ListenerState): boolean {
	return asking.request !== undefined || asking.method === 'command' || asking.method === 'udp';
}

/** The listeners that a signal speaks of, each with those of its destinations that are meant. */
function concerned({ state }: Turn, scope: Scope): [ListenerState, DestinationState[]][] {
	switch (scope.kind) {
		case 'endpoint': {
			const onHost = [...(state.hosts.get(scope.endpoint.address) ?? [])];
			const wanted = endpointId(scope.endpoint);
			return onHost
				.filter(({ vip, endpoint }) => !vip && endpointId(endpoint) === wanted)
				.map((one) => [one, destinationsOn(state, one)]);
		}
		case 'host':
			return [...(state.hosts.get(scope.address) ?? [])].map((one) => [one, destinationsOn(state, one)]);
		case 'destination': {
			const destination = state.destinations.get(scope.destination);
			const listener = state.listeners.get(destination?.listener ?? '');
			if (!destination || !listener) return [];
			// A client of a firewall mark may ask for any port: one that is closed on a healthy server says nothing.
			if (scope.port !== undefined && listener.endpoint.port !== scope.port) return [];
			// A comparison speaks of the one destination that was compared.
			const others = scope.port === undefined ? [] : destinationsOn(state, listener);
			return [[listener, sharingListener(destination, others)]];
		}
	}
}

/**
 * In NAT every service of an endpoint reaches the same listener, so one refusal speaks of them all. In DR and TUN
 * each has a listener of its own, also where that is not what is asked.
 */
function sharingListener(one: DestinationState, others: DestinationState[]): DestinationState[] {
	if (one.destination.forwarding !== 'masq' || others.length === 0) return [one];
	return others.filter(({ destination }) => destination.forwarding === 'masq');
}

/** Whether a signal makes this destination suspect: one that serves, or one whose hold-down has passed. */
function raises(turn: Turn, destination: DestinationState): boolean {
	if (destination.verdict === 'healthy' || destination.verdict === 'recovering') return true;
	const { heldDownUntilMs, lease } = destination;
	if (destination.verdict !== 'failed' || lease || heldDownUntilMs === undefined) return false;
	if (turn.nowMs < heldDownUntilMs) return false;
	destination.heldDownUntilMs = undefined;
	return true;
}

/** It serves, as far as anybody can say; a weight that is still coming back goes on coming. */
export function acquit(turn: Turn, destination: DestinationState): void {
	destination.verdict = destination.lease ? 'recovering' : 'healthy';
	destination.told = undefined;
	wakeForLease(turn, destination);
}

/** Told once, when it begins, and when it has not been seen for three intervals. */
function brownOut(turn: Turn, destination: DestinationState, { detail, count }: EvidenceEdge): void {
	// Of one that has failed nobody asks how fast it answers what it still has.
	if (destination.verdict === 'failed') return;
	const { policy } = termsOf(turn.state, destination.serviceId);
	const isNews = destination.brownUntilMs === undefined;
	destination.brownUntilMs = turn.nowMs + 3 * policy.ratioIntervalMs;
	turn.state.busyDestinations.add(destination.id);
	turn.actions.push({ kind: 'schedule', atMs: destination.brownUntilMs });
	if (isNews) announce(turn, 'brown-out', destination, { signal: 'brown-out', detail, count });
}

/** Rule 4: without a probe that proves anything, only evidence convicts that no client and no forger can make up. */
function convictByEvidence(turn: Turn, suspects: DestinationState[], edge: EvidenceEdge): void {
	for (const destination of suspects) {
		const why = proof(turn, destination, edge);
		if (why === undefined) continue;
		destination.signal = edge.signal;
		destination.edge = edge;
		if (edge.signal === 'refusal') hasSpoken(turn, destination);
		convict(turn, destination, { by: 'evidence', why });
	}
}

/** A verified refusal is the server's own word: the way to it is there. */
function hasSpoken({ state }: Turn, { destination, listener }: DestinationState): void {
	state.excusedUntilMs.delete(destination.address);
	const known = state.listeners.get(listener ?? '');
	if (known) known.unproven = false;
}

function proof(turn: Turn, destination: DestinationState, edge: EvidenceEdge): string | undefined {
	const { verifiedRefusalsMin, clientPrefixesMin } = termsOf(turn.state, destination.serviceId).policy;
	const { signal, verifiedCount, verifiedPrefixes } = edge;
	// That nobody was accepted since is known of the one destination whose clients were refused.
	if (edge.scope.kind === 'destination' && edge.scope.destination !== destination.id) return undefined;
	const { address } = destination.destination;
	if (signal === 'neighbour-failed' && isExcused(turn.state, address, turn.nowMs)) return undefined;
	if (signal === 'neighbour-failed') return 'a directly connected host without a MAC address receives nothing';
	if (
		signal !== 'refusal' ||
		!edge.verified ||
		verifiedCount < verifiedRefusalsMin ||
		verifiedPrefixes < clientPrefixesMin
	)
		return undefined;
	return `${verifiedCount} verified refusals from ${verifiedPrefixes} client networks and nobody accepted since`;
}

/** The probe has confirmed the suspicion, where it proves anything. */
export function confirm(turn: Turn, listener: ListenerState, probe: ProbeOutcome, said: string): void {
	// The suspicion ends by itself; only what comes after the fault counts.
	if (isImpaired(turn, listener)) {
		turn.actions.push({ kind: 'schedule', atMs: windowEndMs(turn, listener) });
		return;
	}
	if (!listener.calibrated) {
		const why = `our probe was ${probe} too, but has never been accepted, so that proves nothing`;
		return cannotConfirm(turn, listener, probe, why);
	}
	for (const destination of destinationsOn(turn.state, listener))
		if (destination.verdict === 'suspect')
			convict(turn, destination, { by: 'probe', probe, ...(said !== '' && { said }) });
}

export function cannotConfirm(turn: Turn, listener: ListenerState, probe: ProbeOutcome, why: string): void {
	for (const destination of destinationsOn(turn.state, listener))
		if (destination.verdict === 'suspect')
			announceOnce(turn, 'cannot-confirm', destination, { signal: destination.signal, why, probe });
}

function convict(turn: Turn, destination: DestinationState, facts: Record<string, string>): void {
	const { signal, edge, heldDownUntilMs } = destination;
	// Hands are off until the hold-down is over and the evidence is new, as it is here.
	if (heldDownUntilMs !== undefined && turn.nowMs >= heldDownUntilMs) destination.heldDownUntilMs = undefined;
	destination.verdict = 'failed';
	destination.failedMs = turn.nowMs;
	turn.state.counters.detected += 1;
	const { count = 0, clientPrefixes = 0, verifiedCount = 0, firstMs = turn.nowMs } = edge ?? {};
	const evidence = { count, clientPrefixes, verifiedCount, sinceFirstMs: Math.round(turn.nowMs - firstMs) };
	announce(turn, 'failed', destination, { signal, ...facts, ...evidence });
	freezeTogether(turn, destination.serviceId);
	enforce(turn, destination);
}

/** Sends the probes that are due and ends suspicions that nothing has fed for a whole window. */
export function tickListener(turn: Turn, listener: ListenerState): void {
	sendDue(turn, listener);
	if (!listener.calibrated) lapse(turn, listener);
	if (settles(listener.probing) || settles(listener.next?.purpose)) return;
	const suspects = destinationsOn(turn.state, listener).filter(({ verdict }) => verdict === 'suspect');
	const over = windowEndMs(turn, listener) <= turn.nowMs;
	for (const destination of over ? suspects : []) {
		acquit(turn, destination);
		journal(turn, 'suspicion-over', destination, { signal: destination.signal });
		reconsider(turn, destination.serviceId);
	}
	const isToLapse =
		!listener.calibrated && destinationsOn(turn.state, listener).some(({ verdict }) => verdict === 'failed');
	if ((suspects.length === 0 || over) && !isToLapse && !listener.next && !listener.probing)
		turn.state.busyListeners.delete(listener.id);
}

/** Who failed by evidence alone, and is not out, counts as serving when nothing has spoken against it for a window. */
function lapse(turn: Turn, listener: ListenerState): void {
	for (const destination of destinationsOn(turn.state, listener)) {
		const { verdict, lease, pending, edge, serviceId } = destination;
		const { windowMs } = termsOf(turn.state, serviceId).policy;
		const isFresh = turn.nowMs - (edge?.lastMs ?? Number.NEGATIVE_INFINITY) < windowMs;
		if (verdict !== 'failed' || lease || pending || isFresh) continue;
		acquit(turn, destination);
		journal(turn, 'suspicion-over', destination, { signal: destination.signal });
		reconsider(turn, destination.serviceId);
	}
}

/**
 * Another listener is asked about it now, or one at last: what was under way elsewhere comes to nothing, and a lease that
 * was resumed could not be asked about before.
 */
export function askAnew(turn: Turn, id: string): void {
	const destination = turn.state.destinations.get(id);
	const listener = destination?.listener && turn.state.listeners.get(destination.listener);
	if (!listener) return;
	const isAsked = isAskable(listener);
	if (destination.verdict === 'failed' && isAsked) plan(turn, listener, 'recover', turn.nowMs);
	if (destination.verdict !== 'suspect') return;
	listener.lastSignalMs = turn.nowMs;
	turn.state.busyListeners.add(listener.id);
	if (isAsked) askToConfirm(turn, listener);
	else turn.actions.push({ kind: 'schedule', atMs: windowEndMs(turn, listener) });
}
