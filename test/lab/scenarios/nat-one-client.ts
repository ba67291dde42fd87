/** One client is rejected by a server's firewall: that is testimony against the server, and the probe clears it. */
import { concerns, setWatchedStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';
import { lastWriters } from '../writers.js';

const topology = natIpv4({ servers: 3 });
const [rejected = ''] = topology.clients.addresses;

/** Each refusal raises suspicion anew, and the probe, at most one a second, must clear it again and again. */
const acquittalsWanted = 3;

const scenario: Scenario = {
	name: 'nat-one-client',
	sentence: 'a server that rejects one client only is suspected, asked, acquitted, and keeps its weight',
	ci: ['6.1'],
	topology,
	async run(lab: Lab) {
		const { victim, traffic, daemon } = await setWatchedStage(lab, {});
		await victim.firewall(rejecting(rejected));
		lab.note(`the firewall of ${victim.name} rejects ${rejected} with tcp reset`);
		const told = async (word: string) => (await daemon.journal()).filter(concerns(word, victim));
		await lab.until(
			`${victim.destination} is acquitted ${acquittalsWanted} times`,
			30_000,
			async () => (await told('acquitted')).length >= acquittalsWanted,
		);
		for (const line of [...(await told('suspect')), ...(await told('acquitted'))].sort((a, b) => a.bootMs - b.bootMs))
			lab.note(line.sentence, line.bootMs);
		const totals = await traffic.stop();

		lab.expect((await told('suspect')).length >= acquittalsWanted, 'each acquittal was of a suspicion');
		for (const word of ['failed', 'quiesced', 'overflow'])
			lab.expect((await told(word)).length === 0, `"${word}" is not in the journal`, await told(word));
		const writers = await lastWriters(lab);
		lab.expect(writers === '', 'nobody has written a weight', writers);
		const weights = [...(await lab.director.weights())];
		lab.expect(weights.length === 3 && weights.every(([, weight]) => weight === 100), 'every weight stands', weights);
		const others = traffic.failures.filter(({ from }) => from !== rejected);
		lab.expect(others.length === 0, 'every other client is served', others);
		lab.expect(totals.refused >= acquittalsWanted, 'the one client was refused', totals);
		lab.fact('connections tried', totals.started);
		lab.fact('clients refused, all of them the one', totals.refused);
		lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
	},
};

function rejecting(source: string): string {
	const rule = `ip saddr ${source} meta l4proto tcp reject with tcp reset`;
	return `table inet lab { chain input { type filter hook input priority 0; ${rule}; }; }`;
}

export default scenario;
