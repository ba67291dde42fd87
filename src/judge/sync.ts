/**
 * The table as the judge knows it, brought up to a new snapshot: destinations come, go and change weight.
 * What a change means for a lease is `tenure`'s to say; here it is only noticed. PURE.
 */
import { type DestinationId, destinationId, serviceId } from '../table/identity.js';
import type { Destination, ServiceAddress, Snapshot } from '../table/model.js';
import { heed, removed, returned, rewritten } from './ending.js';
import { addDestination, standAnew } from './standing.js';
import { createDestination, type DestinationState } from './state.js';
import { askAnew } from './suspicion.js';
import { endLease, reconsider } from './tenure.js';
import type { Turn } from './turn.js';

/** A snapshot takes time to read: where we know of a later change first-hand, it is the snapshot that is stale. */
export function applySnapshot(turn: Turn, snapshot: Snapshot, sinceMs: number): void {
	const { state } = turn;
	const seen = new Set<DestinationId>();
	state.services.clear();
	const found: [DestinationId, ServiceAddress, Destination][] = [];
	for (const { address, scheduler, flags, destinations } of snapshot.services) {
		const ids = new Set<DestinationId>();
		for (const destination of destinations) {
			const id = destinationId(address, destination);
			ids.add(id);
			seen.add(id);
			found.push([id, address, destination]);
		}
		state.services.set(serviceId(address), { address, scheduler, flags, destinations: ids });
	}
	// Only now, because what a destination may do depends on the others of its service.
	for (const [id, address, destination] of found) applyDestination(turn, id, address, destination, sinceMs);
	for (const known of [...state.destinations.values()])
		if (!seen.has(known.id) && known.inTable && known.changedMs < sinceMs) missing(turn, known);
	for (const id of [...state.frozen.keys()]) reconsider(turn, id);
	for (const id of state.learned.keys()) if (!state.destinations.has(id)) state.learned.delete(id);
}

/**
 * A snapshot is not atomic: a destination may be missing from one because another was removed while it was read. Where
 * there is a lease a second one must miss it too, and then the giving back looks for itself: what is really gone comes
 * back as the outcome `gone`. A lease that is forgotten by mistake would leave a server at weight 0.
 */
function missing(turn: Turn, known: DestinationState): void {
	if (known.pending) return;
	if (!known.lease) return removed(turn, known, 'somebody');
	if (!known.missed) known.missed = true;
	else if (known.lease.written === undefined || known.rehearsed) removed(turn, known, 'somebody');
	else endLease(turn, known, 'it is missing from the table');
}

function applyDestination(
	turn: Turn,
	id: DestinationId,
	service: ServiceAddress,
	destination: Destination,
	sinceMs: number,
): void {
	const known = turn.state.destinations.get(id);
	if (!known) {
		addDestination(turn.state, createDestination(service, destination, turn.nowMs), turn.nowMs);
		return;
	}
	known.missed = false;
	if (known.changedMs >= sinceMs || known.pending) return;
	const before = known.destination;
	known.destination = destination;
	known.inTable = true;
	if (isForwardedOtherwise(before, destination) && standAnew(turn.state, known, turn.nowMs)) askAnew(turn, id);
	const { lease } = known;
	// Where it is to end, nobody may know yet which weight of ours stands: the giving back looks for itself.
	const weOwe = lease?.written !== undefined && !known.rehearsed && known.ending === undefined;
	if (lease?.state === 'with-monitor' && destination.weight > 0) returned(turn, known, 'the monitor put it back');
	else if (weOwe && destination.weight !== lease.written)
		rewritten(turn, known, 'edit', destination.weight, 'somebody');
	else if (destination.weight > before.weight) heed(turn, known, 'somebody');
}

function isForwardedOtherwise(one: Destination, other: Destination): boolean {
	const [before, after] = [one.tunnel, other.tunnel];
	const sameTunnel = before.type === after.type && before.port === after.port && before.flags === after.flags;
	return one.forwarding !== other.forwarding || !sameTunnel;
}
