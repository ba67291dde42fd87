/**
 * The directories that ipvigil writes: there or not, writable or not, on tmpfs where they must die with the machine.
 */
import type { Config } from '../../config.js';
import { type Check, degraded, missing, ok } from './check.js';
import { isWithin } from './kernel.js';

/** What is known of a directory. `writable` speaks of the nearest ancestor that exists where the directory does not. */
export interface Directory {
	path: string;
	exists: boolean;
	writable: boolean;
}

export type Look = (path: string) => Directory;

/** `mounts` is /proc/self/mounts. */
export function directoryChecks(config: Config, look: Look, mounts: string): Check[] {
	return [
		runtimeCheck(look(config.runtimeDirectory), mounts),
		journalCheck(look(config.journalDirectory)),
		...(config.monitors.keepalived ? [trackCheck(look(config.monitors.keepalived.trackDirectory))] : []),
	];
}

/** The ledger must die with the machine, as the IPVS table does: a lease from before a reboot would restore nonsense. */
function runtimeCheck(directory: Directory, mounts: string): Check {
	const name = 'runtime directory';
	const { path, writable } = directory;
	if (!writable)
		return missing(name, 'privileges', `${path} is not writable`, `Make it writable, or set runtimeDirectory.`);
	const type = fileSystemOf(path, mounts);
	if (type === 'tmpfs') return ok(name, `${path} on tmpfs`);
	return degraded(
		name,
		`${path} is on ${type}, not tmpfs: leases would outlive a reboot`,
		'Set runtimeDirectory to a place in /run.',
	);
}

function journalCheck({ path, exists, writable }: Directory): Check {
	const name = 'journal directory';
	if (!writable)
		return degraded(
			name,
			`${path} is not writable: there will be no history`,
			'Make it writable, or set journalDirectory.',
		);
	return ok(name, exists ? path : `${path} will be made`);
}

/** keepalived watches the directory once, when it loads its configuration: one made later is never looked at. */
function trackCheck({ path, exists, writable }: Directory): Check {
	const name = 'keepalived';
	if (!exists) {
		return degraded(
			name,
			`${path} does not exist, and keepalived watches only a directory that was there when it started`,
			'systemd-tmpfiles --create, then restart keepalived.',
		);
	}
	if (!writable) return degraded(name, `${path} is not writable: keepalived cannot be told`, 'Make it writable.');
	return ok(name, `${path} is there; keepalived sees it if it was started later`);
}

/** The type of the file system that holds a path: the longest mount point that is a prefix, the last one mounted there. */
export function fileSystemOf(path: string, mounts: string): string {
	let found = { point: '', type: 'unknown' };
	for (const line of mounts.split('\n')) {
		const [, point, type] = line.split(' ');
		if (point === undefined || type === undefined || !isWithin(path, point)) continue;
		if (point.length >= found.point.length) found = { point, type };
	}
	return found.type;
}
