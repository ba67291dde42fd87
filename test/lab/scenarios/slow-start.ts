/** A server that was out for more than a moment comes back in steps: each a higher weight, the last what is owed. */
import { defaultPolicy } from '../../../src/judge/policy.js';
import { leaseFiles } from '../leases.js';
import { awaitLine } from '../lines.js';
import { expectWeights, killVictim, setWatchedStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { SeenWrites } from '../seen-writes.js';
import { natIpv4 } from '../topologies.js';

/** Longer than a restart, after which one step is enough. */
const deadMs = defaultPolicy.restartMs + 1_000;
const owed = 100;
/** Fewer are no steps. */
const stepsLeast = 3;
const backLimitMs = 60_000;

const scenario: Scenario = {
	name: 'slow-start',
	sentence: 'a server that has been dead comes back in steps of rising weight, the last of which is what it had',
	ci: ['6.1'],
	topology: natIpv4({ servers: 3, weight: owed }),
	limitMs: 180_000,
	async run(lab: Lab) {
		const writes = await SeenWrites.open(lab);
		const stage = await setWatchedStage(lab, {});
		const { victim, daemon, traffic } = stage;
		const killedMs = await killVictim(lab, stage);
		await awaitLine(lab, daemon, 'quiesced', victim, killedMs);
		await lab.sleep(deadMs);
		await victim.start();
		lab.note(`${victim.name} listens again`);
		await lab.until(
			`${victim.destination} has weight ${owed} again`,
			backLimitMs,
			async () => (await lab.director.weight(victim.destination)) === owed,
		);
		await awaitLine(lab, daemon, 'given-back', victim, killedMs);
		const [out, ...steps] = writes.weights(victim, daemon);
		lab.fact('weights written', [out, ...steps].join(', '));
		lab.expect(out === 0, 'it was taken out at once', out);
		lab.expect(steps.length >= stepsLeast, `it is back in ${stepsLeast} steps at least`, steps);
		const rises = steps.every((weight, index) => weight > (steps[index - 1] ?? 0));
		lab.expect(rises && steps.at(-1) === owed, `each step is higher, and the last is ${owed}`, steps);
		lab.expect((await leaseFiles()).length === 0, 'the ledger is empty', await leaseFiles());
		await traffic.stop();
		await expectWeights(lab, [owed, owed, owed]);
		lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
	},
};

export default scenario;
