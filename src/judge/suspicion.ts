/**
 * From a signal to a verdict: suspicion, the probe that settles it, and the probes that see a server return.
 * What follows from a verdict for weights and monitors is `tenure`'s. PURE.
 */
import type { EvidenceEdge } from '../evidence/evidence.js';
import type { Scope } from '../evidence/signal.js';
import { type EndpointId, endpointId } from '../table/identity.js';
import type { ProbeOutcome, ProbePurpose } from './input.js';
import { tryNextPort } from './ports.js';
import {
	calibrationGridMs,
	type DestinationState,
	destinationsOn,
	type EndpointState,
	isExcused,
	rememberCalibrated,
} from './state.js';
import { enforce, reconsider, recover } from './tenure.js';
import { announce, announceOnce, journal, type Turn } from './turn.js';

/** The kernel saw something that speaks against a server: it raises suspicion and asks for a probe, no more. */
export function heard(turn: Turn, edge: EvidenceEdge): void {
	for (const [endpoint, destinations] of concerned(turn, edge.scope))
		if (!isImpaired(turn, endpoint)) suspect(turn, endpoint, destinations, edge);
}

function suspect(turn: Turn, endpoint: EndpointState, destinations: DestinationState[], edge: EvidenceEdge): void {
	endpoint.lastSignalMs = turn.nowMs;
	turn.state.busyEndpoints.add(endpoint.id);
	const asked = isAskable(endpoint);
	const { signal, verified, client = '', detail, count, clientPrefixes } = edge;
	for (const destination of destinations.filter((one) => raises(turn, one))) {
		destination.verdict = 'suspect';
		destination.signal = signal;
		journal(turn, 'suspect', destination, { signal, verified, client, detail, count, clientPrefixes, asked });
	}
	if (!destinations.some(({ verdict }) => verdict === 'suspect')) return;
	if (asked) askToConfirm(turn, endpoint);
	// A tick ends the suspicion that no probe can.
	else turn.actions.push({ kind: 'schedule', atMs: windowEndMs(turn, endpoint) });
}

/** Whether it is the director that cannot reach the host: then silence says nothing of the server (DESIGN, rule 6). */
function isImpaired({ state }: Turn, { endpoint }: EndpointState): boolean {
	return state.impaired.has(endpoint.address);
}

/** Only a TCP listener can be asked by connecting: what answers a datagram, its protocol alone knows. */
function isAskable({ endpoint }: EndpointState): boolean {
	return endpoint.protocol === 'tcp';
}

/** The endpoints that a signal speaks of, each with those of its destinations that are meant. */
function concerned({ state }: Turn, scope: Scope): [EndpointState, DestinationState[]][] {
	switch (scope.kind) {
		case 'endpoint': {
			const endpoint = state.endpoints.get(endpointId(scope.endpoint));
			return endpoint ? [[endpoint, destinationsOn(state, endpoint)]] : [];
		}
		case 'host':
			return [...(state.hosts.get(scope.address) ?? [])].map((one) => [one, destinationsOn(state, one)]);
		case 'destination': {
			const destination = state.destinations.get(scope.destination);
			const endpoint = state.endpoints.get(destination?.endpoint ?? '');
			// A client of a firewall mark may ask for any port: one that is closed on a healthy server says nothing.
			if (!destination || endpoint?.endpoint.port !== scope.port) return [];
			return [[endpoint, sharingListener(destination, destinationsOn(state, endpoint))]];
		}
	}
}

/**
 * In NAT every service of an endpoint reaches the same listener, so one refusal speaks of them all. In DR and TUN
 * each has a listener of its own, on its VIP.
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

function askToConfirm(turn: Turn, endpoint: EndpointState): void {
	const atMs = Math.max(turn.nowMs, endpoint.lastConfirmMs + turn.state.policy.confirmIntervalMs);
	if (endpoint.next?.purpose === 'confirm' && endpoint.next.atMs <= atMs) return;
	plan(turn, endpoint, 'confirm', atMs);
}

/** The next probe of an endpoint; it goes out at once where it is due and none is under way. */
function plan(turn: Turn, endpoint: EndpointState, purpose: ProbePurpose, atMs: number): void {
	endpoint.next = { atMs, purpose };
	turn.state.busyEndpoints.add(endpoint.id);
	if (!sendDue(turn, endpoint)) turn.actions.push({ kind: 'schedule', atMs });
}

function sendDue(turn: Turn, endpoint: EndpointState): boolean {
	if (!endpoint.next || endpoint.probing || endpoint.next.atMs > turn.nowMs) return false;
	const { purpose } = endpoint.next;
	endpoint.next = undefined;
	endpoint.probing = purpose;
	if (purpose === 'confirm') endpoint.lastConfirmMs = turn.nowMs;
	const timeoutMs = turn.state.policy.probeTimeoutMs;
	turn.actions.push({ kind: 'probe', endpoint: endpoint.endpoint, purpose, timeoutMs });
	return true;
}

export function probed(turn: Turn, id: EndpointId, purpose: ProbePurpose, outcome: ProbeOutcome): void {
	const { probes } = turn.state.counters;
	const label = `${purpose} ${outcome}`;
	probes[label] = (probes[label] ?? 0) + 1;
	const endpoint = turn.state.endpoints.get(id);
	if (!endpoint) return;
	endpoint.probing = undefined;
	switch (outcome) {
		case 'accepted':
			accepted(turn, endpoint);
			break;
		case 'refused':
			turn.state.excusedUntilMs.delete(endpoint.endpoint.address);
			declined(turn, endpoint, purpose, outcome);
			break;
		case 'unanswered':
		case 'unreachable':
			declined(turn, endpoint, purpose, outcome);
			break;
		case 'error':
			again(turn, endpoint, purpose);
			break;
		default:
			outcome satisfies never;
	}
	sendDue(turn, endpoint);
}

/** The server is there. That calibrates the probe, clears suspicion, and ends a failure. */
function accepted(turn: Turn, endpoint: EndpointState): void {
	endpoint.silent = 0;
	endpoint.lastAcceptedMs = turn.nowMs;
	turn.state.excusedUntilMs.delete(endpoint.endpoint.address);
	endpoint.next = undefined;
	endpoint.calibrated = true;
	if (rememberCalibrated(turn.state, endpoint.id)) turn.actions.push({ kind: 'remember', calibrated: endpoint.id });
	for (const destination of destinationsOn(turn.state, endpoint)) {
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
		for (const endpoint of endpoints ?? []) endpoint.silent = 0;
	}
}

function acquit(destination: DestinationState): void {
	destination.verdict = 'healthy';
	destination.told = undefined;
}

function declined(turn: Turn, endpoint: EndpointState, purpose: ProbePurpose, outcome: ProbeOutcome): void {
	const { policy } = turn.state;
	const { nowMs } = turn;
	endpoint.lastNegativeMs = nowMs;
	const isOurs = isImpaired(turn, endpoint);
	// Asked until it answers or its time is up: whichever comes first shows whether the way or the server was at fault.
	if (!isOurs && isExcused(turn.state, endpoint.endpoint.address, nowMs)) return again(turn, endpoint, purpose);
	endpoint.silent = outcome === 'refused' || isOurs ? 0 : endpoint.silent + 1;
	if (purpose === 'confirm' && outcome !== 'refused' && !isOurs && endpoint.silent < policy.silentProbes) {
		// Silence has taken its time; "unreachable" comes at once, and a route that flaps must have time to come back.
		return plan(turn, endpoint, 'confirm', outcome === 'unreachable' ? nowMs + policy.confirmIntervalMs : nowMs);
	}
	if (purpose === 'confirm') convict(turn, endpoint, outcome);
	const failed = destinationsOn(turn.state, endpoint).filter(({ verdict }) => verdict === 'failed');
	// What a floor held in may go by now: another server has come back, or been added, in whatever way.
	for (const destination of failed) enforce(turn, destination);
	if (failed.length > 0) plan(turn, endpoint, 'recover', nowMs + recoverIntervalMs(turn, failed));
	else if (!endpoint.calibrated) {
		tryNextPort(turn, endpoint);
		if (endpoint.destinations.size > 0) again(turn, endpoint, 'calibrate');
		else endpoint.next = undefined;
	}
}

/** The same question once more, after a failure of our own or a calibration that met none. */
function again(turn: Turn, endpoint: EndpointState, purpose: ProbePurpose): void {
	const { confirmIntervalMs, calibrateIntervalMs } = turn.state.policy;
	// A suspicion that came meanwhile has its own question planned.
	if (purpose === 'calibrate' && endpoint.next) return;
	if (purpose !== 'calibrate') return plan(turn, endpoint, purpose, turn.nowMs + confirmIntervalMs);
	const steps = Math.ceil((turn.nowMs + calibrateIntervalMs) / calibrationGridMs);
	plan(turn, endpoint, purpose, steps * calibrationGridMs);
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

function convict(turn: Turn, endpoint: EndpointState, probe: ProbeOutcome): void {
	// The suspicion ends by itself; only what comes after the fault counts.
	if (isImpaired(turn, endpoint)) {
		turn.actions.push({ kind: 'schedule', atMs: windowEndMs(turn, endpoint) });
		return;
	}
	const suspects = destinationsOn(turn.state, endpoint).filter(({ verdict }) => verdict === 'suspect');
	for (const destination of suspects) {
		if (!endpoint.calibrated) {
			const why = `our probe was ${probe} too, but has never been accepted, so that proves nothing`;
			announceOnce(turn, 'cannot-confirm', destination, { signal: destination.signal, why, probe });
			continue;
		}
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

function windowEndMs(turn: Turn, endpoint: EndpointState): number {
	return endpoint.lastSignalMs + turn.state.policy.windowMs;
}

/** When this endpoint wants its next tick: a probe that is due, or the end of the window after its last signal. */
export function nextTickMs(turn: Turn, endpoint: EndpointState): number {
	const probeMs = endpoint.probing ? undefined : endpoint.next?.atMs;
	const endMs = windowEndMs(turn, endpoint);
	return Math.min(probeMs ?? Number.POSITIVE_INFINITY, endMs > turn.nowMs ? endMs : Number.POSITIVE_INFINITY);
}

/** Sends the probes that are due and ends suspicions that nothing has fed for a whole window. */
export function tickEndpoint(turn: Turn, endpoint: EndpointState): void {
	sendDue(turn, endpoint);
	if (settles(endpoint.probing) || settles(endpoint.next?.purpose)) return;
	const suspects = destinationsOn(turn.state, endpoint).filter(({ verdict }) => verdict === 'suspect');
	const over = windowEndMs(turn, endpoint) <= turn.nowMs;
	for (const destination of over ? suspects : []) {
		acquit(destination);
		journal(turn, 'suspicion-over', destination, { signal: destination.signal });
		reconsider(turn, destination.serviceId);
	}
	if ((suspects.length === 0 || over) && !endpoint.next && !endpoint.probing)
		turn.state.busyEndpoints.delete(endpoint.id);
}

/** Asks a failed server whether it is back: for a lease that was resumed. */
export function askToRecover(turn: Turn, id: EndpointId | undefined): void {
	const endpoint = id && turn.state.endpoints.get(id);
	if (endpoint) plan(turn, endpoint, 'recover', turn.nowMs);
}
