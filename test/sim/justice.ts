/**
 * The checkers of innocence: who is fit stays in, whatever forgers, single clients and firewalls say.
 */
import type { Policy } from '../../src/judge/policy.js';
import { destinationId } from '../../src/table/identity.js';
import type { Destination, ServiceAddress } from '../../src/table/model.js';
import { eventLateMs } from './actors.js';
import { type Bench, type Checker, takingOut } from './inspection.js';
import type { Answer } from './scene.js';
import { isDead } from './world.js';

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

/** What a server has met ipvigil's own questions with: in a row since it accepted one, and whether it has spoken. */
interface Denials {
	lastMs: number;
	silent: number;
	hasSpoken: boolean;
}

/** Keeps, by the truth, which servers decline when they are asked. */
class Asked {
	readonly #denials = new Map<string, Map<string | undefined, Denials>>();
	readonly #bench: Bench;

	constructor(bench: Bench) {
		this.#bench = bench;
	}

	note({ server, vip, outcome }: Answer): void {
		const ways = this.#denials.get(server) ?? new Map<string | undefined, Denials>();
		this.#denials.set(server, ways);
		if (outcome === 'accepted') return void ways.delete(vip);
		const { silent = 0 } = ways.get(vip) ?? {};
		const hasSpoken = outcome === 'refused' || outcome === 'reset';
		ways.set(vip, { lastMs: this.#bench.scene.scheduler.nowMs, silent: silent + 1, hasSpoken });
	}

	/** Whether it has declined a short while ago: by a word, or by silence as often as the policy wants. */
	declines({ address, port }: Destination): boolean {
		const { scheduler, plan } = this.#bench.scene;
		const ways = [...(this.#denials.get(`${address}:${port}`)?.values() ?? [])];
		return ways.some(
			({ lastMs, silent, hasSpoken }) =>
				scheduler.nowMs - lastMs <= staleMs(plan.policy) && (hasSpoken || silent >= plan.policy.silentProbes),
		);
	}
}

export function forged(bench: Bench): Checker {
	const name = 'forged';
	const { scene, supervisor, fail } = bench;
	const { policy } = scene.plan;
	const asked = new Asked(bench);
	// Who failed by evidence alone may go until nothing has spoken against it for a whole window more.
	const windowMs = 2 * policy.windowMs + eventLateMs;
	const heard = new Map<string, { atMs: number; prefix: number | undefined; isTrue: boolean }[]>();
	const recent = (server: string) =>
		(heard.get(server) ?? []).filter(({ atMs }) => scene.scheduler.nowMs - atMs < windowMs).slice(-255);
	return {
		name,
		sentence:
			'Nobody is taken out who has not declined a probe itself, nor failed several true clients: forgers never do it alone.',
		testified: ({ destination, prefix, isTrue }) => {
			// What clients of one service see of a server speaks of it in all of them.
			const server = destination.split(' > ')[1] ?? '';
			heard.set(server, [...recent(server), { atMs: scene.scheduler.nowMs, prefix, isTrue }]);
		},
		answered: (answer) => asked.note(answer),
		// When it is decided: while it is being written the server may be found well again.
		decided: (action, state) => {
			const taking = takingOut(action, state);
			if (!taking) return;
			const { service, destination } = taking;
			const isDisturbed = scene.scheduler.nowMs - supervisor.undisturbedSinceMs <= staleMs(policy);
			if (isDisturbed || asked.declines(destination)) return;
			const said = recent(`${destination.address}:${destination.port}`);
			const prefixes = new Set(said.flatMap(({ prefix, isTrue }) => (isTrue && prefix !== undefined ? [prefix] : [])));
			const server = scene.world.server(destination.address, destination.port);
			// A dead one that its neighbours miss needs no more than that; their word is late, and counts for a moment.
			const lateMs = eventLateMs + 2 * policy.confirmIntervalMs;
			const wasDead = server && (isDead(server) || scene.scheduler.nowMs - server.fitSinceMs <= lateMs);
			if (prefixes.size >= (wasDead ? 1 : policy.clientPrefixesMin)) return;
			fail(
				name,
				`${destinationId(service, destination)} was taken out, has declined no probe, and of ${said.length} words ${prefixes.size} networks' were true`,
			);
		},
	};
}
