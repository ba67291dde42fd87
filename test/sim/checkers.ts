/**
 * What must hold after every step, each as a small object with a sentence. They know the truth and the table; of the
 * judge they believe only what it decided, and they never ask it whether it was right. Those that wait for something to
 * come about are in `liveness.ts`.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { leaseName } from '../../src/remedy/lease-file.js';
import { destinationId, serviceId } from '../../src/table/identity.js';
import { trackDirectory } from './agent.js';
import { foreignKept } from './foreign.js';
import { flapping, freeze, grace } from './guards.js';
import { helperEveryMs, helperGraceMs, helperPid } from './helper.js';
import { type Bench, type Checker, type SeenWrite, takingOut } from './inspection.js';
import { choosesWeightZero } from './ipvs.js';
import { falseEjection, forged } from './justice.js';
import { ejected, restored } from './liveness.js';
import { held, released } from './operator.js';

export function checkersOf(bench: Bench): Checker[] {
	return [
		floor(bench),
		ledgerFirst(bench),
		weightOnly(bench),
		foreignKept(bench),
		leaseEnds(bench),
		debtEnds(bench),
		handsOff(bench),
		noThrow(bench),
		falseEjection(bench),
		forged(bench),
		ejected(bench),
		restored(bench),
		released(bench),
		held(bench),
		flapping(bench),
		freeze(bench),
		grace(bench),
	];
}

const minuteMs = 60_000;

function floor({ scene, fail }: Bench): Checker {
	const name = 'floor';
	const { policy } = scene.plan;
	const takenMs: number[] = [];
	let pid = 0;
	return {
		name,
		sentence: 'Never the last usable server of a service, never more than the share, never more a minute than allowed.',
		decided: (action, state) => {
			const taking = takingOut(action, state);
			if (!taking) return;
			const id = destinationId(taking.service, taking.destination);
			const mates = [...state.destinations.values()].filter((one) => one.serviceId === serviceId(taking.service));
			const usable = mates.filter(
				(one) => one.id !== id && one.inTable && one.destination.weight > 0 && one.verdict !== 'failed',
			);
			if (usable.length === 0) fail(name, `${id} was to go, and no other is believed to serve`);
			let taken = taking.taken;
			let standing = 0;
			for (const { id: mate, lease, destination } of mates) {
				if (mate === id) standing += taking.destination.weight - taking.taken;
				else if (lease) {
					taken += lease.destination.weight - (lease.written ?? 0);
					standing += lease.written ?? 0;
				} else standing += destination.weight;
			}
			const share = taken / (taken + standing);
			if (share > policy.takenShareMax + 1e-9) fail(name, `with ${id} ${share.toFixed(2)} of the weight would be out`);
		},
		wrote: (write) => {
			if (!write.takesOut) return;
			const nowMs = scene.bootMs();
			if (write.pid !== pid) takenMs.length = 0;
			pid = write.pid;
			while (takenMs[0] !== undefined && nowMs - takenMs[0] >= minuteMs) takenMs.shift();
			takenMs.push(nowMs);
			if (takenMs.length > policy.ejectionsPerMinuteMax)
				fail(name, `${write.id} is the ${takenMs.length}th within a minute`);
			lastInTable(scene, write, (detail) => fail(name, detail));
		},
	};
}

/** What others write in these last moments the judge may not have heard of yet. */
const newsMs = 5_000;

function lastInTable(
	{ table, ownPids, plan, scheduler }: Bench['scene'],
	write: SeenWrite,
	fail: (detail: string) => void,
): void {
	const { destinations = [] } = table.service(write.service) ?? {};
	const isNews = plan.services
		.flatMap(({ address, destinations: all }) => all.map((one) => destinationId(address, one)))
		.some((id) => {
			const last = table.last.get(id);
			return last && !ownPids.has(last.pid) && scheduler.nowMs - last.atMs < newsMs;
		});
	const others = destinations.filter((one) => destinationId(write.service, one) !== write.id && one.weight > 0);
	if (!isNews && others.length === 0) fail(`${write.id} was the last one with a weight in the table`);
}

function ledgerFirst({ scene, fail }: Bench): Checker {
	const name = 'ledger-first';
	/** Both gave back in the same instant: nothing is left to owe, and nothing was changed. */
	const isAfterHelper = ({ id, before, after, readMs }: SeenWrite) => {
		const last = scene.table.last.get(id);
		return last?.pid === helperPid && last.atMs >= readMs && before?.weight === after?.weight;
	};
	return {
		name,
		sentence: 'Every weight that ipvigil writes is in the ledger before it is in the table.',
		wrote: (write) => {
			const { by, id, after, entry } = write;
			if (by !== 'ipvigil' || isAfterHelper(write)) return;
			if (!entry) return fail(name, `${id} was written and is not in the ledger`);
			const { written, destination } = entry.lease;
			const known = [written, entry.earlier?.weight, destination.weight];
			if (!known.includes(after?.weight)) fail(name, `${id}: weight ${after?.weight} is not what its lease speaks of`);
			if (write.takesOut && written !== after?.weight)
				fail(name, `${id}: weight ${after?.weight} was written, the ledger says ${written}`);
		},
	};
}

function weightOnly({ fail }: Bench): Checker {
	const name = 'weight-only';
	return {
		name,
		sentence: 'Nothing but the weight of a destination is ever changed, and nothing is added or removed.',
		wrote: ({ by, id, operation, before, after }) => {
			if (by !== 'ipvigil') return;
			if (operation !== 'edit' || !before || !after) return fail(name, `${operation} of ${id}`);
			const same = (['forwarding', 'upperThreshold', 'lowerThreshold'] as const).every(
				(key) => before[key] === after[key],
			);
			const tunnel = (['type', 'port', 'flags'] as const).every((key) => before.tunnel[key] === after.tunnel[key]);
			if (!same || !tunnel) fail(name, `${id} was changed in more than its weight`);
		},
	};
}

/** The helper's next runs after the end and its grace; two of them may fail. */
const helperSlackMs = helperGraceMs + 4 * helperEveryMs;

/** By the boot clock; what ended while the machine slept has that time from when it woke. */
function isLongOver({ bootMs, scheduler, wokeMs }: Bench['scene'], endMs: number): boolean {
	return Math.min(bootMs() - endMs, scheduler.nowMs - wokeMs) > helperSlackMs;
}

function leaseEnds({ scene, ledger, fail }: Bench): Checker {
	const name = 'lease-ends';
	const { leaseTotalMs } = scene.plan.policy;
	let orphans = new Set<string>();
	let looks = 0;
	return {
		name,
		sentence:
			'Every lease ends: when its time is over, at its cap at the latest, and the monitor’s track file with it.',
		looked: () => {
			// Reading the disk is what costs; a lease that does not end can wait for it.
			if (looks++ % 5 !== 0) return;
			const { entries } = ledger.list();
			const nowMs = scene.bootMs();
			for (const { lease } of entries) {
				const who = leaseName(lease);
				if (isLongOver(scene, lease.untilMs)) fail(name, `${who} was over ${nowMs - lease.untilMs} ms ago`);
				if (isLongOver(scene, lease.sinceMs + leaseTotalMs))
					fail(name, `${who} has lasted ${nowMs - lease.sinceMs} ms`);
			}
			orphans = orphanTracks(scene, new Set(entries.map(({ lease }) => leaseName(lease))), orphans, (detail) =>
				fail(name, detail),
			);
		},
	};
}

/** Track files without a lease; one that was so a look ago, too, is a binding without an end. */
function orphanTracks(
	scene: Bench['scene'],
	leased: Set<string>,
	before: Set<string>,
	fail: (detail: string) => void,
): Set<string> {
	if (!scene.plan.binding || !existsSync(trackDirectory(scene))) return before;
	const orphans = readdirSync(trackDirectory(scene)).filter((file) => !file.startsWith('.') && !leased.has(file));
	for (const orphan of orphans) if (before.has(orphan)) fail(`${join('keepalived', orphan)} stands without a lease`);
	return new Set(orphans);
}

function debtEnds({ scene, ledger, fail }: Bench): Checker {
	const name = 'debt-ends';
	const debts = new Map<string, SeenWrite>();
	let looks = 0;
	return {
		name,
		sentence: 'Whatever happens to ipvigil, no destination stays quiesced by it beyond its lease.',
		wrote: (write) => {
			if (write.takesOut) debts.set(write.id, write);
			else if (write.by !== 'ipvigil' || (write.after?.weight ?? 0) >= (write.entry?.lease.destination.weight ?? 0))
				debts.delete(write.id);
		},
		looked: () => {
			if (looks++ % 5 !== 0) return;
			for (const [id, { service, after }] of debts) {
				if (!after) continue;
				const entry = ledger.read({ service, destination: after });
				if (!entry) fail(name, `${id} stands at weight ${after.weight} by ipvigil's write, and no lease knows of it`);
				else if (isLongOver(scene, entry.lease.untilMs)) fail(name, `${id} stays quiesced beyond its lease`);
			}
		},
	};
}

function handsOff({ scene, fail }: Bench): Checker {
	const name = 'hands-off';
	const { mode, dryRun } = scene.plan;
	const tellsNobody = mode === 'observe' || dryRun;
	return {
		name,
		sentence:
			'Observe mode and a dry run change nothing and tell no monitor, notify mode changes no weight; and no weight 0 under a scheduler that it harms.',
		wrote: ({ by, id, service, after }) => {
			if (by !== 'ipvigil') return;
			if (mode !== 'assist' || dryRun) fail(name, `${id} was written in mode ${mode}${dryRun ? ', dry run' : ''}`);
			const known = scene.table.service(service);
			if (after?.weight === 0 && known && choosesWeightZero(known))
				fail(name, `${id} was set to 0 under the scheduler ${known.scheduler}`);
		},
		decided: (action) => {
			if (action.kind === 'bind' && mode === 'observe') fail(name, 'a monitor was told in mode observe');
		},
		looked: () => {
			if (!tellsNobody || !existsSync(trackDirectory(scene))) return;
			for (const file of readdirSync(trackDirectory(scene)))
				fail(name, `${join('keepalived', file)} was written in mode ${mode}${dryRun ? ', dry run' : ''}`);
		},
	};
}

function noThrow({ fail }: Bench): Checker {
	const name = 'no-throw';
	return {
		name,
		sentence: 'Nothing that happens in the world makes ipvigil throw.',
		threw: (error) => fail(name, error.stack ?? error.message),
	};
}
