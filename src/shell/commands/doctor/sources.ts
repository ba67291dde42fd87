/**
 * Who would tell what, if `run` started now: of each kind of signal its one source, which hooks of it this kernel lacks,
 * and how those inside ip_vs let go. Values in, lines out; bpf.ts has tried what they say.
 */
import type { HookState, Unavailable } from '../../../capture/availability.js';
import { type Check, degraded, ok } from './check.js';

/** What came of opening a vantage point: its hooks, each attached or not, or why there is none. */
export type Tried = { available: true; hooks: readonly HookState[] } | Unavailable;

/** Each hook that is missing, with the reason; the rest goes on. */
function lessIn(check: string, what: string, hooks: readonly HookState[]): Check {
	const absent = hooks.filter(({ attached }) => !attached).map(({ hook, reason }) => `${hook} (${reason})`);
	const count = `${hooks.length - absent.length} of ${hooks.length} hooks`;
	if (absent.length === 0) return ok(check, `${what}: ${count}`);
	return degraded(check, `${what}: ${count}, without ${absent.join(', ')}`, 'Report the kernel version.');
}

export function auditCheck(tried: Tried): Check {
	if (tried.available)
		return lessIn('audit', 'who writes a service or a destination is told from inside ip_vs', tried.hooks);
	return degraded('audit', `${tried.reason}: who writes a weight is not seen`, tried.remedy);
}

/** `tried` undefined: the configuration leaves the hooks alone. */
export function attemptsCheck(tried: Tried | undefined): Check {
	const instead = 'connection attempts are told by the wire, and only in NAT';
	if (tried === undefined) return degraded('attempts', `attempts: wire, so ${instead}`, 'Choose attempts: auto.');
	if (!tried.available) return degraded('attempts', `${tried.reason}: ${instead}`, tried.remedy);
	return lessIn('attempts', 'connection attempts are told from inside ip_vs, however they are forwarded', tried.hooks);
}

export function linksCheck(tried: Tried): Check {
	const instead = 'links and neighbours are told by rtnetlink';
	if (!tried.available) return degraded('links', `${tried.reason}: ${instead}, a little later`, tried.remedy);
	const absent = tried.hooks.filter(({ attached }) => !attached);
	if (absent.length === 0) return ok('links', 'links, bonds and neighbours are told by hooks, the rest by rtnetlink');
	const names = absent.map(({ hook, reason }) => `${hook} (${reason})`).join(', ');
	return degraded('links', `${instead} where hooks are missing: ${names}`, 'Report the kernel version.');
}

/** `released`: the operator has asked for it, and has not taken it back. */
export function unloadingCheck(released: boolean): Check {
	if (released) return degraded('unloading', 'the hooks have let go of ip_vs, as asked', 'ipvigil hooks attach');
	return ok('unloading', 'attached hooks hold the module; before rmmod ip_vs: ipvigil hooks release');
}
