/**
 * One line of `ipvigil doctor`, and what all lines together come to. A check never throws: what it cannot find out is
 * its result.
 */
import { type ExitKind, exits } from '../../errors.js';

/** ok: as it should be. degraded: `run` works with less. missing: see `exit`. */
export type Status = 'ok' | 'degraded' | 'missing';

export interface Check {
	check: string;
	status: Status;
	reason: string;
	/** What to do about it; empty where there is nothing to do. */
	remedy: string;
	/** How `run` would end because of this; undefined where it would work all the same. */
	exit?: ExitKind;
}

export function ok(check: string, reason: string): Check {
	return { check, status: 'ok', reason, remedy: '' };
}

export function degraded(check: string, reason: string, remedy: string): Check {
	return { check, status: 'degraded', reason, remedy };
}

export function missing(check: string, exit: ExitKind, reason: string, remedy: string): Check {
	return { check, status: 'missing', reason, remedy, exit };
}

/** What `run` would stumble over first: without privileges nothing else can be known, without the addon not much. */
const order: ExitKind[] = ['privileges', 'not-built', 'no-bpf', 'no-ipvs', 'busy', 'usage', 'failure'];

/** The exit of the whole: `ok` where `ipvigil run` would work. */
export function exitOf(checks: readonly Check[]): ExitKind {
	return order.find((kind) => checks.some(({ exit }) => exit === kind)) ?? 'ok';
}

/** The sentence under the table. */
export function summary(checks: readonly Check[]): string {
	const kind = exitOf(checks);
	if (kind !== 'ok') return `ipvigil run would end with ${exits[kind].code}: ${exits[kind].meaning}.`;
	const less = checks.filter(({ status }) => status !== 'ok').length;
	return less === 0
		? 'ipvigil run would work.'
		: `ipvigil run would work, with less in ${less} of ${checks.length} points.`;
}
