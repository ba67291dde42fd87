/**
 * In how many steps a weight comes back: in one where more make no sense. A hash scheduler moves clients at each step, a
 * small weight has no parts, a restarted listener is as warm as before, and a rehearsal has nothing to give back. PURE.
 */
import type { DestinationState } from './state.js';
import { termsOf } from './terms.js';
import type { Turn } from './turn.js';

const hashSchedulers: ReadonlySet<string> = new Set(['sh', 'dh', 'mh']);

export function climbSteps({ state, nowMs }: Turn, destination: DestinationState): number {
	const { lease, rehearsed, climb, outSinceMs, serviceId } = destination;
	const { slowStartSteps, slowStartMs, restartMs, leaseTotalMs } = termsOf(state, serviceId).policy;
	if (!lease || lease.written === undefined || rehearsed || state.stopping) return 1;
	if (hashSchedulers.has(state.services.get(serviceId)?.scheduler ?? '')) return 1;
	if (lease.destination.weight < slowStartSteps) return 1;
	// What is only reduced is warm; what is coming back already was at 0 when it began.
	if (climb) return slowStartSteps;
	if (lease.written > 0 || nowMs - outSinceMs < restartMs) return 1;
	return nowMs + slowStartMs > outSinceMs + leaseTotalMs ? 1 : slowStartSteps;
}
