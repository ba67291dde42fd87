/**
 * Failing together: where most of a service's destinations fail within one window, the fault is taken for the director's
 * own until no more than that are failed (DESIGN, rule 6). Until then nothing more of the service is taken out, by weight
 * or by a monitor; what is out already stays out under its lease. PURE.
 */
import type { ServiceId } from '../table/identity.js';
import type { DestinationState, State } from './state.js';
import { termsOf } from './terms.js';
import { announceService, seconds, type Turn } from './turn.js';

/** One that has failed says nothing of the others, however small the service. */
const togetherMin = 2;

/**
 * Those that take part in serving: not what the monitor or an admin has set to 0, but what a monitor has removed at our
 * word.
 */
function serving(state: State, service: ServiceId): DestinationState[] {
	const leased = [...state.busyDestinations].filter((id) => state.destinations.get(id)?.serviceId === service);
	const ids = new Set([...(state.services.get(service)?.destinations ?? []), ...leased]);
	const all = [...ids].flatMap((id) => state.destinations.get(id) ?? []);
	return all.filter(({ lease, inTable, destination }) => lease !== undefined || (inTable && destination.weight > 0));
}

export function freezeTogether(turn: Turn, service: ServiceId): void {
	const { state, nowMs } = turn;
	if (state.frozen.has(service)) return;
	const { windowMs, frozenShare } = termsOf(state, service).policy;
	const all = serving(state, service);
	const together = all.filter(({ verdict, failedMs }) => verdict === 'failed' && nowMs - failedMs <= windowMs).length;
	if (together < togetherMin || together <= frozenShare * all.length) return;
	state.frozen.set(service, nowMs);
	const facts = { failed: together, destinations: all.length, windowSeconds: seconds(windowMs) };
	announceService(turn, 'frozen', service, facts);
}

/** True where the service was frozen and is not any more. */
export function thaw(turn: Turn, service: ServiceId): boolean {
	const { state, nowMs } = turn;
	const sinceMs = state.frozen.get(service);
	if (sinceMs === undefined) return false;
	const { frozenShare } = termsOf(state, service).policy;
	const all = serving(state, service);
	const failed = all.filter(({ verdict }) => verdict === 'failed').length;
	if (failed > frozenShare * all.length) return false;
	state.frozen.delete(service);
	const facts = { failed, destinations: all.length, frozenSeconds: seconds(nowMs - sinceMs) };
	announceService(turn, 'thawed', service, facts);
	return true;
}
