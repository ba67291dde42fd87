/**
 * Refusals by the thousand in the name of every server, with spoofed clients and the servers' own MAC addresses, while
 * one server truly dies: it alone is taken out, and while the flood still goes on. Once as it runs by default, where the
 * hooks inside IPVS know whom a refusal answers, and once where the wire alone is believed and suspects everybody.
 */
import { readFile } from 'node:fs/promises';
import { testimony } from '../evidence.js';
import { awaitLine, expectUntold } from '../lines.js';
import { expectWeights, setWatchedStage, type WatchedStage } from '../refusals.js';
import type { Background, DaemonConfig, Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

/**
 * Of each server's: three times what the kernel hands on of one endpoint. More costs ipvigil no more (test/bench measures
 * 200,000 a second), but its forging takes the guest's only CPU, and with it the time to ask anybody.
 */
const liesPerS = 150;
/** Twice what a dead server takes at the worst when the host, too, has other things to do. */
const floodS = 15;
/** The flood runs at full rate by then. */
const leadMs = 2_000;

type Flood = Pick<Scenario, 'name' | 'sentence' | 'ci'> & { config: DaemonConfig };

const floods: Flood[] = [
	{
		name: 'rst-flood',
		sentence: 'a flood of forged refusals takes no living server out, and does not hide the one that dies meanwhile',
		ci: ['7'],
		config: {},
	},
	{
		name: 'rst-flood-wire',
		sentence:
			'without hooks inside IPVS a flood of forged refusals makes every server suspect, and only the dead one fail',
		ci: ['6.1'],
		config: { attempts: 'wire' },
	},
];

async function endure(lab: Lab, config: DaemonConfig): Promise<void> {
	const stage = await setWatchedStage(lab, config);
	const before = { atMs: lab.nowMs(), cpuMs: await cpuMs(stage.daemon) };
	const flood = floodAll(lab);
	await lab.sleep(leadMs);
	const outMs = await dieMeanwhile(lab, stage);
	const overMs = await flood;
	lab.expect(outMs < overMs, 'it was taken out while the flood went on', { outMs, overMs });
	const share = ((await cpuMs(stage.daemon)) - before.cpuMs) / (lab.nowMs() - before.atMs);
	lab.note('the flood is over');
	lab.fact("ipvigil's share of the CPU meanwhile, %", Math.round(share * 100));
	await stage.victim.start();
	await awaitLine(lab, stage.daemon, 'given-back', stage.victim);
	await stage.traffic.stop();
	for (const other of lab.servers.filter((server) => server !== stage.victim))
		await expectUntold(lab, stage.daemon, ['failed', 'quiesced', 'overflow'], other);
	await expectWeights(lab, [100, 100, 100]);
	const told = await testimony(lab);
	const lines = (await stage.daemon.journal()).filter(({ scenario }) => scenario === 'suspect');
	lab.fact('refusals counted', told.sum('refused'));
	lab.fact('suspicions', lines.length);
	lab.expect((await stage.daemon.stop()) === 0, 'ipvigil stops in order', stage.daemon.lines.slice(-5));
}

/** From each server's own host, so that not even the MAC address gives the lie away. When it was over. */
async function floodAll(lab: Lab): Promise<number> {
	lab.note(`${liesPerS} forged refusals a second begin in the name of each server, for ${floodS} s`);
	await Promise.all(
		lab.servers.map((server) =>
			lab.forge({
				kind: 'rst',
				from: { node: server.name, interface: 'back0' },
				server,
				count: liesPerS * floodS,
				ratePerS: liesPerS,
			}),
		),
	);
	return lab.nowMs();
}

/** When its weight was 0. */
async function dieMeanwhile(lab: Lab, { victim, daemon }: WatchedStage): Promise<number> {
	const killedMs = lab.nowMs();
	await victim.kill();
	lab.note(`the process on ${victim.name} is killed`, killedMs);
	await awaitLine(lab, daemon, 'failed', victim, killedMs);
	const quiesced = await awaitLine(lab, daemon, 'quiesced', victim, killedMs);
	lab.fact('from the kill to weight 0, ms', Math.round(quiesced.bootMs - killedMs));
	await expectWeights(lab, [0, 100, 100]);
	return quiesced.bootMs;
}

/** What the process has used so far: proc(5), the 14th and 15th field of stat, in ticks of 10 ms. */
async function cpuMs({ pid }: Background): Promise<number> {
	const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	return (Number(fields[11]) + Number(fields[12])) * 10;
}

const scenarios: Scenario[] = floods.map(({ config, ...rest }) => ({
	...rest,
	topology: natIpv4({ servers: 3 }),
	limitMs: 180_000,
	run: (lab: Lab) => endure(lab, config),
}));

export default scenarios;
