/**
 * The guard: what must hold whatever the evidence says (DESIGN, rule 5's floor and rule 7's schedulers;
 * the share, the rate and correlated failure are not judged yet). It binds binding
 * notifications as much as weights; what it stops is counted and told. PURE.
 */
import type { DestinationState, ServiceState, State } from './state.js';

export type Permission = { allowed: true } | { allowed: false; reason: 'floor' | 'scheduler'; why: string };

/** Whether a failed destination may be taken out: its service must keep at least one usable destination. */
export function mayTakeOut(state: State, destination: DestinationState, nowMs: number): Permission {
	const service = state.services.get(destination.serviceId);
	if (!service || !hasAnotherUsable(state, service, destination, nowMs))
		return { allowed: false, reason: 'floor', why: `it is the last usable destination of ${destination.serviceId}` };
	return { allowed: true };
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
function isJustCleared(state: State, { endpoint }: DestinationState, nowMs: number): boolean {
	const known = endpoint === undefined ? undefined : state.endpoints.get(endpoint);
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
