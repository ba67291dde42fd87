/**
 * Which port to ask a destination on that names none: a configured one, or those on which it was seen to accept. Clients of
 * a firewall mark may ask for any port, a passing one too (FTP's data), and in DR and TUN an acceptance can be made up: so
 * a port on which our probe has never been accepted gives way to the next one that is known. PURE.
 */
import { type DestinationId, endpointId } from '../table/identity.js';
import type { Endpoint } from '../table/model.js';
import { destinationsOn, type EndpointState, leaveEndpoint, standOn } from './state.js';
import type { Turn } from './turn.js';

/** A round through them, one every calibrateIntervalMs (5 s), takes 40 s; of more than that the oldest is forgotten. */
const portsMax = 8;

/** A destination was seen to accept there, or is configured to: then nothing else counts. */
export function learned(turn: Turn, id: DestinationId, endpoint: Endpoint, configured: boolean): void {
	const known = turn.state.learned.get(id);
	if (configured) {
		turn.state.learned.set(id, { configured, endpoints: [endpoint] });
		stand(turn, id, endpoint);
	} else if (!known) {
		turn.state.learned.set(id, { configured, endpoints: [endpoint] });
		standFirst(turn, id, endpoint);
	} else if (!known.configured) remember(turn, id, known.endpoints, endpoint);
}

/** The first port is asked at once, or rather with the next tick: one is enough for thousands of destinations. */
function standFirst(turn: Turn, id: DestinationId, endpoint: Endpoint): void {
	if (turn.state.destinations.get(id)?.endpoint === undefined) stand(turn, id, endpoint);
}

function stand(turn: Turn, id: DestinationId, endpoint: Endpoint): void {
	const destination = turn.state.destinations.get(id);
	if (!destination || destination.endpoint === endpointId(endpoint)) return;
	leaveEndpoint(turn.state, destination);
	standOn(turn.state, destination, endpoint, turn.nowMs);
	turn.actions.push({ kind: 'schedule', atMs: turn.nowMs });
}

/** The newest last. The one that the destination stands on is not the one that is forgotten. */
function remember(turn: Turn, id: DestinationId, endpoints: Endpoint[], endpoint: Endpoint): void {
	if (endpoints.some((one) => endpointId(one) === endpointId(endpoint))) return;
	endpoints.push(endpoint);
	if (endpoints.length <= portsMax) return;
	const standing = turn.state.destinations.get(id)?.endpoint;
	endpoints.splice(
		endpoints.findIndex((one) => endpointId(one) !== standing),
		1,
	);
}

/** Our probe was not accepted there, and never was: who has another port to be asked on is asked there next. */
export function tryNextPort(turn: Turn, endpoint: EndpointState): void {
	const { state, nowMs } = turn;
	for (const destination of destinationsOn(state, endpoint)) {
		const { endpoints = [] } = state.learned.get(destination.id) ?? {};
		const next = endpoints[(endpoints.findIndex((one) => endpointId(one) === endpoint.id) + 1) % endpoints.length];
		if (!next || endpointId(next) === endpoint.id) continue;
		const atMs = nowMs + state.policy.calibrateIntervalMs;
		leaveEndpoint(state, destination);
		standOn(state, destination, next, atMs);
		turn.actions.push({ kind: 'schedule', atMs });
	}
}
