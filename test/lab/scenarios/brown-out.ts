/**
 * A server's process is stopped: its kernel goes on accepting, for it and for a probe that only connects, and nobody is
 * answered. That is told as a brown-out; the weight is left alone.
 */
import { awaitLine, expectUntold } from '../lines.js';
import { expectWeights, setWatchedStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';
import { lastWriters } from '../writers.js';

/** Several looks at who answers: time enough to write a weight. */
const temptationMs = 3_000;

const scenario: Scenario = {
	name: 'brown-out',
	sentence: 'a server that accepts and never answers is told as a brown-out, and keeps its weight',
	ci: ['7'],
	topology: natIpv4({ servers: 3 }),
	async run(lab: Lab) {
		const { victim, daemon, traffic } = await setWatchedStage(lab, {
			policy: { ratioIntervalMs: 3_000, ratioVolumeMin: 10 },
		});
		victim.hang();
		lab.note(`the process on ${victim.name} is stopped`);
		await awaitLine(lab, daemon, 'brown-out', victim);
		await lab.sleep(temptationMs);
		victim.resume();
		lab.note(`the process on ${victim.name} goes on`);
		await traffic.stop();
		for (const server of lab.servers) await expectUntold(lab, daemon, ['failed', 'quiesced'], server);
		for (const other of lab.servers.slice(1)) await expectUntold(lab, daemon, ['brown-out'], other);
		const writers = await lastWriters(lab);
		lab.expect(writers === '', 'nobody has written a weight', writers);
		await expectWeights(lab, [100, 100, 100]);
		lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
	},
};

export default scenario;
