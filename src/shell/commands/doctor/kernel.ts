/**
 * What this kernel offers whoever asks: release, types, lockdown, the file system for pins. Read from files; nothing
 * is tried here (bpf.ts does that).
 */
import { type Check, degraded, missing, ok } from './check.js';

/** The oldest release that the lab runs; older ones lack nothing that we know of down to `oldestPossible`. */
const oldestTested = [6, 1] as const;
/** 5.9 has XDP links, 5.8 the ring buffer and CAP_BPF. */
const oldestPossible = [5, 9] as const;
/** tcx came with 6.6 (kernel commit e420bed02507); before it a clsact filter does the same. */
const firstWithTcx = [6, 6] as const;

type Release = readonly [major: number, minor: number];

export function parseRelease(text: string): Release | undefined {
	const match = /^(\d+)\.(\d+)/.exec(text);
	return match ? [Number(match[1]), Number(match[2])] : undefined;
}

function isBefore(a: Release, b: Release): boolean {
	return a[0] !== b[0] ? a[0] < b[0] : a[1] < b[1];
}

export function releaseCheck(text: string): Check {
	const release = parseRelease(text);
	if (release === undefined) return degraded('kernel', `release ${text} has no version number in front`, '');
	if (isBefore(release, oldestPossible)) {
		return missing('kernel', 'no-bpf', `${text} is older than ${oldestPossible.join('.')}`, 'Boot a newer kernel.');
	}
	if (isBefore(release, oldestTested)) {
		return degraded('kernel', `${text} is older than any that we test`, `Prefer ${oldestTested.join('.')} or newer.`);
	}
	return ok('kernel', text);
}

/** What `attach: auto` would choose. Native XDP depends on the interface's driver and is not tried: it may bounce a link. */
export function attachCheck(text: string, wanted: string): Check {
	if (wanted === 'none')
		return degraded('attach', 'attach: none, so no refusal is seen on the wire', 'Choose attach: auto.');
	if (wanted === 'xdp')
		return ok('attach', "xdp, native: whether an interface's driver can is seen when it is attached");
	if (wanted === 'xdp-generic') return ok('attach', 'xdp-generic: works on every interface, for some cost per packet');
	const release = parseRelease(text);
	const tcx = release !== undefined && !isBefore(release, firstWithTcx);
	return ok('attach', tcx ? 'tc by tcx link' : 'tc by clsact filter (tcx came with Linux 6.6)');
}

/** `exists` answers for the network namespace that doctor runs in, which is the one that `run` would watch. */
export function interfacesCheck(names: readonly string[], exists: (name: string) => boolean): Check {
	const absent = names.filter((name) => !exists(name));
	if (absent.length > 0) {
		return degraded(
			'interfaces',
			`${absent.join(', ')}: no such interface here`,
			'Correct interfaces in the configuration.',
		);
	}
	return ok('interfaces', names.length > 0 ? names.join(', ') : 'found from the routes to the real servers');
}

export function typesCheck(hasTypes: boolean): Check {
	if (hasTypes) return ok('kernel types', '/sys/kernel/btf/vmlinux');
	return missing(
		'kernel types',
		'no-bpf',
		'/sys/kernel/btf/vmlinux is not there',
		'Boot a kernel that was built with CONFIG_DEBUG_INFO_BTF.',
	);
}

/** `text` is /sys/kernel/security/lockdown, e.g. `none [integrity] confidentiality` (kernel_lockdown(7)). */
export function lockdownCheck(text: string | undefined): Check {
	const level = text === undefined ? 'none' : (/\[(\w+)\]/.exec(text)?.[1] ?? 'none');
	if (level !== 'confidentiality') return ok('lockdown', level === 'none' ? 'off' : `${level}: BPF may observe`);
	return missing(
		'lockdown',
		'no-bpf',
		'confidentiality: BPF may not read kernel memory',
		'Boot with lockdown=integrity or without lockdown.',
	);
}

/** `mounts` is /proc/self/mounts. `directory` must lie in a BPF file system, or the audit hook ends with the process. */
export function pinCheck(mounts: string, directory: string): Check {
	const points = mounts
		.split('\n')
		.map((line) => line.split(' '))
		.filter(([, , type]) => type === 'bpf');
	if (points.some(([, point]) => point !== undefined && isWithin(directory, point))) return ok('pins', directory);
	return degraded(
		'pins',
		`${directory} is in no BPF file system, so the audit cannot run: who writes a weight is not seen`,
		'mount -t bpf bpf /sys/fs/bpf',
	);
}

/** True where `path` is `folder` or lies in it. */
export function isWithin(path: string, folder: string): boolean {
	return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}
