/** An admin writes a weight while ipvigil holds a lease on it: that word counts, even where it says what we said. */
import { awaitLine } from '../lines.js';
import { concerns, setWatchedStage, type WatchedStage } from '../refusals.js';
import type { Lab, RealServer, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

/** Several rounds of recovery probes (every 500 ms) and a snapshot (every 2 s): time enough to write once too often. */
const temptationMs = 2_500;

const scenario: Scenario = {
	name: 'foreign-write',
	sentence: 'a weight that an admin writes during a lease stays, the same value included, and outlives ipvigil',
	topology: natIpv4({ servers: 3 }),
	limitMs: 240_000,
	async run(lab: Lab) {
		const stage = await setWatchedStage(lab, {});
		const rounds: [RealServer, number][] = [
			[lab.server('r1'), 7],
			[lab.server('r2'), 0],
		];
		for (const [server, weight] of rounds) await overrule(lab, stage, server, weight);
		await lab.sleep(temptationMs);
		await expectStanding(lab, rounds, 'while ipvigil runs');
		await stage.traffic.stop();
		lab.expect((await stage.daemon.stop()) === 0, 'ipvigil stops in order', stage.daemon.lines.slice(-5));
		await expectStanding(lab, rounds, 'after ipvigil has stopped');
		lab.note("the weights are the admin's to the end");
	},
};

/** Dead, taken out, overruled, and back: the server's return must change nothing any more. */
async function overrule(lab: Lab, { daemon }: WatchedStage, server: RealServer, weight: number): Promise<void> {
	await server.kill();
	await awaitLine(lab, daemon, 'quiesced', server);
	const { address, port } = lab.topology.vip;
	const words = ['-e', '-t', `${address}:${port}`, '-r', server.destination, '-m', '-w', String(weight)];
	await lab.director.ipvsadm(...words);
	lab.note(`an admin runs ipvsadm ${words.join(' ')}`);
	const yielded = await awaitLine(lab, daemon, 'yielded', server);
	lab.expect(String(yielded.facts.by).startsWith('ipvsadm (pid '), 'the journal names who wrote', yielded);
	lab.expect(yielded.facts.what === `weight ${weight}`, 'the journal says what was written', yielded);
	await server.start();
	await awaitLine(lab, daemon, 'recovering', server);
	lab.expect(
		!(await daemon.journal()).some(concerns('given-back', server)),
		'nothing is given back that is not owed any more',
	);
}

async function expectStanding(lab: Lab, rounds: [RealServer, number][], when: string): Promise<void> {
	for (const [{ destination }, weight] of rounds) {
		const found = await lab.director.weight(destination);
		lab.expect(found === weight, `weight ${weight} of ${destination} stands ${when}`, found);
	}
}

export default scenario;
