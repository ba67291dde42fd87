/**
 * kill -9 of ipvigil at random instants, under load, while servers die and return: after each one a new ipvigil, or the
 * give-back helper once the leases are over, and no server stays at weight 0 without a lease, or beyond its end. The
 * instants come from a seed that is told. crash-lease.ts has the instants that matter most, one by one; here are those
 * of which nobody has thought.
 */
import { lastLeaseEndMs, leaseFile, leaseFiles, runHelper } from '../leases.js';
import { setStage } from '../refusals.js';
import type { Daemon, DaemonConfig, Lab, RealServer, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

/** Leases that are soon over. The cap bounds what a lease that grew may cost here. */
const policy = { leaseMs: 2_000, leaseCapMs: 3_000, renewMarginMs: 500, takenShareMax: 0.7 };
const longestLeaseMs = policy.leaseCapMs * 1.1 + 1_000;
const config: DaemonConfig = { policy };

/** A start takes some 8 s under emulation; the kill comes before it is through, or while it works. */
const startingMs = 8_000;
/** From a server's death to weight 0 and back: a second or two. */
const workingMs = 2_500;
const settleLimitMs = 60_000;

const scenario = (name: string, kills: number, more: Pick<Scenario, 'ci' | 'kernels'>): Scenario => ({
	name,
	sentence: `ipvigil is killed at ${kills} random instants while servers die and return, and no server stays out for it`,
	...more,
	topology: natIpv4({ servers: 4 }),
	limitMs: 60_000 + kills * 30_000,
	async run(lab: Lab) {
		// A number of an earlier run in its place makes the same choices, if not what an emulator makes of them.
		const seed = Date.now() % 2 ** 31;
		lab.fact('seed', seed);
		const random = sequence(seed);
		const { traffic, daemon } = await setStage(lab, config);
		lab.expect(daemon !== undefined, 'ipvigil was asked for');
		let running: Daemon = daemon;
		const servers = new Servers(lab, random);
		for (let kill = 1; kill <= kills; kill++) running = await killOnce(lab, running, servers, random, kill);
		await servers.startAll();
		await expectAllBack(lab, running);
		await traffic.stop();
		lab.expect((await running.stop()) === 0, 'the last one stops in order', running.lines.slice(-5));
	},
});

/** Numbers in [0, 1), by mulberry32. */
function sequence(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** Two of them never die, so that the service goes on and no floor keeps the others in. */
class Servers {
	readonly #mortal: RealServer[];
	readonly #dead = new Set<RealServer>();

	constructor(
		lab: Lab,
		private readonly random: () => number,
	) {
		this.#mortal = lab.servers.slice(0, 2);
	}

	/** One of them dies, or returns if it is dead. */
	async turn(): Promise<string> {
		const server = this.#mortal[Math.floor(this.random() * this.#mortal.length)];
		if (!server) return 'nobody';
		if (this.#dead.delete(server)) {
			await server.start();
			return `${server.name} returns`;
		}
		this.#dead.add(server);
		await server.kill();
		return `${server.name} dies`;
	}

	async startAll(): Promise<void> {
		await Promise.all([...this.#dead].map((server) => server.start()));
		this.#dead.clear();
	}
}

/** Killed while it works or, a third of the time, while its successor starts; then a successor, or the helper before it. */
async function killOnce(
	lab: Lab,
	daemon: Daemon,
	servers: Servers,
	random: () => number,
	count: number,
): Promise<Daemon> {
	const [first, atMs] = [await servers.turn(), Math.round(random() * workingMs)];
	await lab.sleep(atMs);
	await die(lab, daemon, `kill ${count}: ${first}, and ${atMs} ms later ipvigil is killed`);
	if (random() < 1 / 3) {
		const young = await lab.daemon(config, { startOnly: true });
		const [second, ageMs] = [await servers.turn(), Math.round(random() * startingMs)];
		await lab.sleep(ageMs);
		await die(lab, young, `its successor, ${second}, is killed ${ageMs} ms after its start`);
	}
	if (random() < 0.5) await endByHelper(lab);
	return lab.daemon(config);
}

async function die(lab: Lab, daemon: Daemon, what: string): Promise<void> {
	await daemon.kill();
	lab.note(what);
	await expectLeased(lab);
}

/** Nobody writes now: whoever is out has a lease that will end. */
async function expectLeased(lab: Lab): Promise<void> {
	const [weights, files] = [await lab.director.weights(), await leaseFiles()];
	const bare = lab.servers.filter(
		(server) => weights.get(server.destination) !== 100 && !files.includes(leaseFile(lab, server)),
	);
	lab.expect(
		bare.length === 0,
		'who is out has a lease',
		bare.map(({ name }) => name),
	);
	const endMs = await lastLeaseEndMs();
	const leftMs = endMs === undefined ? 0 : endMs - lab.nowMs();
	lab.expect(leftMs <= longestLeaseMs, 'and it ends in time', { leftMs, longestLeaseMs });
	if (files.length > 0) lab.note(`${files.length} in the ledger: ${[...weights.values()].join(', ')}`);
}

/** Whether the servers are dead or not: at the leases' end every weight stands again. */
async function endByHelper(lab: Lab): Promise<void> {
	const endMs = await lastLeaseEndMs();
	if (endMs === undefined) return;
	await lab.sleep(endMs - lab.nowMs());
	await runHelper(lab);
	await expectWhole(lab, 'by the helper at the end of the leases');
	lab.note('the leases are over, and the helper has given every weight back');
}

async function expectAllBack(lab: Lab, daemon: Daemon): Promise<void> {
	await lab.until('every weight is back', settleLimitMs, async () =>
		[...(await lab.director.weights()).values()].every((weight) => weight === 100),
	);
	await lab.until('the ledger is empty', settleLimitMs, async () => (await leaseFiles()).length === 0);
	lab.expect(daemon.ended === undefined, 'the last one still runs', daemon.lines.slice(-5));
	await expectWhole(lab, 'at the end');
}

async function expectWhole(lab: Lab, when: string): Promise<void> {
	const [weights, files] = [[...(await lab.director.weights()).values()], await leaseFiles()];
	const whole = weights.length === lab.servers.length && weights.every((weight) => weight === 100);
	lab.expect(whole && files.length === 0, `every weight stands and the ledger is empty ${when}`, { weights, files });
}

export default [scenario('kill-nine', 5, { ci: ['7'] }), scenario('kill-nine-long', 30, { kernels: [] })];
