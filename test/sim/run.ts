/**
 * One seed from the plan to the outcome: makes the world, lets it run, has every step looked at, and clears away. The same
 * seed gives the same outcome, line by line.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalEntry } from '../../src/judge/action.js';
import { Random } from '../support/random.js';
import { Actors } from './actors.js';
import { checkersOf } from './checkers.js';
import { Helper } from './helper.js';
import { type Checker, Inspection, type Samples, type Violation } from './inspection.js';
import { Ipvs, type Write } from './ipvs.js';
import { type Plan, planOf } from './plan.js';
import type { Mutation, Observer, Scene } from './scene.js';
import { Scheduler } from './scheduler.js';
import { Supervisor } from './supervisor.js';
import { World } from './world.js';
import { Admin, Monitor } from './writers.js';

export interface Outcome {
	seed: number;
	violations: Violation[];
	/** Everything that was checked: names and sentences. */
	checkers: Pick<Checker, 'name' | 'sentence'>[];
	/** With the boot clock's time. */
	journal: { bootMs: number; entry: JournalEntry }[];
	/** Everything that happened, for people; empty unless asked for. */
	story: string[];
	samples: Samples;
	steps: number;
}

export interface RunOptions {
	/** A directory to use and empty; on tmpfs, for what it is worth. */
	directory: string;
	mutation?: Mutation;
	told?: boolean;
	/** What a test wants otherwise than the seed says. */
	adapt?: (plan: Plan) => Plan;
}

/** Each has its own chance, so that what one of them draws does not change what another meets. */
function chances(seed: number): () => Random {
	let part = 0;
	return () => new Random(Math.imul(seed + 1, 0x85ebca6b) ^ Math.imul(++part, 0xc2b2ae35));
}

export async function run(
	seed: number,
	{ directory, mutation = {}, told = false, adapt }: RunOptions,
): Promise<Outcome> {
	const planned = planOf(seed);
	const own = join(directory, `seed-${seed}`);
	rmSync(own, { recursive: true, force: true });
	mkdirSync(own, { recursive: true });
	const story: string[] = [];
	const stage = stageOf(adapt?.(planned) ?? planned, mutation, own, told ? story : undefined);
	try {
		await stage.play();
	} finally {
		rmSync(own, { recursive: true, force: true });
	}
	const { violations, checkers, journal, samples, steps } = stage.inspection;
	return { seed, violations, checkers, journal, story, samples, steps };
}

/** Everybody in place, and nothing has happened yet. */
function stageOf(plan: Plan, mutation: Mutation, directory: string, story: string[] | undefined) {
	const chance = chances(plan.seed);
	const scheduler = new Scheduler();
	const world = new World(plan, scheduler, chance());
	const auditChance = chance();
	const wrote = (write: Write) => {
		inspection.wrote(write);
		audit(scene, supervisor, auditChance, write);
	};
	const scene: Scene = {
		plan,
		mutation,
		scheduler,
		world,
		table: new Ipvs(plan.services, () => scheduler.nowMs, wrote),
		random: chance(),
		get observer(): Observer {
			return inspection;
		},
		directory,
		bootMs: () => bootAtStartMs + scheduler.nowMs + scene.sleptMs,
		ring: [],
		calibrated: new Set(),
		holds: new Map(),
		diskFullUntilMs: 0,
		sleptMs: 0,
		wokeMs: 0,
		ownPids: new Set(),
		story: (line) => story?.push(`${(scheduler.nowMs / 1_000).toFixed(3).padStart(8)}  ${line}`),
	};
	const helper = new Helper(scene);
	const supervisor = new Supervisor(scene, helper);
	const inspection = new Inspection(scene, supervisor, checkersOf);
	const others = [
		helper,
		new Actors(scene, supervisor, chance()),
		new Monitor(scene, chance()),
		new Admin(scene, chance()),
	];
	const play = async () => {
		world.begin(scene.story);
		supervisor.begin();
		for (const one of others) one.begin();
		await scheduler.run(plan.endMs, () => inspection.look());
		supervisor.life?.kill();
	};
	return { inspection, play };
}

/** A machine that has been up for a while: a time before its start would be none. */
const bootAtStartMs = 1_000_000;

/** The hook puts a record into the ring, if there is room; whoever reads the ring is woken. */
function audit({ plan, ring, observer }: Scene, supervisor: Supervisor, chance: Random, write: Write): void {
	if (!plan.audit) return;
	if (chance.chance(plan.auditLost)) return observer.unheard(write.id);
	ring.push(write);
	const { life } = supervisor;
	life?.own(chance.chance(0.05) ? chance.between(0, 500) : chance.between(0.01, 0.2), () => life.drain());
}
