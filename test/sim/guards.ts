/**
 * The checkers of the guard's slower rules: who comes and goes all the time is left to the monitor, who fails together with
 * most others stays in, and who has only just come in is not taken out at once.
 */
import type { State } from '../../src/judge/state.js';
import { destinationId, type ServiceId, serviceId } from '../../src/table/identity.js';
import { type Bench, type Checker, takingOut } from './inspection.js';

export function flapping({ scene, fail }: Bench): Checker {
	const name = 'flapping';
	const { flapsMax, flapPeriodMs, restartMs } = scene.plan.policy;
	/** When each was decided to go, on the boot clock. */
	const gone = new Map<string, number[]>();
	let pid = 0;
	const note = (id: string, by: number, atMs: number) => {
		// Who starts anew knows of the lease that stands and of none before.
		if (by !== pid) gone.clear();
		pid = by;
		const lately = [...(gone.get(id) ?? []), atMs].filter((earlier) => earlier > atMs - flapPeriodMs);
		gone.set(id, lately);
		if (lately.length > flapsMax) fail(name, `${id} goes for the ${lately.length}th time`);
	};
	return {
		name,
		sentence: 'Nothing is taken out more often within the period of flapping than allowed, restarts aside.',
		wrote: ({ by, id, takesOut, entry, pid: writer, operation, after }) => {
			// Who is added anew is another one.
			if (by === 'others' && operation === 'delete') gone.delete(id);
			if (by !== 'ipvigil' || !entry) return;
			const { lease } = entry;
			if (takesOut) return note(id, writer, lease.sinceMs);
			const isBack = (after?.weight ?? 0) >= lease.destination.weight;
			if (isBack && scene.bootMs() - lease.sinceMs < restartMs) gone.get(id)?.pop();
		},
		decided: (action, state) => {
			const taking = action.kind === 'bind' && !scene.plan.dryRun && takingOut(action, state);
			if (taking) note(destinationId(taking.service, taking.destination), state.pid, scene.bootMs());
		},
	};
}

/** Those that take part in serving, and those of them that have failed. */
function servingOf(state: State, service: ServiceId) {
	const serving = [...state.destinations.values()].filter(
		(one) => one.serviceId === service && (one.lease !== undefined || one.destination.weight > 0),
	);
	return { serving, failed: serving.filter(({ verdict }) => verdict === 'failed') };
}

export function freeze({ scene, fail }: Bench): Checker {
	const name = 'freeze';
	const { frozenShare, windowMs } = scene.plan.policy;
	const frozen = new Set<ServiceId>();
	let pid = 0;
	return {
		name,
		sentence: 'Nothing more is taken out while most of its service was found failed together.',
		journaled: ({ scenario, service }) => {
			if (scenario === 'frozen' && service) frozen.add(service);
			if (scenario === 'thawed' && service) frozen.delete(service);
		},
		decided: (action, state) => {
			if (state.pid !== pid) frozen.clear();
			pid = state.pid;
			const taking = takingOut(action, state);
			// Of one that the monitor has at 0 already nothing more goes.
			if (!taking || taking.taken === 0) return;
			const service = serviceId(taking.service);
			const { serving, failed } = servingOf(state, service);
			// Deeds come before words: where no more than that are failed the word of it may still be on its way.
			if (failed.length <= frozenShare * serving.length) return;
			const together = failed.filter(({ failedMs }) => scene.bootMs() - failedMs <= windowMs).length;
			if (!frozen.has(service) && (together < 2 || together <= frozenShare * serving.length)) return;
			const id = destinationId(taking.service, taking.destination);
			fail(
				name,
				`${id} is to go, while ${failed.length} of ${serving.length} have failed, ${together} of them of late`,
			);
		},
	};
}

export function grace({ scene, supervisor, fail }: Bench): Checker {
	const name = 'grace';
	const { graceMs } = scene.plan.policy;
	const addedMs = new Map<string, number>();
	return {
		name,
		sentence: 'Nothing is taken out within the grace after it came into the table, or ipvigil started.',
		unheard: (id) => addedMs.delete(id),
		wrote: ({ by, id, operation }) => {
			if (by === 'others' && operation === 'add' && scene.plan.audit) addedMs.set(id, scene.bootMs());
		},
		decided: (action, state) => {
			const taking = takingOut(action, state);
			if (!taking) return;
			const id = destinationId(taking.service, taking.destination);
			// What still waits in the audit's ring nobody has heard of yet.
			const isHeard = !scene.ring.some((write) => write.id === id);
			const forMs = scene.bootMs() - (addedMs.get(id) ?? Number.NEGATIVE_INFINITY);
			if (isHeard && forMs < graceMs) fail(name, `${id} is to go ${Math.round(forMs)} ms after it was added`);
			const { readySinceMs = 0 } = supervisor.life ?? {};
			const startedForMs = scene.scheduler.nowMs - readySinceMs;
			if (startedForMs < graceMs && scene.wokeMs < readySinceMs)
				fail(name, `${id} is to go ${Math.round(startedForMs)} ms after the start`);
		},
	};
}
