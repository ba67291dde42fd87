/**
 * keepalived, by its FILE_CHECK: one track file for each destination that it should take out.
 *
 *     track_file rs1 { file "/run/ipvigil/keepalived/tcp_10.0.0.100_8080_10.1.0.11_8080"; weight 0 }
 *     real_server 10.1.0.11 8080 { FILE_CHECK { track_file rs1; weight 0 } ... }
 *
 * A file that holds 1 is a fault; a missing file is 0, all well (keepalived/check/check_file.c), so what is left when
 * ipvigil is not there harms nobody. keepalived watches the directory with inotify (IN_CLOSE_WRITE, IN_DELETE,
 * IN_MOVE; trackers/track_file.c), once per load: the directory must be there before keepalived and is never removed.
 * This target only tells: what keepalived then does with the weight is seen in the table.
 */
import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isLeaseName, type LeaseKey, leaseName } from '../remedy/lease-file.js';
import type { Destination, ServiceAddress } from '../table/model.js';
import type { BindingTarget, Delivery } from './contract.js';

export class KeepalivedTarget implements BindingTarget {
	readonly name = 'keepalived';
	/** For the operator, where the directory had to be made: a keepalived that runs already does not watch it. */
	readonly notice: string | undefined;
	readonly #directory: string;

	/** @throws the file system's error where the track directory is missing and cannot be made. */
	constructor(trackDirectory: string) {
		this.#directory = trackDirectory;
		const made = mkdirSync(trackDirectory, { recursive: true, mode: 0o755 });
		this.notice =
			made &&
			`${trackDirectory} was missing and has been made: reload keepalived, which watches only what was there when it ` +
				'loaded, and let systemd-tmpfiles make the directory before keepalived starts (deploy/tmpfiles/ipvigil.conf).';
	}

	/** Synchronous inside, so that "down" and "up" in quick succession reach the directory in that order. */
	bind(service: ServiceAddress, destination: Destination, state: 'down' | 'up'): Promise<Delivery> {
		try {
			const path = this.file(service, destination);
			if (state === 'down') this.#putInPlace(path, leaseName({ service, destination }));
			else rmSync(path, { force: true });
			return Promise.resolve({ ok: true });
		} catch (error) {
			return Promise.resolve({ ok: false, reason: this.#explain(error as NodeJS.ErrnoException) });
		}
	}

	file(service: ServiceAddress, destination: Pick<Destination, 'address' | 'port'>): string {
		return join(this.#directory, leaseName({ service, destination }));
	}

	/**
	 * Removes the files of leases that are over, for a daemon that starts. Files that are not named as ours stay:
	 * an administrator may keep track files of his own here.
	 * @returns the names removed.
	 * @throws the file system's error.
	 */
	sweep(leases: readonly LeaseKey[]): string[] {
		const kept = new Set(leases.map(leaseName));
		const stale = readdirSync(this.#directory).filter((name) => isOurs(name) && !kept.has(name));
		for (const name of stale) rmSync(join(this.#directory, name), { force: true });
		return stale;
	}

	/** Renamed into place, so that keepalived never reads half a file; the temporary name is none that it tracks. */
	#putInPlace(path: string, name: string): void {
		const temporary = join(this.#directory, temporaryName(name));
		writeFileSync(temporary, '1\n', { mode: 0o644 });
		renameSync(temporary, path);
	}

	#explain(error: NodeJS.ErrnoException): string {
		if (error.code !== 'ENOENT') return error.message;
		return `the track directory ${this.#directory} has been removed: run systemd-tmpfiles --create, then reload keepalived`;
	}
}

function temporaryName(name: string): string {
	return `.${name}.new`;
}

function isOurs(name: string): boolean {
	return (
		isLeaseName(name) || (name.startsWith('.') && name.endsWith('.new') && isLeaseName(name.slice(1, -'.new'.length)))
	);
}
