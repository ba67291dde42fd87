/**
 * The checkers of the operator's word: what was asked for on the command line comes about, and soon.
 */
import { leaseName } from '../../src/remedy/lease-file.js';
import type { Bench, Checker } from './inspection.js';

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
