/**
 * A bond towards the servers loses its active slave, and then both: each change told once, though hooks, rtnetlink and
 * a look every second all know of it. No server is blamed.
 */
import { changeLimitMs, changesOf, expectNobodyBlamed, linkChanges, overBond, setCable } from '../links.js';
import { setWatchedStage } from '../refusals.js';
import type { Daemon, Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

/** Several polls of ours, in which rtnetlink's word would be heard a second time. */
const echoMs = 3_000;

const scenario: Scenario = {
	name: 'bond-failover',
	sentence: 'a bond that fails over is told once, and no server is blamed',
	topology: overBond(natIpv4({ servers: 2 })),
	ci: ['7'],
	limitMs: 240_000,
	async run(lab: Lab) {
		const { director } = lab.topology;
		const { daemon, traffic } = await setWatchedStage(lab, { linkIntervalMs: 1_000 });
		await setCable(lab, director, 's0', 'down');
		await failsOver(lab, daemon);
		const served = traffic.totals().ok;
		await lab.until('clients are served through the other slave', 20_000, () => traffic.totals().ok > served + 20);

		await setCable(lab, director, 's1', 'down');
		await lab.until('the bond has lost its last slave', changeLimitMs, () =>
			changesOf(daemon, 'bond0', 'activeSlave').includes('s1 none'),
		);
		await lab.sleep(echoMs);
		await setCable(lab, director, 's1', 'up');
		await lab.until('the bond has its carrier again', changeLimitMs, () =>
			changesOf(daemon, 'bond0', 'carrier').includes('down up'),
		);
		await lab.sleep(echoMs);
		expectEachOnce(lab, daemon);
		await expectNobodyBlamed(lab, daemon);
		await traffic.stop();
		lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
	},
};

async function failsOver(lab: Lab, daemon: Daemon): Promise<void> {
	await lab.until('the bond sends through the other slave', changeLimitMs, () =>
		changesOf(daemon, 'bond0', 'activeSlave').includes('s0 s1'),
	);
	await lab.sleep(echoMs);
	const told = linkChanges(daemon);
	lab.note(told.map(({ interfaceName, what, to, by }) => `${interfaceName} ${what} ${to} (${by})`).join(', '));
	// Alone, each is heard of by its hook; of several at once rtnetlink's word may be read first.
	lab.expect(told[0]?.by === 'hook' && told[0].what === 'carrier', 'a hook told of the carrier', told);
	lab.expect(changesOf(daemon, 's0', 'carrier').join() === 'up down', 'one carrier is lost, once', told);
	lab.expect(changesOf(daemon, 's0', 'slave').join() === 'up down', 'the bond gave the slave up, once', told);
	lab.expect(changesOf(daemon, 'bond0', 'activeSlave').length === 1, 'one failover', told);
	lab.expect(changesOf(daemon, 'bond0', 'carrier').length === 0, 'the bond kept its carrier', told);
}

function expectEachOnce(lab: Lab, daemon: Daemon): void {
	const told = linkChanges(daemon);
	const active = changesOf(daemon, 'bond0', 'activeSlave');
	lab.expect(active.join() === 's0 s1,s1 none,none s1', 'every failover is told once', told);
	lab.expect(changesOf(daemon, 'bond0', 'carrier').join() === 'up down,down up', 'so is the carrier', told);
	lab.expect(changesOf(daemon, 's1', 'carrier').join() === 'up down,down up', 'and the slave’s', told);
}

export default scenario;
