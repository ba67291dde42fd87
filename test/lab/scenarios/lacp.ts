/**
 * The switch falls silent in LACP while every carrier stays: the bond has lost its partner, and the switch takes nothing
 * from it any more. That is no server's fault, once it is known.
 */
import { changesOf, joinPorts, lacp, linkChanges, overBond, setLacp } from '../links.js';
import { setWatchedStage } from '../refusals.js';
import type { Daemon, Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

/** A partner is given up 6 s after its last LACPDU (3 s expired, 3 s more until defaulted), then polls for our link. */
const silenceMs = 12_000;

/** Two emulated bonds took some 19 s to agree again after they had both given each other up. */
const agreeLimitMs = 90_000;

const scenario: Scenario = {
	name: 'lacp-partner-lost',
	sentence: 'a bond whose LACP partner falls silent is told, and from then on no server is blamed',
	topology: overBond(natIpv4({ servers: 3 }), lacp),
	ci: ['7'],
	limitMs: 300_000,
	async run(lab: Lab) {
		await joinPorts(lab);
		// Before the silence is known for what it is, servers may be found failed: it only observes.
		const { daemon, traffic } = await setWatchedStage(lab, { mode: 'observe', linkIntervalMs: 1_000 });
		await setLacp(lab, false);
		lab.note('the switch sends no LACPDU any more');
		await awaitPartner(lab, daemon, 'heard silent');
		const told = await daemon.journaled('the fault as our own', 5_000, ({ scenario }) => scenario === 'way-impaired');
		lab.note(told.sentence, told.bootMs);
		await lab.sleep(silenceMs);
		await setLacp(lab, true);
		await awaitPartner(lab, daemon, 'silent heard');
		const served = traffic.totals().ok;
		await lab.until('clients are served', 60_000, () => traffic.totals().ok > served + 20);
		const blamed = (await daemon.journal()).filter(
			({ scenario, bootMs }) => scenario === 'failed' && bootMs > told.bootMs,
		);
		lab.expect(blamed.length === 0, 'no server is found failed for it', blamed);
		const changes = changesOf(daemon, 'bond0', 'partner');
		lab.expect(changes.join() === 'heard silent,silent heard', 'each change is told once', linkChanges(daemon));
		await traffic.stop();
		lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
	},
};

async function awaitPartner(lab: Lab, daemon: Daemon, change: string): Promise<void> {
	await lab.until(`bond0's partner: ${change}`, agreeLimitMs, () =>
		changesOf(daemon, 'bond0', 'partner').includes(change),
	);
	const told = linkChanges(daemon);
	lab.note(told.map(({ interfaceName, what, to, by }) => `${interfaceName} ${what} ${to} (${by})`).join(', '));
}

export default scenario;
