/**
 * The parts of ipvigil that touch the disk or a clock, as the simulator has them: the ledger and the monitor's track
 * files are the shipped ones on real files, with a death possible before, within and after each change; the journal and
 * the calibration stay in memory.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalEntry } from '../../src/judge/action.js';
import type { Hold } from '../../src/judge/hold.js';
import type { EarlierWrite, Lease } from '../../src/judge/lease.js';
import type { Delivery } from '../../src/monitors/contract.js';
import { KeepalivedTarget } from '../../src/monitors/keepalived.js';
import { Calibration } from '../../src/remedy/calibration.js';
import { HoldFile } from '../../src/remedy/hold-file.js';
import { type LeaseKey, type LedgerEntry, leaseName } from '../../src/remedy/lease-file.js';
import { Ledger } from '../../src/remedy/ledger.js';
import { Journal } from '../../src/report/journal.js';
import type { Scene } from './scene.js';
import type { Own } from './seat.js';

/** Ends whatever the process was doing. */
export class Killed extends Error {}

export function ledgerDirectoryOf({ directory }: Pick<Scene, 'directory'>): string {
	return join(directory, 'leases');
}

export class WatchedLedger extends Ledger {
	readonly #scene: Scene;
	readonly #effect: () => void;

	constructor(scene: Scene, effect: () => void, trackFile: (key: LeaseKey) => string | undefined) {
		super(ledgerDirectoryOf(scene), trackFile);
		this.#scene = scene;
		this.#effect = effect;
	}

	override enter(lease: Lease, earlier?: EarlierWrite): void {
		this.#write(lease, () => super.enter(lease, earlier));
	}

	override restore(entry: LedgerEntry): void {
		this.#write(entry.lease, () => super.restore(entry));
	}

	override remove(key: LeaseKey): void {
		this.#effect();
		super.remove(key);
		this.#effect();
	}

	#write(key: LeaseKey, write: () => void): void {
		const { scheduler, diskFullUntilMs, mutation } = this.#scene;
		this.#effect();
		if (mutation.forgetfulLedger) return;
		if (scheduler.nowMs < diskFullUntilMs) throw new Error('ENOSPC');
		// Half a file under the temporary name, before the rename: a reader must not take it for a lease.
		writeFileSync(join(ledgerDirectoryOf(this.#scene), `.${leaseName(key)}.new`), 'format=1\nstate=he');
		this.#effect();
		write();
		this.#effect();
	}
}

/** The operator's holds are in the shipped file. */
export class WatchedHoldFile extends HoldFile {
	readonly #effect: () => void;

	constructor({ directory }: Scene, effect: () => void) {
		super(directory, () => {});
		this.#effect = effect;
	}

	override keep(holds: Hold[]): void {
		this.#effect();
		super.keep(holds);
		this.#effect();
	}
}

/** keepalived's track files are the shipped ones, too. */
export class WatchedKeepalived extends KeepalivedTarget {
	readonly #effect: () => void;

	constructor(trackDirectory: string, effect: () => void) {
		super(trackDirectory);
		this.#effect = effect;
	}

	override bind(...word: Parameters<KeepalivedTarget['bind']>): Promise<Delivery> {
		this.#effect();
		const delivery = super.bind(...word);
		this.#effect();
		return delivery;
	}
}

export class ToldJournal extends Journal {
	readonly #tell: (entry: JournalEntry) => void;

	constructor(tell: (entry: JournalEntry) => void) {
		super({ directory: '', segmentBytes: 0, segments: 0 });
		this.#tell = tell;
	}

	override write(entry: JournalEntry): void {
		this.#tell(entry);
	}
}

/** What is gathered for one file is lost with the process that gathered it. */
export class GatheredCalibration extends Calibration {
	readonly #scene: Scene;
	readonly #own: Own;
	#gathered: string[] = [];

	constructor(scene: Scene, own: Own) {
		super(scene.directory, () => {});
		this.#scene = scene;
		this.#own = own;
	}

	override recall(): string[] {
		return [...this.#scene.calibrated];
	}

	override remember(endpoint: string): void {
		if (this.#gathered.push(endpoint) === 1) this.#own(200, () => this.flush());
	}

	override flush(): void {
		for (const endpoint of this.#gathered.splice(0)) this.#scene.calibrated.add(endpoint);
	}
}
