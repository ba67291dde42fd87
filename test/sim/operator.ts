/**
 * The checkers of the operator's word: what was asked for on the command line comes about, and soon.
 */
import { leaseName } from '../../src/remedy/lease-file.js';
import { type DestinationId, destinationId } from '../../src/table/identity.js';
import { type Bench, type Checker, takingOut } from './inspection.js';

/** Some failing replies at a second each, as often as a write may fail in a row in any world. */
const releaseBoundMs = 20_000;

export function released({ scene, supervisor, ledger, fail }: Bench): Checker {
	const name = 'released';
	/** Name and beginning of each lease that stood when the release was asked for. */
	let owed = new Map<string, number>();
	let askedMs = 0;
	return {
		name,
		sentence: `After a release no lease of before stands within ${releaseBoundMs / 1_000} s.`,
		asked: ({ kind }) => {
			if (kind !== 'release') return;
			askedMs = scene.scheduler.nowMs;
			owed = new Map(ledger.list().entries.map(({ lease }) => [leaseName(lease), lease.sinceMs]));
		},
		looked: () => {
			if (owed.size === 0) return;
			// Who has died or stood still meanwhile is not asked; the next one has not heard of it.
			if (supervisor.undisturbedSinceMs > askedMs || !supervisor.judging) return owed.clear();
			if (scene.scheduler.nowMs - askedMs <= releaseBoundMs) return;
			for (const { lease } of ledger.list().entries)
				if (owed.get(leaseName(lease)) === lease.sinceMs) fail(name, `${leaseName(lease)} stands as before`);
			owed.clear();
		},
	};
}

export function held({ scene, ledger, fail }: Bench): Checker {
	const name = 'held';
	const isHeld = (id: DestinationId) =>
		[scene.holds.get(id), scene.holds.get('all')].some((one) => one?.isTaken && scene.bootMs() < one.untilMs);
	return {
		name,
		sentence: 'Nothing that the operator holds is taken out, and no lease of it renewed, across restarts too.',
		// A write that was decided before may still be under way.
		decided: (action, state) => {
			const taking = takingOut(action, state);
			if (taking) {
				const id = destinationId(taking.service, taking.destination);
				if (isHeld(id)) fail(name, `${id} is to go`);
			}
			if (action.kind !== 'ledger' || !isHeld(destinationId(action.lease.service, action.lease.destination))) return;
			const { lease } = ledger.read(action.lease) ?? {};
			if (lease && action.lease.untilMs > lease.untilMs) fail(name, `${leaseName(lease)} is to be renewed`);
		},
	};
}
