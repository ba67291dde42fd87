/**
 * The lab's part of the benchmark, run in the guest: servers die one after the other at random moments while 50 clients
 * a second connect, once with ipvigil alone and once with keepalived alone. Each scenario tells its rounds as one fact;
 * figures/lab.ts reads them. No kernel is named, so that `npm run lab -- all` leaves them out.
 */
import { startPlainKeepalived } from '../lab/keepalived-plain.js';
import { setStage } from '../lab/refusals.js';
import type { Background, Daemon, Lab, RealServer, Scenario, Traffic } from '../lab/scenario.js';
import { natIpv4 } from '../lab/topologies.js';

const killsWhole = 20;
const killsQuick = 3;
const ratePerS = 50;

/** Kills come at any phase of a monitor's round of one second. */
const phaseMs = 1_000;
/** Refusals that were under way when the weight changed have reached their clients by then. */
const settleMs = 500;
const outLimitMs = 30_000;
const backLimitMs = 60_000;
/** keepalived's log is looked at so often: its stamps are late by so much at most. */
const lookEveryMs = 5;

export interface Round {
	/** Clients that got no answer, whatever they met instead. */
	refused: number;
	/** From the first client's refusal to the weight's change. */
	outMs: number;
	/** From the kill to the weight's change. */
	sinceKillMs: number;
}

/** What takes a dead server out and back: ipvigil, or a monitor. */
interface Keeper {
	/** When the weight was changed, on the boot clock. */
	tookOut(victim: RealServer, sinceMs: number): Promise<number>;
	stop(): Promise<unknown>;
}

const fact = 'rounds';

export function roundsOf(facts: Record<string, string | number | boolean>): Round[] {
	return JSON.parse(String(facts[fact] ?? '[]')) as Round[];
}

async function oneKill(lab: Lab, traffic: Traffic, keeper: Keeper, victim: RealServer): Promise<Round> {
	await lab.sleep(Math.random() * phaseMs);
	const before = traffic.failures.length;
	const killedMs = lab.nowMs();
	// Asked before the kill, so that nothing is said before somebody listens.
	const out = keeper.tookOut(victim, killedMs);
	await victim.kill();
	const outMs = await out;
	await lab.sleep(settleMs);
	const failures = traffic.failures.slice(before);
	await victim.start();
	await lab.until(
		`${victim.destination} is back`,
		backLimitMs,
		async () => (await lab.director.weight(victim.destination)) === 100,
	);
	const firstMs = failures[0]?.atMs ?? outMs;
	return { refused: failures.length, outMs: outMs - firstMs, sinceKillMs: outMs - killedMs };
}

async function measure(lab: Lab, kills: number, traffic: Traffic, keeper: Keeper): Promise<void> {
	const rounds: Round[] = [];
	for (let kill = 0; kill < kills; kill++) {
		const victim = lab.servers[kill % lab.servers.length];
		lab.expect(victim !== undefined, 'there are servers');
		const round = await oneKill(lab, traffic, keeper, victim);
		rounds.push(round);
		const { refused, outMs, sinceKillMs } = round;
		lab.note(
			`kill ${kill + 1}: ${refused} clients refused; out ${outMs.toFixed(1)} ms after the first of them, ` +
				`${sinceKillMs.toFixed(1)} ms after the kill`,
		);
	}
	await traffic.stop();
	await keeper.stop();
	lab.fact(fact, JSON.stringify(rounds));
}

function ipvigilAsKeeper(daemon: Daemon): Keeper {
	return {
		tookOut: async ({ destination }, sinceMs) => {
			const line = await daemon.journaled(
				`"quiesced" of ${destination}`,
				outLimitMs,
				(one) =>
					one.scenario === 'quiesced' && one.bootMs >= sinceMs && one.destination?.endsWith(` ${destination}`) === true,
			);
			return line.bootMs;
		},
		stop: () => daemon.stop(),
	};
}

/** What keepalived says as it changes the table: perform_svr_state() in check/ipwrapper.c. */
function takenOut({ destination }: RealServer): RegExp {
	const [address, port] = destination.split(':');
	return new RegExp(`(Removing|Disabling) service \\[?${address?.replaceAll('.', '\\.')}\\]?:(tcp:)?${port} `);
}

function keepalivedAsKeeper(lab: Lab, keepalived: Background): Keeper {
	return {
		tookOut: async (victim, sinceMs) => {
			const said = keepalived.lines.length;
			const wanted = takenOut(victim);
			while (lab.nowMs() < sinceMs + outLimitMs) {
				if (keepalived.lines.slice(said).some((line) => wanted.test(line))) return lab.nowMs();
				lab.expect(keepalived.ended === undefined, 'keepalived runs', keepalived.lines.slice(-10));
				await lab.sleep(lookEveryMs);
			}
			throw new Error(`keepalived did not take ${victim.destination} out: ${keepalived.lines.slice(-5).join(' | ')}`);
		},
		stop: () => keepalived.stop(),
	};
}

const topology = natIpv4({ servers: 4, scheduler: 'wrr', prefixes: 10 });
const limitMs = 600_000;

function withIpvigil(name: string, kills: number): Scenario {
	return {
		name,
		sentence: `${kills} servers die, one after the other: what clients notice with ipvigil`,
		kernels: [],
		topology,
		limitMs,
		async run(lab: Lab) {
			const { traffic, daemon } = await setStage(lab, {}, ratePerS);
			lab.expect(daemon !== undefined, 'ipvigil was asked for');
			await measure(lab, kills, traffic, ipvigilAsKeeper(daemon));
		},
	};
}

function withKeepalived(name: string, kills: number): Scenario {
	const nodes = topology.nodes.map(({ ipvs: _, ...node }) => node);
	return {
		name,
		sentence: `${kills} servers die, one after the other: what clients notice with keepalived, delay_loop 1`,
		kernels: [],
		topology: { ...topology, nodes },
		limitMs,
		async run(lab: Lab) {
			await Promise.all(lab.servers.map((server) => server.start()));
			const keepalived = await startPlainKeepalived(lab, { method: 'NAT', ...topology });
			const traffic = lab.clients.start({ ratePerS });
			await lab.until('every server has answered', 30_000, () => Object.keys(traffic.totals().by).length === 4);
			await measure(lab, kills, traffic, keepalivedAsKeeper(lab, keepalived));
		},
	};
}

export const names = {
	whole: { ipvigil: 'bench-ipvigil', keepalived: 'bench-keepalived' },
	quick: { ipvigil: 'bench-ipvigil-quick', keepalived: 'bench-keepalived-quick' },
};

export default [
	withIpvigil(names.whole.ipvigil, killsWhole),
	withKeepalived(names.whole.keepalived, killsWhole),
	withIpvigil(names.quick.ipvigil, killsQuick),
	withKeepalived(names.quick.keepalived, killsQuick),
];
