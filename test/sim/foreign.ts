/**
 * The checker of the word of others: whatever somebody else wrote last stands, the same value included, unless it came
 * in the instant between ipvigil's last look and its write; then it is put back. IPVS has no compare-and-set.
 */
import type { Bench, Checker, SeenWrite } from './inspection.js';

/** To notice, to enter and to write it, with some replies failing, each of which costs a second. */
const concedeMs = 20_000;

export function foreignKept({ scene, supervisor, fail }: Bench): Checker {
	const name = 'foreign-kept';
	const { plan, table, ownPids, scheduler } = scene;
	/** What was covered in the race, and must stand again. */
	const covered = new Map<string, { write: SeenWrite; weight: number }>();
	const unheardMs = new Map<string, number>();
	const heldDownUntilMs = new Map<string, number>();
	/** Servers that have come back since they failed: about them nobody has spoken yet. */
	const recovered = new Set<string>();
	let pid = 0;

	const own = (write: SeenWrite) => {
		const { id, before, entry, takesOut } = write;
		const last = table.last.get(id);
		if (!last || ownPids.has(last.pid) || !before) return;
		if (last.atMs < write.readMs) {
			// Without the audit the same value is nobody's word.
			const mayStand = takesOut
				? [entry?.lease.destination.weight, ...(plan.audit ? [] : [entry?.earlier?.weight])]
				: plan.audit
					? []
					: [entry?.lease.written, entry?.earlier?.weight];
			if (!mayStand.includes(before.weight))
				fail(
					name,
					`${write.comm} covered weight ${before.weight} of ${id}, which ${last.comm} (${last.pid}) had written`,
				);
		} else if (plan.audit && write.by === 'ipvigil' && unheardMs.get(id) !== last.atMs)
			covered.set(id, { write, weight: before.weight });
	};

	return {
		name,
		sentence:
			'No value that somebody else wrote is overwritten, and what somebody spoke about is left alone for the hold-down.',
		unheard: (id) => {
			unheardMs.set(id, scheduler.nowMs);
			covered.delete(id);
		},
		wrote: (write) => {
			if (write.by === 'others') {
				covered.delete(write.id);
				// Who adds it anew has made another one of it.
				if (write.operation === 'delete') heldDownUntilMs.delete(write.id);
				return;
			}
			if (write.by === 'ipvigil' && write.pid !== pid) heldDownUntilMs.clear();
			if (write.by === 'ipvigil') pid = write.pid;
			if (write.takesOut && scene.bootMs() < (heldDownUntilMs.get(write.id) ?? 0))
				fail(name, `${write.id} was taken out again within the hold-down`);
			own(write);
		},
		journaled: ({ scenario, destination }) => {
			if (!destination) return;
			if (scenario === 'failed') recovered.delete(destination);
			// Who has made it anew meanwhile has made another one of it, though ipvigil hears of the one after the other.
			const isAnew = table.last.get(destination)?.operation === 'add';
			if (scenario === 'yielded' && !recovered.has(destination) && !isAnew)
				heldDownUntilMs.set(destination, scene.bootMs() + plan.policy.holdDownMs);
			if (scenario !== 'recovering') return;
			// The failure about which somebody spoke is over; the next one is another.
			heldDownUntilMs.delete(destination);
			recovered.add(destination);
		},
		looked: () => {
			for (const [id, { write, weight }] of covered) {
				const isVoid = supervisor.undisturbedSinceMs > write.atMs || !supervisor.judging;
				const stands = write.after && table.destination(write.service, write.after)?.weight === weight;
				if (isVoid || stands) covered.delete(id);
				else if (scheduler.nowMs - write.atMs > concedeMs)
					fail(name, `weight ${weight} of ${id} was covered in the race and has not been put back`);
			}
		},
	};
}
