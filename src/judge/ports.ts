/**
 * Which port to ask a destination on that names none: a configured one, or those on which it was seen to accept. Clients of
 * a firewall mark may ask for any port, a passing one too (FTP's data), and in DR and TUN an acceptance can be made up: so
 * a port on which our probe has never been accepted gives way to the next one that is known. PURE.
 */
import { type DestinationId, type EndpointId, endpointId } from '../table/identity.js';
import type { Endpoint } from '../table/model.js';
import { leaveListener, standOn } from './standing.js';
import { type DestinationState, destinationsOn, type ListenerState } from './state.js';
import { policyOn } from './terms.js';
import type { Turn } from './turn.js';

/** A round through them, one every calibrateIntervalMs (5 s), takes 40 s. */
const portsMax = 8;

/**
 * A destination was seen to accept there, or is configured to: then nothing else counts. True where it stands there from
 * now on, and did not before.
 */
export function learned(turn: Turn, id: DestinationId, endpoint: Endpoint, configured: boolean): boolean {
	const known = turn.state.learned.get(id);
	const destination = turn.state.destinations.get(id);
	if (destination && !configured) destination.acceptedMs = turn.nowMs;
	if (configured) {
		turn.state.learned.set(id, { configured, endpoints: [endpoint] });
		return stand(turn, id, endpoint);
	}
	if (known) {
		if (!known.configured) remember(known.endpoints, endpoint);
		return false;
	}
	turn.state.learned.set(id, { configured, endpoints: [endpoint] });
	return turn.state.destinations.get(id)?.listener === undefined && stand(turn, id, endpoint);
}

/** It is asked with the next tick: one is enough for thousands of destinations. */
function stand(turn: Turn, id: DestinationId, endpoint: Endpoint): boolean {
	const destination = turn.state.destinations.get(id);
	if (!destination || standingOn(turn, destination) === endpointId(endpoint)) return false;
	leaveListener(turn.state, destination);
	standOn(turn.state, destination, endpoint, turn.nowMs);
	turn.actions.push({ kind: 'schedule', atMs: turn.nowMs });
	return true;
}

/** The endpoint behind what is asked about it now. */
function standingOn({ state }: Turn, { listener }: DestinationState): EndpointId | undefined {
	const known = listener === undefined ? undefined : state.listeners.get(listener);
	return known && endpointId(known.endpoint);
}

/**
 * In the order in which they are asked: the one that the destination stands on is the first, and goes to the end when it
 * was asked in vain. Where there are too many, the newest of those that were never asked gives way: the kernel tells of it
 * again where it goes on accepting.
 */
function remember(endpoints: Endpoint[], endpoint: Endpoint): void {
	if (endpoints.some((one) => endpointId(one) === endpointId(endpoint))) return;
	if (endpoints.length < portsMax) endpoints.push(endpoint);
}

/**
 * Our probe was not accepted there, and never was: who has another port to be asked on is asked there next. A suspect is
 * not, before its suspicion is over: it is about this port.
 */
export function tryNextPort(turn: Turn, listener: ListenerState): void {
	const { state, nowMs } = turn;
	const inVain = endpointId(listener.endpoint);
	for (const destination of destinationsOn(state, listener)) {
		const { endpoints = [] } = state.learned.get(destination.id) ?? {};
		const [asked, next] = endpoints;
		if (destination.verdict === 'suspect' || !asked || !next || endpointId(asked) !== inVain) continue;
		endpoints.shift();
		// Room for one that is new, rather than for one that was asked in vain.
		if (endpoints.length < portsMax - 1) endpoints.push(asked);
		const atMs = nowMs + policyOn(state, listener).calibrateIntervalMs;
		leaveListener(state, destination);
		standOn(state, destination, next, atMs);
		turn.actions.push({ kind: 'schedule', atMs });
	}
}
