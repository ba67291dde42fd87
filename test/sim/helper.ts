/**
 * `deploy/give-back/ipvigil-give-back` as a model: what the shell script does with the files of leases that are over,
 * step by step, on the model of the table. `helper.test.ts` holds the two side by side.
 */
import { rmSync } from 'node:fs';
import type { Lease } from '../../src/judge/lease.js';
import { type LedgerEntry, leaseName } from '../../src/remedy/lease-file.js';
import { Ledger } from '../../src/remedy/ledger.js';
import { destinationId } from '../../src/table/identity.js';
import type { Scene } from './scene.js';
import { ledgerDirectoryOf } from './stand-ins.js';

/** Its timer (OnCalendar), and how long a lease has been over before it acts: `--grace`. */
export const helperEveryMs = 5_000;
export const helperGraceMs = 2_000;
/** Processes of ipvsadm, none of which is ipvigil's own to the audit. */
export const helperPid = 900_000;

/** The table cannot be read, or not be written, twice in a row at most. */
const failuresMax = 2;

export function owes({ state, written }: Lease): boolean {
	return state === 'held' && written !== undefined;
}

/** Whether the weight that stands there is ipvigil's; undefined for a destination that is gone, a writer that is not known. */
export function isOurs(
	{ lease, earlier }: Pick<LedgerEntry, 'lease' | 'earlier'>,
	standing: number | undefined,
	lastPid: number | undefined,
): boolean {
	const isWeight = standing !== undefined && (standing === lease.written || standing === earlier?.weight);
	return isWeight && (lastPid === undefined || [lease.pid, earlier?.pid].includes(lastPid));
}

export class Helper {
	readonly #scene: Scene;
	readonly #ledger: Ledger;
	#failures = 0;

	constructor(scene: Scene) {
		this.#scene = scene;
		this.#ledger = new Ledger(ledgerDirectoryOf(scene));
		scene.ownPids.add(helperPid);
	}

	begin(): void {
		const again = () => {
			this.run(false);
			this.#scene.scheduler.after(helperEveryMs, again);
		};
		this.#scene.scheduler.after(helperEveryMs, again);
	}

	/** `all`: leases that are not over, too. */
	run(all: boolean): void {
		const { mutation, bootMs } = this.#scene;
		if (mutation.withoutHelper) return;
		for (const entry of this.#ledger.list().entries) {
			// In whole seconds, as the script counts.
			const endSeconds = Math.ceil(entry.lease.untilMs / 1_000) + helperGraceMs / 1_000;
			if (all || Math.floor(bootMs() / 1_000) >= endSeconds) this.#giveBack(entry);
		}
	}

	#giveBack({ lease, earlier, trackFile }: LedgerEntry): void {
		const { scheduler, table, random, plan, story } = this.#scene;
		if (trackFile !== undefined) rmSync(trackFile, { force: true });
		const done = (why: string) => {
			story(`helper: ${leaseName(lease)} is over; ${why}`);
			this.#ledger.remove(lease);
		};
		if (!owes(lease)) return done('no weight was owed');
		if (this.#fails()) return story(`helper: ${leaseName(lease)} is over, but the table cannot be had`);
		const standing = table.destination(lease.service, lease.destination)?.weight;
		const last = plan.audit ? table.last.get(destinationId(lease.service, lease.destination)) : undefined;
		if (!isOurs({ lease, earlier }, standing, last?.pid)) return done('left as it is');
		const readMs = scheduler.nowMs;
		// One ipvsadm later.
		scheduler.after(random.between(0.5, 3), () => {
			table.edit(lease.service, lease.destination, { pid: helperPid, comm: 'ipvsadm', readMs });
			done(`weight ${lease.destination.weight} given back`);
		});
	}

	#fails(): boolean {
		const fails = this.#failures < failuresMax && this.#scene.random.chance(this.#scene.plan.netlink.failing);
		this.#failures = fails ? this.#failures + 1 : 0;
		return fails;
	}
}
