/**
 * A listener that is gone for a moment, as when a service is restarted: taken out at most until it is back, given back
 * in one step, and no reason to trust the server less the next time.
 */
import { defaultPolicy } from '../../../src/judge/policy.js';
import { leaseFiles } from '../leases.js';
import { awaitLine, linesOf } from '../lines.js';
import { expectWeights, setWatchedStage, type WatchedStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { SeenWrites } from '../seen-writes.js';
import { natIpv4 } from '../topologies.js';

const goneMs = 300;
/** Now and then the listener is back before anybody has asked it: another try then. */
const restartsMax = 8;
const leasesWanted = 3;
/** What a restart's refusals set going has been decided by then. */
const decidedMs = 1_500;
const settleLimitMs = 20_000;

const { leaseMs, leaseJitter } = defaultPolicy;
/** The policy's second is meant for real machines; an emulated one needs most of it to start a process and write a weight. */
const policy = { restartMs: 4_000 };

const scenario: Scenario = {
	name: 'listener-restart',
	sentence: 'a listener that restarts is out for a moment at most, comes back in one step, and its leases do not grow',
	ci: ['7'],
	topology: natIpv4({ servers: 3 }),
	limitMs: 180_000,
	async run(lab: Lab) {
		const writes = await SeenWrites.open(lab);
		const stage = await setWatchedStage(lab, { policy }, 50);
		const { victim, daemon } = stage;
		const leases = () => linesOf(daemon, 'quiesced', victim);
		let restarts = 0;
		for (; restarts < restartsMax && (await leases()).length < leasesWanted; restarts++) await restart(lab, stage);
		await lab.until('every lease is over', settleLimitMs, async () => (await leaseFiles()).length === 0);
		const lengths = (await leases()).map(({ facts }) => Number(facts.leaseSeconds));
		lab.fact('restarts, and leases in s', `${restarts}: ${lengths.join(', ')}`);
		lab.expect(lengths.length >= leasesWanted, `${leasesWanted} restarts were noticed`, { restarts, lengths });
		const longest = (leaseMs / 1_000) * (1 + leaseJitter) + 0.1;
		lab.expect(
			lengths.every((length) => length <= longest),
			'no lease is longer than a first one',
			lengths,
		);
		const written = writes.weights(victim, daemon);
		lab.expect(written.join() === lengths.map(() => '0,100').join(), 'each is given back in one step', written);
		await expectWeights(lab, [100, 100, 100]);
		await stage.traffic.stop();
		lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
	},
};

async function restart(lab: Lab, { victim, daemon }: WatchedStage): Promise<void> {
	const goneAtMs = lab.nowMs();
	await victim.kill();
	await lab.sleep(goneMs);
	await victim.start();
	lab.note(`${victim.name} was gone for ${Math.round(lab.nowMs() - goneAtMs)} ms`, goneAtMs);
	await lab.sleep(decidedMs);
	const taken = (await linesOf(daemon, 'quiesced', victim)).some(({ bootMs }) => bootMs >= goneAtMs);
	if (!taken) return;
	const { facts } = await awaitLine(lab, daemon, 'given-back', victim, goneAtMs);
	const outageMs = Number(facts.outageSeconds) * 1_000;
	lab.expect(outageMs < policy.restartMs, 'it was out for a moment only', facts);
}

export default scenario;
