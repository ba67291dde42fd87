/**
 * Why a vantage point cannot be had, as a value: every hook is optional, so a kernel that lacks one is a thing to
 * tell (`doctor` prints reason and remedy), not an error that stops the rest. It turns what bpf(2), libbpf and the
 * file system said into the operator's words; it tries nothing itself.
 */
import { existsSync } from 'node:fs';

export interface Unavailable {
	available: false;
	/** What the system said, for the log: an errno name such as EPERM, or one of our own words. */
	code: string;
	reason: string;
	/** What the operator can do about it. */
	remedy: string;
}

/** One hook of a vantage point that goes on without it, and why it is not attached where it is not. */
export interface HookState {
	/** The program's name in its BPF source. */
	hook: string;
	attached: boolean;
	/** Empty where it is attached. */
	reason: string;
}

export function unavailable(code: string, reason: string, remedy: string): Unavailable {
	return { available: false, code, reason, remedy };
}

/** The fields that the addon's errors carry beyond a message; all optional, because anything may be thrown. */
interface SystemError {
	code?: string;
	syscall?: string;
	/** What libbpf and the verifier wrote during a failed load. */
	log?: string;
	message?: string;
}

const capabilities = 'run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON (the audit hook also CAP_SYS_ADMIN)';

/** What to say for an errno, where the call that failed makes no difference. */
const byCode: Record<string, readonly [reason: string, remedy: string]> = {
	ADDON_MISSING: ['the native addon has not been built', 'npm run build:native'],
	LAYOUT_MISMATCH: ['program and object were built from different events.h', 'npm run build'],
	NO_BPFFS: ['it is not on a BPF file system', 'mount -t bpf -o mode=700 bpf /sys/fs/bpf'],
	EPERM: ['the kernel does not permit it', `${capabilities}; see /sys/kernel/security/lockdown`],
	EACCES: ['the kernel does not permit it', capabilities],
	ENODEV: ['there is no such interface', 'name an interface that exists in this network namespace'],
	EBUSY: ['another program is already attached there', 'detach it, or choose attach: tc'],
	EEXIST: ['another program is already attached there', 'detach it, or choose attach: tc'],
	EOPNOTSUPP: ['the driver cannot do native XDP', 'choose attach: tc or attach: xdp-generic'],
	ENOTSUPP: ['the kernel does not support this program', 'choose attach: tc, or see doctor'],
};

/** The last line of libbpf's log that says anything: where the verifier gave up. */
function lastWords(log: string | undefined): string {
	const lines = (log ?? '').split('\n').filter((line) => line.trim() !== '');
	return lines.at(-1)?.trim() ?? '';
}

/** libbpf found no function of that name in any BTF: the module is absent, or present without BTF, or has no such function. */
function missingHook(log: string): Unavailable | undefined {
	const hook = /failed to find kernel BTF type ID of '(\w+)'/.exec(log)?.[1];
	if (hook === undefined) return undefined;
	const module = hook.startsWith('bond_') ? 'bonding' : 'ip_vs';
	if (!existsSync(`/sys/module/${module}`)) return missingModule(module);
	if (!existsSync(`/sys/kernel/btf/${module}`)) {
		const remedy = 'use a kernel with CONFIG_DEBUG_INFO_BTF_MODULES (5.11 or later)';
		return unavailable('NO_MODULE_BTF', `the kernel has no type information for ${module}`, remedy);
	}
	return unavailable(
		'NO_HOOK',
		`this kernel's ${module} has no function ${hook} to attach to`,
		'report the kernel version',
	);
}

export function missingModule(module: 'ip_vs' | 'bonding'): Unavailable {
	const remedy = `modprobe ${module}; ipvigil then tries again`;
	return unavailable(`NO_${module.toUpperCase()}`, `the ${module} module is not loaded`, remedy);
}

/** Whatever was thrown while something was opened, loaded or attached, in words; `what` names it, as in "wire on eth1". */
export function explain(what: string, thrown: unknown): Unavailable {
	const error = (thrown ?? {}) as SystemError;
	const missing = missingHook(error.log ?? '');
	if (missing) return missing;
	const code = error.code ?? 'UNKNOWN';
	const said = error.message ?? String(thrown);
	const [reason, remedy] = byCode[code] ?? [
		said,
		lastWords(error.log) || 'see the message; ipvigil doctor checks the rest',
	];
	return unavailable(code, `${what}: ${reason}${reason === said ? '' : ` (${said})`}`, remedy);
}
