/**
 * One life of ipvigil: the shipped judge, loop, executors, weights, ledger, table feed and witness, wired as
 * `shell/daemon.ts` wires them, on a model of everything outside. It can be killed between two acts, or in the midst of
 * one at any effect; what it had begun then never goes on, and nothing is tidied up.
 */
import { join } from 'node:path';
import { pino } from 'pino';
import type { KernelEvent } from '../../src/decode/event.js';
import type { Action } from '../../src/judge/action.js';
import type { ProbeOutcome } from '../../src/judge/input.js';
import type { EarlierWrite, Lease } from '../../src/judge/lease.js';
import { type Actions, defaultActions, type Policy } from '../../src/judge/policy.js';
import { createState, type State } from '../../src/judge/state.js';
import { isSettled } from '../../src/judge/step.js';
import { termsForAll } from '../../src/judge/terms.js';
import { Weights } from '../../src/remedy/weights.js';
import { createExecutors } from '../../src/shell/executor.js';
import { type After, Loop, type Message } from '../../src/shell/loop.js';
import { TableFeed } from '../../src/shell/table-feed.js';
import { Witness } from '../../src/shell/witness.js';
import { destinationId } from '../../src/table/identity.js';
import type { Endpoint, Snapshot } from '../../src/table/model.js';
import type { Write } from './ipvs.js';
import type { Plan } from './plan.js';
import type { LifeParts, LoopExecutors, Scene } from './scene.js';
import { TableSeat } from './seat.js';
import {
	GatheredCalibration,
	Killed,
	ToldJournal,
	WatchedHoldFile,
	WatchedKeepalived,
	WatchedLedger,
} from './stand-ins.js';

/** Nobody reads it here; the journal is what is compared. */
const silentLog = pino({ level: 'silent' });

export class Life {
	readonly pid: number;
	alive = true;
	/** Since when it judges, in the scheduler's time: it has seen the table and its ledger. */
	readySinceMs = Number.POSITIVE_INFINITY;
	stalledUntilMs = 0;
	readonly #scene: Scene;
	readonly #ledger: WatchedLedger;
	readonly #seat: TableSeat;
	readonly #witness: Witness;
	readonly #monitor: WatchedKeepalived | undefined;
	readonly #calibration: GatheredCalibration;
	readonly #holds: WatchedHoldFile;
	readonly #executors: LoopExecutors;
	readonly #loop: Loop;
	readonly #feed: TableFeed;
	readonly #parts: LifeParts;
	#effectsLeft = Number.POSITIVE_INFINITY;
	#resumed = false;

	constructor(scene: Scene, pid: number) {
		const { plan, bootMs } = scene;
		this.#scene = scene;
		this.pid = pid;
		const policy = scene.mutation.policy?.(plan.policy) ?? plan.policy;
		const state = newState(plan, policy, pid);
		this.#witness = new Witness(() => policy.windowMs, pid);
		this.#witness.attempts = plan.attempts;
		this.#monitor = plan.binding ? new WatchedKeepalived(trackDirectory(scene), this.effect) : undefined;
		this.#ledger = new WatchedLedger(scene, this.effect, ({ service, destination }) =>
			plan.dryRun ? undefined : this.#monitor?.file(service, destination),
		);
		this.#calibration = new GatheredCalibration(scene, this.own);
		this.#holds = new WatchedHoldFile(scene, this.effect);
		this.#seat = new TableSeat({
			...scene,
			own: this.own,
			nowMs: () => scene.scheduler.nowMs,
			effect: this.effect,
			pid,
		});
		this.#parts = {
			scene,
			state: () => state,
			ledger: this.#ledger,
			table: this.#seat,
			executors: () => this.#executors,
		};
		this.#executors = this.#watched(this.#createExecutors());
		this.#loop = new Loop(state, bootMs, this.#executors, this.#after);
		this.#feed = new TableFeed({
			read: () => this.#seat.snapshot(),
			intervalMs: plan.snapshotIntervalMs,
			nowMs: bootMs,
			onSnapshot: (snapshot, sinceMs) => this.run(() => this.#see(snapshot, sinceMs)),
			onFailure: () => {},
			after: this.#after,
		});
	}

	get state(): State {
		return this.#loop.state;
	}

	/** As `Daemon.#begin`. Rejects where the table cannot be read: then the process ends. */
	async begin(): Promise<void> {
		const sinceMs = this.#scene.bootMs();
		const snapshot = await this.#seat.snapshot();
		this.run(() => {
			this.ways();
			this.drain();
			this.take({ kind: 'table', snapshot, sinceMs });
			this.#resume();
			this.#feed.refresh();
			this.readySinceMs = this.#scene.scheduler.nowMs;
		});
	}

	/** Which hosts are behind a fault of the director's own. */
	ways(hosts = [...this.#scene.world.impaired.keys()]): void {
		this.take({ kind: 'ways', impaired: new Map(hosts.map((host) => [host, 'eth1 has no carrier'])) });
	}

	take(message: Message): void {
		if (!this.alive) return;
		const heard = this.#scene.mutation.message?.(message, this.#parts) ?? [message];
		for (const one of heard) this.#loop.take(one);
	}

	/** What the kernel saw of clients, ICMP and neighbours; `neighbour` is a host that answers no ARP. */
	hear(event: KernelEvent | { kind: 'neighbour-failed'; address: string }): void {
		const nowMs = this.#scene.bootMs();
		const message =
			event.kind === 'neighbour-failed'
				? this.#witness.neighbourFailed(event.address, nowMs)
				: this.#witness.hear(event, nowMs);
		if (message) this.take(message);
	}

	/** What waits in the audit's ring. */
	drain(): void {
		for (const write of this.#scene.ring.splice(0)) {
			if (!this.#resumed) continue;
			this.hear(writeEvent(write));
			if (write.pid !== this.pid) this.#feed.refresh();
		}
	}

	/** The process ends without a word. */
	kill(): void {
		this.alive = false;
		this.#loop.close();
		this.#feed.close();
	}

	/** It dies at the so many-th effect from now. */
	killAtEffect(effects: number): void {
		this.#effectsLeft = effects;
	}

	isSettled(): boolean {
		return isSettled(this.#loop.state);
	}

	/** What an orderly end does last. */
	close(): void {
		this.#calibration.flush();
		this.kill();
	}

	/** Runs an act of this process: it may be killed in it; whatever else is thrown is a mistake of ipvigil's, and its end. */
	run(act: () => void): void {
		this.#scene.scheduler.touch();
		try {
			act();
		} catch (error) {
			if (error instanceof Killed) return;
			this.#scene.observer.threw(error as Error);
			this.kill();
			this.#scene.observer.ended();
		}
	}

	/** Something is about to leave this process, or has just left it. */
	readonly effect = (): void => {
		if (!this.alive) throw new Killed();
		this.#effectsLeft -= 1;
		if (this.#effectsLeft > 0) return;
		this.#scene.story(`ipvigil ${this.pid} is killed in the midst of it`);
		this.kill();
		this.#scene.observer.ended();
		throw new Killed();
	};

	/** In this process's own time: later where it stands still, never where it has died. */
	readonly own = (delayMs: number, act: () => void): void => {
		this.#after(delayMs, act);
	};

	readonly #after: After = (delayMs, act) => {
		const { scheduler } = this.#scene;
		let cancelled = false;
		const fire = () => {
			if (!this.alive || cancelled) return;
			if (scheduler.nowMs < this.stalledUntilMs) scheduler.at(this.stalledUntilMs, fire);
			else this.run(act);
		};
		scheduler.after(delayMs, fire);
		return () => {
			cancelled = true;
		};
	};

	#createExecutors(): LoopExecutors {
		const { plan, mutation, bootMs, observer } = this.#scene;
		const table = mutation.table?.(this.#seat, this.#ledger) ?? this.#seat;
		const lastWriter = (lease: Lease, earlier?: EarlierWrite) => this.#lastWriter(lease, earlier);
		const probe = mutation.probe?.(this.#probe, this.#parts) ?? this.#probe;
		const executors = createExecutors({
			probes: { probe },
			weights: new Weights({ table, ledger: this.#ledger, dryRun: plan.dryRun, nowMs: bootMs, lastWriter }),
			ledger: this.#ledger,
			calibration: this.#calibration,
			holds: this.#holds,
			binding: this.#monitor ? [this.#monitor] : [],
			telling: [],
			journal: new ToldJournal((entry) => this.alive && observer.journaled(entry)),
			log: silentLog,
			dryRun: plan.dryRun,
			nowMs: bootMs,
			hearAudit: () => this.alive && this.run(() => this.drain()),
			feed: (message) => this.run(() => this.take(message)),
			noted: () => {},
		});
		return mutation.executors?.(executors, this.#parts) ?? executors;
	}

	/** Who dies while an action is carried out carries out none after it. */
	#watched(executors: LoopExecutors): LoopExecutors {
		const watched = Object.entries(executors).map(([kind, execute]) => [
			kind,
			(action: Action) => {
				if (!this.alive) return;
				this.#scene.observer.decided(action, this.state);
				(execute as (one: Action) => void)(action);
			},
		]);
		return Object.fromEntries(watched) as LoopExecutors;
	}

	readonly #probe: LoopProbe = ({ endpoint, vip }, _asking, timeoutMs) => {
		const { world, random } = this.#scene;
		const isOurFault = random.chance(0.01);
		const server = world.server(endpoint.address, endpoint.port);
		const { outcome, latencyMs } =
			isOurFault || !server
				? { outcome: 'error' as const, latencyMs: 0 }
				: world.probeMeets(server, vip !== undefined, timeoutMs);
		const isTheirs = outcome !== 'error' && world.waySinceMs(endpoint.address) <= this.#scene.scheduler.nowMs;
		return new Promise((resolve) => {
			this.own(latencyMs + random.between(0.05, 0.5), () => {
				if (isTheirs) this.#tellAnswer(endpoint, vip?.address, outcome);
				resolve({ outcome, latencyMs, detail: '' });
			});
		});
	};

	/** What refuses whatever the server does is no answer of its own. */
	#tellAnswer({ address, port }: Endpoint, vip: string | undefined, outcome: ProbeOutcome): void {
		if (this.#scene.plan.vipOnly && vip === undefined) return;
		this.#scene.observer.answered({ server: `${address}:${port}`, vip, outcome });
	}

	#resume(): void {
		for (const { destination, untilMs, reason } of this.#holds.recall())
			this.take({ kind: 'hold', destination, untilMs, reason, remembered: true });
		const { entries } = this.#ledger.list();
		const leases = entries.map(({ lease, earlier }) => ({
			lease,
			earlier,
			lastWriter: this.#lastWriter(lease, earlier),
		}));
		this.take({ kind: 'resume', leases, calibrated: this.#calibration.recall() });
		if (!this.#scene.plan.dryRun) this.#monitor?.sweep(this.#ledger.list().entries.map(({ lease }) => lease));
		this.#resumed = true;
	}

	#see(snapshot: Snapshot, sinceMs: number): void {
		this.take({ kind: 'table', snapshot, sinceMs });
		this.#witness.retain(this.state);
	}

	#lastWriter(lease: Lease, earlier?: EarlierWrite) {
		if (!this.#scene.plan.audit) return undefined;
		const last = this.#scene.table.last.get(destinationId(lease.service, lease.destination));
		return last && { pid: last.pid, comm: last.comm, own: [this.pid, lease.pid, earlier?.pid].includes(last.pid) };
	}
}

type LoopProbe = NonNullable<Parameters<NonNullable<Scene['mutation']['probe']>>[0]>;

/** As `Daemon.#newState`. */
function newState({ mode, dryRun, binding, asksVips, remedy }: Plan, policy: Policy, pid: number): State {
	const rules = Object.entries(defaultActions).map(([rule, action]) => [rule, action === 'quiesce' ? remedy : action]);
	const actions = Object.fromEntries(rules) as Actions;
	const terms = termsForAll({ mode, policy, actions, asking: { method: asksVips ? 'auto' : 'connect' } });
	return createState({ terms, pid, dryRun, binding, seed: pid });
}

export function trackDirectory({ directory }: Scene): string {
	return join(directory, 'keepalived');
}

function writeEvent({ service, operation, before, after, pid, comm, atMs }: Write): KernelEvent {
	const { address = '', port = 0 } = after ?? before ?? {};
	return {
		kind: 'write',
		atUs: atMs * 1_000,
		service,
		destination: { address, port },
		operation,
		oldWeight: before?.weight ?? -1,
		newWeight: after?.weight ?? -1,
		result: 0,
		via: 'netlink',
		pid,
		uid: 0,
		comm,
		parentComm: 'systemd',
	};
}
