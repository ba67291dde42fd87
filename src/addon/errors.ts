/**
 * The errors of this layer. What the kernel refuses is an Error with `code`, `errno` (negative) and `syscall`, the
 * shape of Node's own system errors; C++ makes it. Here stand the two that need more, and the sentences that tell the
 * operator what to do.
 */

/** A refusal by the kernel or libbpf. `code` may be one that Node does not know, such as ENOTSUPP. */
export interface SystemError extends Error {
	code: string;
	/** Negative, as in Node's own errors. */
	errno: number;
	syscall: string;
}

/** A system error to which libbpf said more: why a file is no BPF object, or why a program was rejected. */
export interface LoggedError extends SystemError {
	log: string;
}

export function isSystemError(error: unknown): error is SystemError {
	return error instanceof Error && 'code' in error && 'errno' in error && 'syscall' in error;
}

/** An object that the kernel did not take. `log` is all that libbpf and the verifier said; the reason is near its end. */
export class BpfLoadError extends Error {
	override readonly name = 'BpfLoadError';
	readonly code: string;
	readonly errno: number;
	readonly syscall: string;
	readonly log: string;

	constructor(cause: LoggedError) {
		super(`${cause.message}${hint(cause.code)}`, { cause });
		this.code = cause.code;
		this.errno = cause.errno;
		this.syscall = cause.syscall;
		this.log = cause.log;
	}
}

/** The native addon is not there, or does not fit this Node. */
export class AddonMissingError extends Error {
	override readonly name = 'AddonMissingError';
	readonly code = 'ADDON_MISSING';

	constructor(path: string, cause: unknown) {
		const reason = cause instanceof Error ? cause.message : String(cause);
		super(`cannot load ${path}: run "npm run build:native" (it needs clang, g++ and libbpf-dev): ${reason}`, { cause });
	}
}

/** libbpf's own hint on EPERM ("try raising ulimit -l") is wrong since memory is charged to the cgroup (Linux 5.11). */
function hint(code: string): string {
	switch (code) {
		case 'EPERM':
		case 'EACCES':
			return '; it takes CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, or a kernel that allows this type of program';
		case 'EINVAL':
			return '; see the log: a program was rejected, or a pinned map has another layout';
		default:
			return '';
	}
}
