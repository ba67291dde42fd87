/**
 * What a failure means to the one who called us: the exit codes, in one table that `--help` prints, and the way from
 * any thrown error to a code, one sentence and what to do next. It prints nothing and ends nothing itself.
 */

export type ExitKind =
	| 'ok'
	| 'failure'
	| 'usage'
	| 'privileges'
	| 'no-bpf'
	| 'no-ipvs'
	| 'not-built'
	| 'not-found'
	| 'busy'
	| 'not-running';

interface ExitMeaning {
	code: number;
	/** For the table in `--help`. */
	meaning: string;
	/** What to do where the error itself does not say it. */
	remedy: string;
}

/** The codes are an interface for scripts: one may be added, none may change its meaning. */
export const exits: Record<ExitKind, ExitMeaning> = {
	ok: { code: 0, meaning: 'success', remedy: '' },
	failure: { code: 1, meaning: 'failure: the message says what failed', remedy: '' },
	usage: { code: 2, meaning: 'wrong arguments or configuration', remedy: 'See ipvigil --help.' },
	privileges: {
		code: 3,
		meaning: 'privileges are missing: root, or CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON and CAP_SYS_ADMIN',
		remedy: 'Run as root.',
	},
	'no-bpf': {
		code: 4,
		meaning: 'this kernel does not load the BPF programs',
		remedy: 'See ipvigil doctor for what is missing.',
	},
	'no-ipvs': { code: 5, meaning: 'this kernel has no IPVS', remedy: 'modprobe ip_vs' },
	'not-built': {
		code: 6,
		meaning: 'a part of ipvigil was not built',
		remedy: 'npm run build',
	},
	'not-found': { code: 7, meaning: 'a named service or destination is not in the table', remedy: 'See ipvigil table.' },
	busy: {
		code: 8,
		meaning: 'something is in use by another program (an address, an interface, the runtime directory)',
		remedy: 'Stop the other one, or configure another.',
	},
	'not-running': {
		code: 9,
		meaning: 'no ipvigil runs here that could do what was asked',
		remedy: 'Start ipvigil run, or name its configuration with --config.',
	},
};

/** A failure that we understand: its sentence is for the operator, and so is its remedy. */
export class OperatorError extends Error {
	readonly kind: ExitKind;
	readonly remedy: string;

	constructor(kind: Exclude<ExitKind, 'ok'>, sentence: string, remedy: string = exits[kind].remedy) {
		super(sentence);
		this.name = 'OperatorError';
		this.kind = kind;
		this.remedy = remedy;
	}
}

export interface Exit {
	kind: ExitKind;
	code: number;
	sentence: string;
	/** Empty where the sentence says it already. */
	remedy: string;
}

/** The codes that the layers below put on their errors. */
const kindOfCode: Record<string, ExitKind> = {
	IPVS_MISSING: 'no-ipvs',
	IPVS_DENIED: 'privileges',
	ADDON_MISSING: 'not-built',
	LAYOUT_MISMATCH: 'not-built',
	NOT_A_RECORDING: 'usage',
	OTHER_VERSION: 'usage',
	EPERM: 'privileges',
	EACCES: 'privileges',
	EADDRINUSE: 'busy',
	EADDRNOTAVAIL: 'usage',
};

function textOf(error: object, key: 'code' | 'syscall' | 'remedy'): string {
	const value: unknown = Reflect.get(error, key);
	return typeof value === 'string' ? value : '';
}

/** `bpf_object__load` fails with EPERM both for want of privileges and where the kernel refuses a program kind to root. */
function kindOf(error: Error, isRoot: boolean): ExitKind {
	if (error instanceof OperatorError) return error.kind;
	const code = textOf(error, 'code');
	if (textOf(error, 'syscall').startsWith('bpf')) {
		if (code === 'ENOENT') return 'not-built';
		if (code === 'EBUSY') return 'busy';
		return isRoot || !(code === 'EPERM' || code === 'EACCES') ? 'no-bpf' : 'privileges';
	}
	return kindOfCode[code] ?? 'failure';
}

/**
 * What a command says and ends with where the vantage point without which it would see nothing is not to be had: `run`
 * without the wire, `trace` without any.
 */
export function cannotWatch(
	{ code, reason, remedy }: { code: string; reason: string; remedy: string },
	vantage = 'wire',
	isRoot: boolean = process.geteuid?.() === 0,
): OperatorError {
	const denied = code === 'EPERM' || code === 'EACCES';
	const unbuilt = code === 'ENOENT' || kindOfCode[code] === 'not-built';
	const kind = unbuilt ? 'not-built' : denied && !isRoot ? 'privileges' : 'no-bpf';
	const why = reason.replace(new RegExp(`^${vantage}: `), '');
	return new OperatorError(kind, `The vantage point ${vantage} cannot be opened: ${why}.`, remedy);
}

/** From whatever was thrown to how the process ends. */
export function toExit(error: unknown, isRoot: boolean = process.geteuid?.() === 0): Exit {
	if (!(error instanceof Error)) return { kind: 'failure', code: 1, sentence: String(error), remedy: '' };
	const kind = kindOf(error, isRoot);
	const remedy = textOf(error, 'remedy') || exits[kind].remedy;
	return { kind, code: exits[kind].code, sentence: error.message, remedy };
}

/** The one or two lines that go to standard error: many errors of the lower layers say the remedy themselves. */
export function describeExit({ sentence, remedy }: Exit): string {
	const said = sentence.toLowerCase().includes(remedy.toLowerCase().replace(/\.$/, ''));
	return `ipvigil: ${sentence}${said ? '' : `\n${remedy}`}\n`;
}

/** The table at the end of `--help`. */
export function exitTable(): string {
	const rows = Object.values(exits).map(({ code, meaning }) => `  ${code}  ${meaning}`);
	return `Exit codes:\n${rows.join('\n')}`;
}
