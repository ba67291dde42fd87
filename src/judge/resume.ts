/**
 * Leases that an earlier ipvigil left in the ledger (a crash, a hand-over): taken up again, or dropped with the
 * reason where somebody has written since, or where nothing of ours stands (DESIGN, rule 3). PURE.
 */
import { destinationId, type ListenerId } from '../table/identity.js';
import { excuse } from './answers.js';
import { bind } from './ending.js';
import type { FoundLease, Writer } from './input.js';
import { type Lease, signalIn } from './lease.js';
import type { RuleAction } from './policy.js';
import { addDestination, rememberCalibrated } from './standing.js';
import { createDestination, type DestinationState } from './state.js';
import { askAnew } from './suspicion.js';
import { endLease } from './tenure.js';
import { actionOn, termsOf } from './terms.js';
import { journal, type Turn } from './turn.js';

export function resume(turn: Turn, leases: FoundLease[], calibrated: ListenerId[]): void {
	for (const id of calibrated) {
		rememberCalibrated(turn.state, id);
		const listener = turn.state.listeners.get(id);
		if (!listener) continue;
		listener.calibrated = true;
	}
	// A way may have come back a moment ago, for all that a new process knows. Everybody is asked once; who answers is known.
	excuse(turn, turn.state.hosts.keys());
	for (const found of leases) resumeOne(turn, found);
}

function resumeOne(turn: Turn, { lease: found, earlier, lastWriter }: FoundLease): void {
	const known = turn.state.destinations.get(destinationId(found.service, found.destination));
	const isEarlier = earlier !== undefined && known?.destination.weight === earlier.weight;
	const lease = isEarlier ? { ...found, written: earlier.weight, pid: earlier.pid } : found;
	const destination = known ?? unseen(turn, found);
	const why = known ? obstacle(known, lease, lastWriter) : undefined;
	if (why !== undefined) return drop(turn, destination, lease, why);
	destination.lease = lease;
	destination.verdict = 'failed';
	destination.signal = signalIn(lease) ?? destination.signal;
	destination.failedMs = lease.sinceMs;
	destination.outSinceMs = lease.sinceMs;
	destination.ejections = lease.count;
	turn.state.busyDestinations.add(destination.id);
	// A start is no reason to take out as many again within the same minute.
	turn.state.ejectedMs.push(lease.sinceMs);
	turn.state.ejectedMs.sort((one, other) => one - other);
	destination.ejectedMs = [lease.sinceMs];
	// What stands is what the next write replaces: the ledger must know it first.
	if (isEarlier) turn.actions.push({ kind: 'ledger', lease });
	journal(turn, 'resumed', destination, { pid: lease.pid });
	askAnew(turn, destination.id);
	destination.climb = reached(turn, destination, lease);
	const { action, because } = actionOn(turn.state, destination);
	if (!isAllowed(action, lease)) {
		destination.bound = turn.state.binding;
		return endLease(turn, destination, `${because} holds no such lease`);
	}
	// Told again: the earlier one may have died between the weight and its word to the monitor.
	bind(turn, destination, 'down');
	turn.actions.push({
		kind: 'schedule',
		atMs: Math.min(lease.untilMs, turn.nowMs + termsOf(turn.state, destination.serviceId).policy.retryMs),
	});
}

/** An operator who went back from assist to observe, for a service or a rule, means the weights that are still held, too. */
function isAllowed(action: RuleAction, lease: Lease): boolean {
	if (action === 'observe') return false;
	return action !== 'notify' || lease.written === undefined;
}

/** A weight between 0 and what is owed was coming back, unless its rule only reduces. */
function reached({ state, nowMs }: Turn, destination: DestinationState, lease: Lease): DestinationState['climb'] {
	const { written = 0, destination: owed } = lease;
	if (written === 0 || written >= owed.weight || actionOn(state, destination).action === 'reduce') return undefined;
	const { slowStartSteps } = termsOf(state, destination.serviceId).policy;
	return { step: Math.max(1, Math.round((written / owed.weight) * slowStartSteps)), dueMs: nowMs };
}

/** What stands against resuming a lease, in the words of the journal; undefined where nothing does. */
function obstacle(known: DestinationState, lease: Lease, lastWriter: Writer | undefined): string | undefined {
	const { weight } = known.destination;
	if (lease.state === 'with-monitor') return weight > 0 ? 'the monitor has put it back' : undefined;
	if (lease.written === undefined) return undefined;
	if (weight !== lease.written) return `its weight is ${weight}, not the ${lease.written} that was to be written`;
	if (lastWriter && !lastWriter.own) return `${lastWriter.comm} (pid ${lastWriter.pid}) has written it since`;
	return undefined;
}

function drop(turn: Turn, destination: DestinationState, lease: Lease, why: string): void {
	turn.actions.push({ kind: 'forget', service: lease.service, destination: lease.destination });
	if (turn.state.binding)
		turn.actions.push({ kind: 'bind', service: lease.service, destination: lease.destination, state: 'up' });
	journal(turn, 'resume-dropped', destination, { why });
}

/**
 * A destination that the first snapshot does not show. The monitor took it out, and its server is still watched for it;
 * or, where we owe it a weight, the snapshot may have missed it: then the next one, or the giving back, decides.
 */
function unseen(turn: Turn, lease: Lease): DestinationState {
	const created = createDestination(lease.service, lease.destination, turn.nowMs);
	created.inTable = lease.written !== undefined;
	created.missed = created.inTable;
	addDestination(turn.state, created, turn.nowMs);
	return created;
}
