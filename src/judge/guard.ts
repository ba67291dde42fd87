/**
 * The guard: what must hold whatever the evidence says (DESIGN, rule 5's floors and rule 7's schedulers; correlated failure
 * is not judged yet). It binds binding notifications as much as weights; what it stops is counted and told. PURE.
 */
import type { DestinationState, ServiceState, State } from './state.js';

export type Floor = 'floor' | 'share' | 'rate';
export type Permission = { allowed: true } | { allowed: false; reason: Floor; why: string };

const minuteMs = 60_000;

/** Whether a failed destination may be taken out: enough of its service must stay, and not too many may go at once. */
export function mayTakeOut(state: State, destination: DestinationState, nowMs: number): Permission {
	const { serviceId } = destination;
	const service = state.services.get(serviceId);
	if (!service || !hasAnotherUsable(state, service, destination, nowMs))
		return { allowed: false, reason: 'floor', why: `it is the last usable destination of ${serviceId}` };
	const { takenShareMax, ejectionsPerMinuteMax } = state.policy;
	const share = takenShare(state, service, destination);
	if (share > takenShareMax)
		return { allowed: false, reason: 'share', why: `${percent(share)} of the weight of ${serviceId} would be out` };
	if (recentEjections(state, nowMs) >= ejectionsPerMinuteMax)
		return { allowed: false, reason: 'rate', why: `no more than ${ejectionsPerMinuteMax} may go within a minute` };
	return { allowed: true };
}

/** Of the service's weight, as it would be without our leases, what would be out with this destination. */
function takenShare(state: State, service: ServiceState, candidate: DestinationState): number {
	let taken = candidate.destination.weight;
	for (const id of state.busyDestinations) {
		const { lease, serviceId } = state.destinations.get(id) ?? {};
		if (lease && serviceId === candidate.serviceId) taken += lease.destination.weight;
	}
	let standing = 0;
	for (const id of service.destinations) {
		const other = state.destinations.get(id);
		if (other && other !== candidate && !other.lease) standing += other.destination.weight;
	}
	return taken === 0 ? 0 : taken / (taken + standing);
}

const percent = (share: number) => `${Math.round(share * 100)} %`;

/** Of all services: whatever goes wrong in us, most of a large table stays. */
function recentEjections({ ejectedMs }: State, nowMs: number): number {
	while (ejectedMs[0] !== undefined && nowMs - ejectedMs[0] >= minuteMs) ejectedMs.shift();
	return ejectedMs.length;
}

function hasAnotherUsable(state: State, service: ServiceState, except: DestinationState, nowMs: number): boolean {
	for (const id of service.destinations) {
		const other = state.destinations.get(id);
		if (other && other !== except && isUsable(state, other, nowMs)) return true;
	}
	return false;
}

/** Usable: weight above 0, not overloaded, not suspect or failed. */
export function isUsable(state: State, one: DestinationState, nowMs: number): boolean {
	const { weight, upperThreshold, activeConnections, inactiveConnections } = one.destination;
	const overloaded = upperThreshold > 0 && activeConnections + inactiveConnections >= upperThreshold;
	if (!one.inTable || weight === 0 || overloaded || one.verdict === 'failed') return false;
	return one.verdict !== 'suspect' || isJustCleared(state, one, nowMs);
}

/**
 * A suspect that accepted our probe a moment ago and waits its turn for the next one. Whoever forges refusals in the
 * name of every server makes all of them suspect all the time; that must not keep a dead one in.
 */
function isJustCleared(state: State, { listener }: DestinationState, nowMs: number): boolean {
	const known = listener === undefined ? undefined : state.listeners.get(listener);
	const { confirmIntervalMs, probeTimeoutMs } = state.policy;
	return known !== undefined && nowMs - known.lastAcceptedMs <= confirmIntervalMs + probeTimeoutMs;
}

/** IP_VS_SVC_F_SCHED_SH_FALLBACK and _MH_FALLBACK share one bit (uapi/linux/ip_vs.h). */
const hashFallbackFlag = 0x8;

/**
 * Why weight 0 would do harm under this scheduler, or undefined where it does none: sh and mh without fallback, and
 * dh always, go on choosing a destination of weight 0 for its share of clients and refuse them.
 */
export function weightZeroHarm(service: ServiceState): string | undefined {
	const { scheduler, flags } = service;
	if (scheduler === 'dh') return 'scheduler dh goes on sending clients to weight 0';
	if ((scheduler === 'sh' || scheduler === 'mh') && !(flags & hashFallbackFlag))
		return `scheduler ${scheduler} without ${scheduler}-fallback goes on sending clients to weight 0`;
	return undefined;
}
