/**
 * Which listener a destination stands on: what is asked about it follows from the table, from what was learned, and from how
 * its service has it asked. Listeners come and go with their destinations here; what is known to work is remembered. PURE.
 */
import { type DestinationId, endpointOf, type ListenerId, listenerId, listenerOf } from '../table/identity.js';
import type { Endpoint, Listener } from '../table/model.js';
import { wayOf } from './asking.js';
import { createListener, type DestinationState, type ListenerState, type State } from './state.js';
import { termsOf } from './terms.js';

/** Adds a destination with what is asked about it, where the table names that or it was learned. */
export function addDestination(state: State, created: DestinationState, nowMs: number): void {
	state.destinations.set(created.id, created);
	standAnew(state, created, nowMs);
}

/** What is asked follows from how packets are forwarded, which somebody may have changed; true where it is another one now. */
export function standAnew(state: State, destination: DestinationState, nowMs: number): boolean {
	const { id, service } = destination;
	const endpoint = endpointOf({ address: service }, destination.destination) ?? learnedEndpoint(state, id);
	const listener = endpoint && listenerFor(state, destination, endpoint);
	const standing = destination.listener === undefined ? undefined : state.listeners.get(destination.listener);
	if (standing && listener && listenerId(listener) === standing.id) {
		standing.vip = listener.vip;
		return false;
	}
	leaveListener(state, destination);
	if (endpoint) standOn(state, destination, endpoint, nowMs);
	return true;
}

/**
 * Services that ask alike share a listener. A raw frame asks the server itself, has no mark and no address but our own; a
 * command is told the VIP, and each VIP is another question.
 */
function listenerFor(
	state: State,
	{ service, serviceId, destination }: DestinationState,
	endpoint: Endpoint,
): Listener {
	const { asking } = termsOf(state, serviceId);
	const { method, address, port, sourceAddress, mark } = asking;
	const isPlain = [address, port, sourceAddress, mark].every((one) => one === undefined);
	const isOnVip = (method === 'auto' && isPlain) || method === 'command';
	const where = isOnVip ? listenerOf(service, destination, endpoint) : { endpoint, vip: undefined };
	return { ...where, way: wayOf(asking) };
}

/** The one that it stood on last, and on which our probe was accepted where it was on any. */
function learnedEndpoint({ learned }: State, id: DestinationId): Endpoint | undefined {
	return learned.get(id)?.endpoints[0];
}

/** Puts a destination on its listener; a TCP listener seen for the first time is to be calibrated. */
export function standOn(state: State, destination: DestinationState, endpoint: Endpoint, nowMs: number): void {
	const listener = listenerFor(state, destination, endpoint);
	let known = state.listeners.get(listenerId(listener));
	if (!known) {
		known = createListener(listener, termsOf(state, destination.serviceId).asking);
		known.calibrated = state.calibrated.has(known.id);
		state.listeners.set(known.id, known);
		state.hosts.set(endpoint.address, (state.hosts.get(endpoint.address) ?? new Set()).add(known));
	}
	destination.listener = known.id;
	known.destinations.add(destination.id);
	if (!isAskable(known) || known.calibrated || known.next || known.probing) return;
	// 250 new ones every 250 ms: a table of 16,384 is calibrated in 16 s without a burst of thousands of SYNs.
	known.next = { atMs: calibrationDueMs(nowMs, state.listeners.size - 1), purpose: 'calibrate' };
	state.busyListeners.add(known.id);
}

/** What answers a datagram, its protocol alone knows: only the operator can say how to ask there. */
export function isAskable({ endpoint, asking }: ListenerState): boolean {
	return endpoint.protocol === 'tcp' || asking.method === 'udp' || asking.method === 'command';
}

/** Calibrations fall due together at these distances, so that a thousand of them are a few ticks and not a thousand. */
export const calibrationGridMs = 250;

/** `rank`: how many are to come before it; one a millisecond, a whole grid step at once. */
export function calibrationDueMs(nowMs: number, rank: number): number {
	return nowMs + Math.floor(rank / calibrationGridMs) * calibrationGridMs;
}

/** Twice the largest table aimed at: what is in the table now is never pushed out by what once was. */
const calibratedMax = 32_768;

/** Remembers that the probe of this listener works; false where that was known. */
export function rememberCalibrated(state: State, id: ListenerId): boolean {
	if (state.calibrated.has(id)) return false;
	state.calibrated.add(id);
	if (state.calibrated.size > calibratedMax) state.calibrated.delete(first(state.calibrated));
	return true;
}

function first(ids: Set<ListenerId>): ListenerId {
	for (const id of ids) return id;
	return '';
}

/** Forgets a destination, and its endpoint where no other destination stands on it. */
export function dropDestination(state: State, destination: DestinationState): void {
	state.destinations.delete(destination.id);
	state.busyDestinations.delete(destination.id);
	leaveListener(state, destination);
}

/** Takes a destination off its listener, and forgets that where no other destination stands on it. */
export function leaveListener(state: State, destination: DestinationState): void {
	const listener = destination.listener && state.listeners.get(destination.listener);
	destination.listener = undefined;
	if (!listener) return;
	listener.destinations.delete(destination.id);
	if (listener.destinations.size > 0) return;
	state.listeners.delete(listener.id);
	state.busyListeners.delete(listener.id);
	const { address } = listener.endpoint;
	const host = state.hosts.get(address);
	host?.delete(listener);
	if (host?.size !== 0) return;
	state.hosts.delete(address);
}
