/**
 * systemd, and whatever befalls a process: starts ipvigil, starts it again after a death, stops it in order, lets it
 * stand still, fills its disk, and runs the give-back helper after a stop.
 */
import type { HoldScope } from '../../src/judge/hold.js';
import { Life } from './agent.js';
import type { Helper } from './helper.js';
import type { Mishap } from './plan.js';
import type { Scene } from './scene.js';

/** RestartSec, and what Node takes to start. */
const restartMs = 1_000;
/** As `shell/daemon.ts` waits for weights to be given back, and how often it looks. */
const stopWaitMs = 5_000;
const stopLookMs = 10;

export class Supervisor {
	life: Life | undefined;
	/** Since when nobody has disturbed the life that runs. */
	undisturbedSinceMs = Number.POSITIVE_INFINITY;
	readonly #scene: Scene;
	readonly #helper: Helper;
	#nextPid = 4_711;
	/** An end that somebody wanted is followed by the start that they wanted, not by systemd's. */
	#downUntilMs = 0;

	constructor(scene: Scene, helper: Helper) {
		this.#scene = scene;
		this.#helper = helper;
	}

	begin(): void {
		const { scheduler, plan } = this.#scene;
		this.#start();
		for (const mishap of plan.mishaps) scheduler.at(mishap.atMs, () => this.#befall(mishap));
	}

	/** The life of which something may be asked: alive, started, and awake. */
	get judging(): Life | undefined {
		const { life } = this;
		const { nowMs } = this.#scene.scheduler;
		return life?.alive && life.readySinceMs <= nowMs && life.stalledUntilMs <= nowMs ? life : undefined;
	}

	/** The life that ran is over, whoever ended it: the next one comes when it may. */
	ended(): void {
		const { scheduler, mutation } = this.#scene;
		this.disturb();
		if (mutation.withoutRestart) return;
		scheduler.at(Math.max(scheduler.nowMs + restartMs, this.#downUntilMs), () => this.#start());
	}

	disturb(): void {
		this.undisturbedSinceMs = this.#scene.scheduler.nowMs;
	}

	#start(): void {
		const { scheduler, ownPids, story, observer } = this.#scene;
		if (this.life?.alive || scheduler.nowMs < this.#downUntilMs) return;
		const pid = this.#nextPid++;
		ownPids.add(pid);
		story(`ipvigil ${pid} starts`);
		const life = new Life(this.#scene, pid);
		this.life = life;
		this.disturb();
		scheduler.touch();
		void life.begin().then(
			() => this.disturb(),
			() => {
				story(`ipvigil ${pid} cannot read the table and ends`);
				life.kill();
				observer.ended();
			},
		);
	}

	#befall(mishap: Mishap): void {
		const { scheduler, world, story } = this.#scene;
		const { life } = this;
		switch (mishap.kind) {
			case 'crash':
				this.#downUntilMs = Math.max(this.#downUntilMs, mishap.atMs + mishap.downMs);
				return mishap.atEffect > 0 ? life?.killAtEffect(mishap.atEffect) : this.#kill();
			case 'stop':
			case 'hand-over':
				this.#downUntilMs = Math.max(this.#downUntilMs, mishap.atMs + stopWaitMs + mishap.downMs);
				return this.#stop(mishap.kind === 'stop');
			case 'stall':
				story(`ipvigil stands still for ${Math.round(mishap.forMs)} ms`);
				if (life) life.stalledUntilMs = Math.max(life.stalledUntilMs, scheduler.nowMs + mishap.forMs);
				scheduler.after(mishap.forMs, () => this.disturb());
				return;
			case 'clock-jump':
				story(`the machine has slept for ${Math.round(mishap.byMs)} ms`);
				this.#scene.sleptMs += mishap.byMs;
				this.#scene.wokeMs = scheduler.nowMs;
				return this.disturb();
			case 'disk-full':
				story(`the disk of the ledger is full for ${Math.round(mishap.forMs)} ms`);
				this.#scene.diskFullUntilMs = scheduler.nowMs + mishap.forMs;
				scheduler.after(mishap.forMs, () => this.disturb());
				return;
			case 'release':
				return life?.own(0, () => this.#release(life, mishap));
			case 'hold':
				scheduler.after(mishap.resumedAfterMs, () => this.#resume(mishap.scope));
				return life?.own(0, () => this.#hold(life, mishap.scope, mishap.forMs));
			case 'own-link': {
				story(`the director loses its link to ${mishap.addresses.join(', ')}`);
				world.breakWay(mishap.addresses);
				this.#tellWays();
				scheduler.after(mishap.forMs, () => {
					story('the link is back');
					world.mendWay(mishap.addresses, mishap.darkMs);
					this.#tellWays();
				});
				return;
			}
			default:
				mishap satisfies never;
		}
	}

	/** Who is only starting has no control socket yet. */
	#release(life: Life, mishap: Mishap): void {
		if (life.readySinceMs > this.#scene.scheduler.nowMs) return;
		this.#scene.story('the operator asks for every lease to be released');
		this.#scene.observer.asked(mishap);
		life.take({ kind: 'release', destination: 'all', reason: 'the operator asked' });
	}

	/** Who dies of it may or may not remember it: that it is held is said last. */
	#hold(life: Life, scope: HoldScope, forMs: number): void {
		const { scheduler, holds, bootMs, story } = this.#scene;
		if (life.readySinceMs > scheduler.nowMs) return;
		story(`the operator holds ${scope} for ${Math.round(forMs)} ms`);
		const untilMs = bootMs() + forMs;
		holds.set(scope, { untilMs, isTaken: false });
		const end = Number.isFinite(untilMs) ? untilMs : undefined;
		life.take({ kind: 'hold', destination: scope, untilMs: end, reason: 'maintenance', remembered: false });
		holds.set(scope, { untilMs, isTaken: true });
	}

	#resume(scope: HoldScope): void {
		const { life } = this;
		life?.own(0, () => {
			const { scheduler, holds, story } = this.#scene;
			if (life.readySinceMs > scheduler.nowMs) return;
			story(`the operator resumes ${scope}`);
			const ended = scope === 'all' ? [...holds.keys()] : [scope];
			for (const one of ended) holds.set(one, { untilMs: Number.POSITIVE_INFINITY, ...holds.get(one), isTaken: false });
			life.take({ kind: 'unhold', destination: scope });
			for (const one of ended) holds.delete(one);
		});
	}

	/** As it is now: who stands still hears of each change in its order, later. */
	#tellWays(): void {
		const { life } = this;
		const hosts = [...this.#scene.world.impaired.keys()];
		life?.own(1, () => life.ways(hosts));
	}

	#kill(): void {
		const { life } = this;
		if (!life?.alive) return;
		this.#scene.story(`ipvigil ${life.pid} is killed`);
		life.kill();
		this.#scene.observer.ended();
	}

	#stop(givingBack: boolean): void {
		const { life } = this;
		if (!life?.alive) return;
		this.#scene.story(`ipvigil ${life.pid} ${givingBack ? 'stops' : 'hands over'}`);
		this.disturb();
		if (!givingBack || life.readySinceMs > this.#scene.scheduler.nowMs) return this.#close(life, false);
		const endMs = this.#scene.scheduler.nowMs + stopWaitMs;
		life.own(0, () => {
			life.take({ kind: 'stop' });
			this.#awaitSettled(life, endMs);
		});
	}

	#awaitSettled(life: Life, endMs: number): void {
		if (life.isSettled() || this.#scene.scheduler.nowMs >= endMs) return this.#close(life, true);
		life.own(stopLookMs, () => this.#awaitSettled(life, endMs));
	}

	#close(life: Life, givingBack: boolean): void {
		life.close();
		this.#scene.observer.ended();
		if (givingBack) this.#helper.run(true);
	}
}
