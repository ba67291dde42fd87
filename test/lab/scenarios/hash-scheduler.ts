/**
 * The scheduler `sh` goes on choosing a server of weight 0 for its share of the clients, and refuses them, unless it may
 * fall back on another: so the one is told and left, and the other taken out as usual.
 */
import { awaitLine, expectUntold } from '../lines.js';
import { metric } from '../metrics.js';
import { expectWeights, killVictim, setWatchedStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { SeenWrites } from '../seen-writes.js';
import { natIpv4 } from '../topologies.js';
import { lastWriters } from '../writers.js';

/** A refused client's answer is on its way when the weight is written. */
const settleMs = 1_000;

const without: Scenario = {
	name: 'hash-scheduler',
	sentence: 'where weight 0 does harm, under sh without fallback, a dead server is told and keeps its weight',
	ci: ['7'],
	topology: natIpv4({ servers: 3, scheduler: 'sh' }),
	async run(lab: Lab) {
		const stage = await setWatchedStage(lab, {});
		const { victim, daemon, traffic } = stage;
		await killVictim(lab, stage);
		await awaitLine(lab, daemon, 'failed', victim);
		const { facts } = await awaitLine(lab, daemon, 'overflow', victim);
		lab.expect(facts.reason === 'scheduler', 'it is the scheduler that keeps it in', facts);
		lab.expect(/^scheduler sh without sh-fallback /.test(String(facts.why)), 'and the reason is told', facts);
		const counted = await metric(lab, 'ipvigil_ejections_overflow_total{reason="scheduler"}');
		lab.expect(counted === 1, 'it is counted once', counted);
		await victim.start();
		await awaitLine(lab, daemon, 'recovering', victim);
		await traffic.stop();
		await expectUntold(lab, daemon, ['quiesced'], victim);
		const writers = await lastWriters(lab);
		lab.expect(writers === '', 'nobody has written a weight', writers);
		await expectWeights(lab, [100, 100, 100]);
		lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
	},
};

const fallingBack: Scenario = {
	name: 'hash-scheduler-fallback',
	sentence: 'under sh with fallback a dead server is taken out, nobody is refused any more, and it is back in one step',
	ci: ['6.1'],
	topology: natIpv4({ servers: 3, scheduler: 'sh', schedulerFlags: 'sh-fallback' }),
	async run(lab: Lab) {
		const writes = await SeenWrites.open(lab);
		const stage = await setWatchedStage(lab, {});
		const { victim, daemon, traffic } = stage;
		await killVictim(lab, stage);
		const quiesced = await awaitLine(lab, daemon, 'quiesced', victim);
		await lab.sleep(2 * settleMs);
		const late = traffic.failures.filter(({ atMs }) => atMs > quiesced.bootMs + settleMs);
		lab.expect(late.length === 0, 'nobody is refused once the weight is 0', late);
		await victim.start();
		await awaitLine(lab, daemon, 'given-back', victim);
		await expectWeights(lab, [100, 100, 100]);
		await traffic.stop();
		const written = writes.weights(victim, daemon);
		lab.expect(written.join() === '0,100', 'it is back in one step', written);
		lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
	},
};

export default [without, fallingBack];
