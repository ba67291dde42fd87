/**
 * The checkers of innocence: who is fit stays in, whatever forgers, single clients and firewalls say.
 */
import type { Policy } from '../../src/judge/policy.js';
import { destinationId } from '../../src/table/identity.js';
import type { Destination, ServiceAddress } from '../../src/table/model.js';
import { eventLateMs } from './actors.js';
import { type Bench, type Checker, takingOut } from './inspection.js';

/** How old the newest answer of a failed server's probe can be when it is taken out: the longest interval, and the asking. */
export function staleMs({ recoverIntervalMs, probeTimeoutMs, silentProbes, confirmIntervalMs }: Policy): number {
	return 10 * recoverIntervalMs + silentProbes * (probeTimeoutMs + confirmIntervalMs) + 1_000;
}

/** For how long the server has been fit, as far as a judge can have known: not since before it was disturbed. */
function fitForMs({ scene, supervisor }: Bench, { address, port }: Destination): number {
	const { world, scheduler, plan, wokeMs } = scene;
	const server = world.server(address, port);
	if (!server) return 0;
	// A machine that slept while the way was still dark has slept through the grace, too, which the boot clock counts.
	const waySinceMs = world.waySinceMs(address);
	const sleptThrough = wokeMs < waySinceMs && wokeMs > waySinceMs - plan.policy.wayGraceMs;
	const darkUntilMs = sleptThrough ? waySinceMs : Number.NEGATIVE_INFINITY;
	return scheduler.nowMs - Math.max(server.fitSinceMs, supervisor.undisturbedSinceMs, darkUntilMs);
}

/** Calls `look` for every destination that is taken out, by a weight as it is written or by a word to the monitor. */
function onTakingOut(
	bench: Bench,
	look: (service: ServiceAddress, destination: Destination) => void,
): Pick<Checker, 'wrote' | 'decided'> {
	return {
		wrote: ({ takesOut, service, after }) => {
			if (takesOut && after) look(service, after);
		},
		decided: (action, state) => {
			const taking = action.kind === 'bind' && !bench.scene.plan.dryRun && takingOut(action, state);
			if (taking) look(taking.service, taking.destination);
		},
	};
}

export function falseEjection(bench: Bench): Checker {
	const name = 'false-ejection';
	const { scene, samples, fail } = bench;
	return {
		name,
		sentence: 'A server that whoever asks it is accepted by is never taken out.',
		...onTakingOut(bench, (service, destination) => {
			samples.ejections += 1;
			const fitMs = fitForMs(bench, destination);
			if (fitMs <= staleMs(scene.plan.policy)) return;
			samples.falseEjections += 1;
			fail(name, `${destinationId(service, destination)} had been fit for ${Math.round(fitMs)} ms`);
		}),
	};
}

export function forged(bench: Bench): Checker {
	const name = 'forged';
	const { scene, fail } = bench;
	const windowMs = scene.plan.policy.windowMs + eventLateMs;
	const heard = new Map<string, { atMs: number; prefix: number | undefined; isTrue: boolean }[]>();
	return {
		name,
		sentence: 'Forgers and single clients never cause an ejection.',
		testified: ({ destination, prefix, isTrue }) => {
			const { nowMs } = scene.scheduler;
			const recent = (heard.get(destination) ?? []).filter(({ atMs }) => nowMs - atMs < windowMs);
			heard.set(destination, [...recent.slice(-63), { atMs: nowMs, prefix, isTrue }]);
		},
		...onTakingOut(bench, (service, destination) => {
			const id = destinationId(service, destination);
			const { nowMs } = scene.scheduler;
			const said = (heard.get(id) ?? []).filter(({ atMs }) => nowMs - atMs < windowMs);
			const prefixes = new Set(said.flatMap(({ prefix, isTrue }) => (isTrue && prefix !== undefined ? [prefix] : [])));
			if (said.length === 0 || prefixes.size > 1 || fitForMs(bench, destination) <= staleMs(scene.plan.policy)) return;
			fail(
				name,
				`${id} was taken out on the word of ${said.length} witnesses, of whom ${prefixes.size} told the truth`,
			);
		}),
	};
}
