/** A server dies and returns several times: taken out each time, each time for longer, and given back each time. */
import { defaultPolicy } from '../../../src/judge/policy.js';
import { leaseFiles } from '../leases.js';
import { awaitLine } from '../lines.js';
import { expectWeights, setWatchedStage, type WatchedStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

const { leaseMs, leaseJitter, restartMs } = defaultPolicy;
const deaths = 4;
/** Longer than a restart, after which no lease grows. */
const deadMs = restartMs + 500;

const scenario: Scenario = {
	name: 'flap',
	sentence: 'a server that dies and returns again and again is taken out for longer each time, and always given back',
	ci: ['6.1'],
	topology: natIpv4({ servers: 3 }),
	limitMs: 180_000,
	async run(lab: Lab) {
		const stage = await setWatchedStage(lab, {});
		const leases: number[] = [];
		for (let death = 0; death < deaths; death++) leases.push(await dieAndReturn(lab, stage));
		lab.fact('leases, s', leases.join(', '));
		for (const [earlier, lease] of leases.entries()) {
			const least = (leaseMs / 1_000) * 2 ** earlier;
			const asDoubled = lease >= least && lease <= least * (1 + leaseJitter) + 0.1;
			lab.expect(asDoubled, `lease ${earlier + 1} lasts ${least} s and up to a tenth more`, leases);
		}
		await expectWeights(lab, [100, 100, 100]);
		lab.expect((await leaseFiles()).length === 0, 'the ledger is empty', await leaseFiles());
		await stage.traffic.stop();
		lab.expect((await stage.daemon.stop()) === 0, 'ipvigil stops in order', stage.daemon.lines.slice(-5));
	},
};

/** Seconds of the lease. */
async function dieAndReturn(lab: Lab, { victim, daemon }: WatchedStage): Promise<number> {
	const killedMs = lab.nowMs();
	await victim.kill();
	const { facts } = await awaitLine(lab, daemon, 'quiesced', victim, killedMs);
	await expectWeights(lab, [0, 100, 100]);
	await lab.sleep(deadMs);
	await victim.start();
	await awaitLine(lab, daemon, 'given-back', victim, killedMs);
	await expectWeights(lab, [100, 100, 100]);
	return Number(facts.leaseSeconds);
}

export default scenario;
