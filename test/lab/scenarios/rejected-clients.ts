/**
 * Clients are rejected by a server's firewall, one of them or half of them: that is testimony against the server, and
 * the probe clears it.
 */
import { expectUntold, linesOf } from '../lines.js';
import { expectWeights, setWatchedStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';
import { lastWriters } from '../writers.js';

const topology = natIpv4({ servers: 3 });
const clients = topology.clients.addresses;

/** Each refusal raises suspicion anew, and the probe, at most one a second, must clear it again and again. */
const acquittalsWanted = 3;

type Rejection = Pick<Scenario, 'name' | 'sentence' | 'ci'> & { rejected: string[] };

const rejections: Rejection[] = [
	{
		name: 'nat-one-client',
		sentence: 'a server that rejects one client only is suspected, asked, acquitted, and keeps its weight',
		ci: ['6.1'],
		rejected: clients.slice(0, 1),
	},
	{
		name: 'firewalled-clients',
		sentence: 'a server that rejects half of its clients and serves the others is acquitted, and keeps its weight',
		ci: ['7'],
		rejected: clients.slice(0, clients.length / 2),
	},
];

async function reject(lab: Lab, rejected: string[]): Promise<void> {
	const { victim, traffic, daemon } = await setWatchedStage(lab, {});
	await victim.firewall(rejecting(rejected));
	lab.note(`the firewall of ${victim.name} rejects ${rejected.join(', ')} with tcp reset`);
	const told = (word: string) => linesOf(daemon, word, victim);
	await lab.until(
		`${victim.destination} is acquitted ${acquittalsWanted} times`,
		30_000,
		async () => (await told('acquitted')).length >= acquittalsWanted,
	);
	for (const line of [...(await told('suspect')), ...(await told('acquitted'))].sort((a, b) => a.bootMs - b.bootMs))
		lab.note(line.sentence, line.bootMs);
	const totals = await traffic.stop();

	lab.expect((await told('suspect')).length >= acquittalsWanted, 'each acquittal was of a suspicion');
	await expectUntold(lab, daemon, ['failed', 'quiesced', 'overflow'], victim);
	const writers = await lastWriters(lab);
	lab.expect(writers === '', 'nobody has written a weight', writers);
	await expectWeights(lab, [100, 100, 100]);
	const others = traffic.failures.filter(({ from }) => !rejected.includes(from));
	lab.expect(others.length === 0, 'every other client is served', others);
	lab.expect(totals.refused >= acquittalsWanted, 'the rejected were refused', totals);
	const found = new Set(traffic.failures.map(({ from }) => from));
	lab.fact('connections tried', totals.started);
	lab.fact('connections refused, all of them of the rejected', `${totals.refused}, from ${found.size} networks`);
	lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
}

function rejecting(sources: string[]): string {
	const rule = `ip saddr { ${sources.join(', ')} } meta l4proto tcp reject with tcp reset`;
	return `table inet lab { chain input { type filter hook input priority 0; ${rule}; }; }`;
}

const scenarios: Scenario[] = rejections.map(({ rejected, ...rest }) => ({
	...rest,
	topology,
	run: (lab: Lab) => reject(lab, rejected),
}));

export default scenarios;
