/** Two ports behind one firewall mark: destinations without a port, whose endpoints are learned from who accepts. */
import { awaitAttempts, awaitSuspicion, expectAllScheduled, expectBlameless, testimony } from '../evidence.js';
import { observing, setWatchedStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { natFwmark } from '../topologies.js';

const topology = natFwmark();
const secondPort = { ...topology.vip, port: 8081 };

const scenario: Scenario = {
	name: 'fwmark',
	sentence: 'behind a firewall mark a server that refuses on two ports is one destination, and is suspected',
	ci: ['6.1'],
	topology,
	async run(lab: Lab) {
		const { victim, daemon, traffic } = await setWatchedStage(lab, observing(lab));
		// Not half of the other rate: three servers taken in turn would meet each port at the same one again and again.
		const second = lab.clients.start({ to: secondPort, ratePerS: 7 });
		await lab.until(
			'every server answers on the second port',
			30_000,
			() => Object.keys(second.totals().by).length === 3,
		);
		await victim.kill();
		lab.note(`${victim.name} is killed, and both its ports with it`);
		await lab.until(
			'clients are refused on both ports',
			30_000,
			() => traffic.totals().refused > 0 && second.totals().refused > 0,
		);
		await awaitAttempts(lab, victim, { refused: 10 });
		await awaitSuspicion(lab, daemon, victim, ['refusal']);
		const totals = [await traffic.stop(), await second.stop()];
		const told = await testimony(lab);
		for (const other of lab.servers.filter((server) => server !== victim)) expectBlameless(lab, told, other);
		expectAllScheduled(
			lab,
			told,
			totals.reduce((sum, { started }) => sum + started, 0),
		);
	},
};

export default scenario;
