/**
 * The checkers that wait: a dead server with traffic goes, a healed one comes back, each within a bound that counts from
 * the moment when nothing stands against it any more. What stands against it is looked up in the truth wherever it can
 * be; a reason that this file does not know is believed when ipvigil tells it.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalEntry } from '../../src/judge/action.js';
import type { Policy } from '../../src/judge/policy.js';
import type { State } from '../../src/judge/state.js';
import { leaseName } from '../../src/remedy/lease-file.js';
import { type DestinationId, destinationId, type ServiceId, serviceId } from '../../src/table/identity.js';
import type { Destination, Service } from '../../src/table/model.js';
import { trackDirectory } from './agent.js';
import { type Bench, type Checker, type SeenWrite, takingOut } from './inspection.js';
import { choosesWeightZero } from './ipvs.js';
import { isDead } from './world.js';

/** Suspicion, two silent probes, some failing replies at a second each, an audit that is heard late. */
const ejectBoundMs = 20_000;

/** The longest interval between two probes of a failed server, and as generous as above. */
function restoreBoundMs({ recoverIntervalMs, probeTimeoutMs, slowStartMs }: Policy): number {
	return 10 * recoverIntervalMs + 2 * probeTimeoutMs + slowStartMs + 20_000;
}

/** What is told of a destination in the course of things, or is held against the truth here. */
const ordinary = new Set([
	'suspect',
	'cannot-confirm',
	'acquitted',
	'suspicion-over',
	'failed',
	'quiesced',
	'reduced',
	'step-up',
	'brown-out',
	'frozen',
	'thawed',
	'brown-out-over',
	'quiesce-dry-run',
	'monitor-asked',
	'monitor-asked-dry-run',
	'observed-only',
	'overflow',
	'write-failed',
	'recovering',
	'with-monitor',
	'renewed',
	'way-impaired',
	'way-restored',
	'resumed',
	'held',
	'held-back',
	'hold-over',
]);
/** After these ipvigil may keep its hands off for the hold-down. */
const holding = new Set([
	'given-back',
	'give-back-dry-run',
	'returned-to-monitor',
	'yielded',
	'gone',
	'cap-reached',
	'resume-dropped',
]);

/** For how long a reason that is not known here is believed of a service or of everything: nobody says when it is over. */
const believedMs = 60_000;

/** When ipvigil last said that it will not act, of each destination, of a service, or of everything (''). */
class Obstacles {
	readonly #told = new Map<string, { atMs: number; untilMs: number }>();
	readonly #bench: Bench;

	constructor(bench: Bench) {
		this.#bench = bench;
	}

	note({ scenario, destination, service, facts }: JournalEntry): void {
		const { scheduler, plan } = this.#bench.scene;
		if (scenario === 'frozen')
			this.#told.set(service ?? '', { atMs: scheduler.nowMs, untilMs: Number.POSITIVE_INFINITY });
		if (scenario === 'thawed') this.#told.delete(service ?? '');
		if (scenario === 'overflow' && facts.reason === 'flapping')
			this.#told.set(destination ?? '', { atMs: scheduler.nowMs, untilMs: scheduler.nowMs + plan.policy.flapPeriodMs });
		if (ordinary.has(scenario)) return;
		const lastsMs = holding.has(scenario) ? plan.policy.holdDownMs : believedMs;
		this.#told.set(destination ?? service ?? '', { atMs: scheduler.nowMs, untilMs: scheduler.nowMs + lastsMs });
		if (!holding.has(scenario)) this.#bench.scene.story(`${scenario} is a reason that the checkers only believe`);
	}

	untilMs(id: DestinationId, service: ServiceId): number {
		return Math.max(...[id, service, ''].map((key) => this.#told.get(key)?.untilMs ?? Number.NEGATIVE_INFINITY));
	}
}

export function ejected(bench: Bench): Checker {
	const name = 'ejected';
	const { scene, supervisor, samples, fail } = bench;
	const { plan, table, world, scheduler } = scene;
	const obstacles = new Obstacles(bench);
	/** The last time that something stood against it, and the first true word that was heard since. */
	const heldMs = new Map<string, number>();
	const heardMs = new Map<string, number>();
	/** The first client that was sent there since it is dead and in. */
	const metMs = new Map<string, number>();
	const takenMs: number[] = [];

	const serverOf = (id: string) => world.servers.get(id.split(' > ')[1] ?? '');

	const stands = (service: Service, destination: Destination, id: string): boolean => {
		const life = supervisor.judging;
		if (!life || destination.weight === 0 || isWithMonitor(bench, service, destination)) return true;
		if (plan.remedy === 'reduce' && isReduced(life.state, destination, id)) return true;
		const server = world.server(destination.address, destination.port);
		if (!server || !isDead(server) || scheduler.nowMs < server.deadSinceMs + freshMs) return true;
		if (scheduler.nowMs < scene.diskFullUntilMs || isHeld(scene, id)) return true;
		const last = table.last.get(id);
		const spokenMs = last && last.pid !== life.pid ? last.atMs + plan.policy.holdDownMs : Number.NEGATIVE_INFINITY;
		const untilMs = Math.max(
			spokenMs,
			world.waySinceMs(destination.address) + plan.policy.wayGraceMs,
			// Whoever has not answered since the start may be behind a way that came back just before it.
			life.readySinceMs + plan.policy.wayGraceMs,
			obstacles.untilMs(id, serviceId(service.address)),
		);
		return (
			scheduler.nowMs < untilMs ||
			!isCalibrated(life.state, id) ||
			isFloored(bench, life.state, service, destination, takenMs)
		);
	};

	return {
		name,
		sentence: `A dead server with traffic is taken out, or its monitor told, within ${ejectBoundMs / 1_000} s, unless a documented reason holds.`,
		journaled: (entry) => obstacles.note(entry),
		decided: (action, state) => {
			if (takingOut(action, state)) takenMs.push(scheduler.nowMs);
		},
		testified: ({ destination, isTrue }) => {
			if (isTrue && !heardMs.has(destination)) heardMs.set(destination, scheduler.nowMs);
		},
		wrote: (write) => {
			const met = metMs.get(write.id);
			metMs.delete(write.id);
			const server = world.server(write.after?.address ?? '', write.after?.port ?? 0);
			if (!write.takesOut || !server || met === undefined || met < server.deadSinceMs) return;
			samples.ejectMs.push(scheduler.nowMs - heldAfter(heldMs.get(write.id), met));
		},
		met: (id) => {
			const server = serverOf(id);
			if (server && !((metMs.get(id) ?? Number.NEGATIVE_INFINITY) >= server.deadSinceMs))
				metMs.set(id, scheduler.nowMs);
		},
		looked: () => {
			const isActing = plan.mode === 'assist' || (plan.mode === 'notify' && plan.binding);
			if (!isActing || plan.dryRun) return;
			for (const service of table.services) {
				if (choosesWeightZero(service) && !plan.binding) continue;
				for (const destination of service.destinations) {
					const id = destinationId(service.address, destination);
					if (stands(service, destination, id)) {
						heldMs.set(id, scheduler.nowMs);
						heardMs.delete(id);
					} else if (scheduler.nowMs - (heardMs.get(id) ?? scheduler.nowMs) > ejectBoundMs)
						fail(
							name,
							`${id} has been dead and in for ${Math.round(scheduler.nowMs - (heardMs.get(id) ?? 0))} ms, and nothing stood against it`,
						);
				}
			}
		},
	};
}

function isHeld({ holds, bootMs }: Bench['scene'], id: DestinationId): boolean {
	return [holds.get(id), holds.get('all')].some((one) => one !== undefined && bootMs() < one.untilMs);
}

/** Under a lease with less than its weight; or with so little that there was no less, and a monitor was asked. */
function isReduced(state: State, { weight }: Destination, id: DestinationId): boolean {
	const { lease } = state.destinations.get(id) ?? {};
	if (lease?.written === undefined) return weight === 1 || lease?.destination.weight === 1;
	return weight === 1 || (lease.written === weight && weight < lease.destination.weight);
}

/** The word to the monitor stands; the monitor acts on it in its own time. */
function isWithMonitor({ scene }: Bench, { address: service }: Service, destination: Destination): boolean {
	return scene.plan.binding && existsSync(join(trackDirectory(scene), leaseName({ service, destination })));
}

/** Within this after its last acceptance a repeated SYN is no sign of death yet. */
const freshMs = 1_500;

/** What held it up counts only where it did so after clients met the death, by more than the freshness above. */
function heldAfter(heldMs: number | undefined, metMs: number): number {
	return heldMs !== undefined && heldMs > metMs + freshMs + 1_000 ? heldMs : metMs;
}

function isCalibrated(state: State, id: string): boolean {
	const listener = state.listeners.get(state.destinations.get(id)?.listener ?? '');
	return listener?.calibrated === true;
}

/** By the truth: another one that serves, the share, and the number within a minute. */
function isFloored(
	{ scene }: Bench,
	state: State,
	service: Service,
	destination: Destination,
	takenMs: number[],
): boolean {
	const { world, plan, scheduler } = scene;
	const { takenShareMax, ejectionsPerMinuteMax } = plan.policy;
	const others = service.destinations.filter((one) => one !== destination);
	const serves = others.some(({ address, port, weight }) => {
		const server = world.server(address, port);
		return (
			weight > 0 &&
			server !== undefined &&
			server.fitSinceMs <= scheduler.nowMs &&
			world.waySinceMs(address) <= scheduler.nowMs
		);
	});
	let taken = destination.weight;
	// Also what the monitor has taken out of the table.
	for (const { lease, id, serviceId: its } of state.destinations.values()) {
		if (!lease || its !== serviceId(service.address) || id === destinationId(service.address, destination)) continue;
		taken += lease.destination.weight - (lease.written ?? 0);
	}
	let standing = 0;
	for (const one of others) {
		const lease = state.destinations.get(destinationId(service.address, one))?.lease;
		standing += lease ? (lease.written ?? 0) : one.weight;
	}
	const lately = takenMs.filter((atMs) => scheduler.nowMs - atMs < 65_000).length;
	return !serves || taken / (taken + standing) > takenShareMax || lately >= ejectionsPerMinuteMax;
}

export function restored(bench: Bench): Checker {
	const name = 'restored';
	const { scene, supervisor, samples, fail } = bench;
	const { plan, table, world, scheduler } = scene;
	const boundMs = restoreBoundMs(plan.policy);
	const out = new Map<string, SeenWrite>();

	const sinceMs = ({ after, atMs }: SeenWrite) => {
		const server = world.server(after?.address ?? '', after?.port ?? 0);
		if (!server) return Number.POSITIVE_INFINITY;
		return Math.max(server.fitSinceMs, world.waySinceMs(server.address), supervisor.undisturbedSinceMs, atMs);
	};

	return {
		name,
		sentence: 'A healed server has its weight again within a bound.',
		wrote: (write) => {
			const taken = out.get(write.id);
			if (write.takesOut) out.set(write.id, taken ? { ...write, before: taken.before } : write);
			else if (write.by !== 'ipvigil' || (write.after?.weight ?? 0) >= (write.entry?.lease.destination.weight ?? 0)) {
				out.delete(write.id);
				const healedMs = taken ? sinceMs(taken) : Number.POSITIVE_INFINITY;
				if (write.by === 'ipvigil' && healedMs < scheduler.nowMs) samples.restoreMs.push(scheduler.nowMs - healedMs);
			}
		},
		looked: () => {
			const { judging } = supervisor;
			if (!judging) return;
			for (const [id, write] of out) {
				const waitedMs = scheduler.nowMs - sinceMs(write);
				// Whom no probe can be asked about comes back at the end of its lease.
				const leaseMs = isCalibrated(judging.state, id) ? 0 : plan.policy.leaseCapMs * (1 + plan.policy.leaseJitter);
				if (waitedMs > boundMs + leaseMs && table.last.get(id)?.comm === 'ipvigil')
					fail(name, `${id} has been fit for ${Math.round(waitedMs)} ms and is still out`);
			}
		},
	};
}
