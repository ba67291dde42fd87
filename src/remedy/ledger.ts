/**
 * The ledger: one small file for each lease, entered before a weight is written, so that whatever happens to this
 * process the debt is on record. It lives on tmpfs like the IPVS table's own life (a reboot clears both), so a
 * file is written to a temporary name and renamed, without fsync: the reader sees the old file or the new one.
 * Writing is synchronous on purpose: some tens of microseconds, and the order "ledger first, then the weight" is plain to see.
 *
 * It does not judge when a lease is over and touches no weight; the text inside is `lease-file.ts`.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EarlierWrite, Lease } from '../judge/lease.js';
import { decodeLease, encodeLease, type LeaseKey, type LedgerEntry, leaseBytesMax, leaseName } from './lease-file.js';

/** A file of the ledger that could not be read back. It is told, and left where it is: it may be somebody's debt. */
export interface BadLeaseFile {
	path: string;
	problem: string;
}

/** More files than the largest table that we are built for (1,024 services of 16 destinations) could ever need. */
const filesMax = 65_536;

/**
 * Where the ledger lies. A dry run keeps its own: the give-back helper believes what it reads in `leases`, and a lease
 * whose weight was never written must not be there.
 */
export function ledgerDirectory(runtimeDirectory: string, dryRun: boolean): string {
	return join(runtimeDirectory, dryRun ? 'leases.dry-run' : 'leases');
}

export class Ledger {
	readonly #directory: string;
	readonly #trackFile: (key: LeaseKey) => string | undefined;

	/**
	 * @param trackFile The monitor's file for a destination (BindingTarget.file), which must go when the lease ends.
	 * @throws the file system's error where the directory cannot be made.
	 */
	constructor(directory: string, trackFile: (key: LeaseKey) => string | undefined = () => undefined) {
		this.#directory = directory;
		this.#trackFile = trackFile;
		mkdirSync(directory, { recursive: true, mode: 0o700 });
	}

	/**
	 * Enters or renews a lease. The monitor's file that an earlier entry names stays in the entry, even where the monitor
	 * is no longer configured: it still acts on that file, which must go when the lease ends. A monitor that has moved to
	 * another directory has its old file removed now.
	 *
	 * @param earlier The weight of ours that stands until the change to `lease.written` is through. Without it a death
	 *   between ledger and write would make our own older weight look like a stranger's, and nobody would give it back.
	 * @throws the file system's error; then the older file, if there was one, stands as it was.
	 */
	enter(lease: Lease, earlier?: EarlierWrite): void {
		const former = this.read(lease)?.trackFile;
		const trackFile = this.#trackFile(lease) ?? former;
		if (former !== undefined && former !== trackFile) rmSync(former, { force: true });
		this.#put({ lease, earlier, trackFile });
	}

	/** Puts back an entry that `read` gave. */
	restore(entry: LedgerEntry): void {
		this.#put(entry);
	}

	/**
	 * The lease is over: the monitor's file that its entry names goes, then the entry, so that whatever happens between
	 * the two the helper finds the rest. Files that are gone already are as good.
	 *
	 * @throws the file system's error; then the entry stands, for the helper.
	 */
	remove(key: LeaseKey): void {
		const trackFile = this.read(key)?.trackFile;
		if (trackFile !== undefined) rmSync(trackFile, { force: true });
		rmSync(this.#path(key), { force: true });
	}

	/** The entry of one destination, or undefined where there is none that can be read. */
	read(key: LeaseKey): LedgerEntry | undefined {
		const entry = readLeaseFile(this.#path(key));
		return 'problem' in entry ? undefined : entry;
	}

	/** Every lease on record, for a daemon that starts, and every file that is none. */
	list(): { entries: LedgerEntry[]; bad: BadLeaseFile[] } {
		const entries: LedgerEntry[] = [];
		const bad: BadLeaseFile[] = [];
		for (const name of this.#names(bad)) {
			const path = join(this.#directory, name);
			const entry = readLeaseFile(path);
			if ('problem' in entry) bad.push({ path, problem: entry.problem });
			else if (leaseName(entry.lease) !== name) bad.push({ path, problem: `it speaks of ${leaseName(entry.lease)}` });
			else entries.push(entry);
		}
		return { entries, bad };
	}

	#names(bad: BadLeaseFile[]): string[] {
		try {
			// A dot begins the name of a file that was being written when its writer died: never a lease yet.
			const names = readdirSync(this.#directory).filter((name) => !name.startsWith('.'));
			if (names.length > filesMax)
				bad.push({ path: this.#directory, problem: `holds ${names.length} files, more than ${filesMax}` });
			return names.sort().slice(0, filesMax);
		} catch (error) {
			bad.push({ path: this.#directory, problem: (error as Error).message });
			return [];
		}
	}

	#put(entry: LedgerEntry): void {
		const name = leaseName(entry.lease);
		const temporary = join(this.#directory, `.${name}.new`);
		writeFileSync(temporary, encodeLease(entry), { mode: 0o600 });
		renameSync(temporary, join(this.#directory, name));
	}

	#path(key: LeaseKey): string {
		return join(this.#directory, leaseName(key));
	}
}

function readLeaseFile(path: string): LedgerEntry | { problem: string } {
	try {
		// The usual case, where a lease begins: an exception for it would cost more than all the rest.
		const status = statSync(path, { throwIfNoEntry: false });
		if (!status) return { problem: 'there is no such file' };
		if (status.size > leaseBytesMax) return { problem: `${status.size} bytes are too many for a lease` };
		return decodeLease(readFileSync(path, 'utf8'));
	} catch (error) {
		return { problem: (error as Error).message };
	}
}
