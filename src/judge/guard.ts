/**
 * The guard: what must hold whatever the evidence says (DESIGN, rule 5's floors, rule 6's freeze and rule 7's schedulers). It
 * binds binding notifications as much as weights; what it stops is counted and told. PURE.
 */
import type { DestinationState, ServiceState, State } from './state.js';
import { isUdp, policyOn, termsOf } from './terms.js';

export type Floor = 'floor' | 'freeze' | 'share' | 'rate' | 'flapping';
export type Permission = { allowed: true } | { allowed: false; reason: Floor; why: string };

const minuteMs = 60_000;
const allowed: Permission = { allowed: true };

/** Whether a failed destination may be taken out, or its weight set `to` less: enough must stay, and not too many may go at once. */
export function mayTakeOut(state: State, destination: DestinationState, to: number, nowMs: number): Permission {
	const { serviceId } = destination;
	const service = state.services.get(serviceId);
	if (!service || !hasAnotherUsable(state, service, destination, nowMs))
		return { allowed: false, reason: 'floor', why: `it is the last usable destination of ${serviceId}` };
	if (state.frozen.has(serviceId))
		return {
			allowed: false,
			reason: 'freeze',
			why: `most of ${serviceId} failed together, as if the fault were our own`,
		};
	const { takenShareMax, flapsMax, flapPeriodMs } = termsOf(state, serviceId).policy;
	const share = takenShare(state, service, destination, to);
	if (share > takenShareMax)
		return { allowed: false, reason: 'share', why: `${percent(share)} of the weight of ${serviceId} would be out` };
	if (flapsWithin(destination, nowMs - flapPeriodMs) >= flapsMax)
		return {
			allowed: false,
			reason: 'flapping',
			why: `it went and came ${flapsMax === 1 ? 'once' : `${flapsMax} times`} of late`,
		};
	const { ejectionsPerMinuteMax } = state.terms.others.policy;
	if (recentEjections(state, nowMs) >= ejectionsPerMinuteMax)
		return { allowed: false, reason: 'rate', why: `no more than ${ejectionsPerMinuteMax} may go within a minute` };
	return allowed;
}

function flapsWithin({ ejectedMs }: DestinationState, sinceMs: number): number {
	return ejectedMs.filter((atMs) => atMs > sinceMs).length;
}

/** Of the service's weight, as it would be without our leases, what would be out with this destination at weight `to`. */
function takenShare(state: State, service: ServiceState, candidate: DestinationState, to: number): number {
	const owed = (one: DestinationState) => one.lease?.destination.weight ?? one.destination.weight;
	// A monitor that was told takes all of it, in its own time.
	const left = (one: DestinationState) => (one.bound ? 0 : (one.lease?.written ?? 0));
	let taken = owed(candidate) - to;
	for (const id of state.busyDestinations) {
		const other = state.destinations.get(id);
		if (!other?.lease || other === candidate || other.serviceId !== candidate.serviceId) continue;
		taken += owed(other) - left(other);
	}
	let standing = to;
	for (const id of service.destinations) {
		const other = state.destinations.get(id);
		if (other && other !== candidate) standing += other.lease ? left(other) : other.destination.weight;
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
 * A suspect whose probe was accepted last, within a window. Whoever forges refusals in the name of every server makes all
 * of them suspect all the time, and keeps us so busy that each waits for its next question; that must not keep a dead one
 * in. Should it be dead as well, it is found so itself, and is then the last one.
 */
function isJustCleared(state: State, { listener }: DestinationState, nowMs: number): boolean {
	const known = listener === undefined ? undefined : state.listeners.get(listener);
	if (!known?.calibrated || known.lastNegativeMs > known.lastAcceptedMs) return false;
	return nowMs - known.lastAcceptedMs <= policyOn(state, known).windowMs;
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

/** IP_VS_SVC_F_PERSISTENT (uapi/linux/ip_vs.h). */
const persistentFlag = 0x1;

/** What weight 0 does not do, or what acting prevents, as the end of a sentence; empty where there is nothing to say. */
export function caveatOf(state: State, destination: DestinationState): string {
	const service = state.services.get(destination.serviceId);
	if (!service) return '';
	const caveats: string[] = [];
	if (service.flags & persistentFlag)
		caveats.push('persistent clients stay with it unless expire_quiescent_template is set');
	if (isUdp(state, destination)) caveats.push('UDP flows that it has stay with it');
	if (countsConnections.has(service.scheduler) && destination.destination.forwarding === 'masq')
		caveats.push(`scheduler ${service.scheduler} would have sent it the more clients the more it refuses`);
	return caveats.length === 0 ? '' : ` (${caveats.join('; ')})`;
}

/** Who refuses has no connections, and so is the first choice of these (ip_vs_lc.c, ip_vs_wlc.c and the others' sources). */
const countsConnections: ReadonlySet<string> = new Set(['lc', 'wlc', 'sed', 'nq', 'lblc', 'lblcr']);
