/**
 * Every server of a service dies at once: whatever it is, at most half of the weight may be out for it, and the rest is
 * told and left. When the servers are back, so is every weight.
 */
import { leaseFiles } from '../leases.js';
import { awaitLine, linesOf } from '../lines.js';
import { expectWeights, setWatchedStage, type WatchedStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

/** Several probes of each server: time enough to take out one too many. */
const temptationMs = 3_000;
const backLimitMs = 30_000;

const scenario: Scenario = {
	name: 'whole-service-down',
	sentence:
		'when all servers of a service die at once half of the weight stays, because it is frozen, and all of it is back when they are',
	ci: ['7'],
	topology: natIpv4({ servers: 4 }),
	limitMs: 180_000,
	async run(lab: Lab) {
		const stage = await setWatchedStage(lab, {});
		await Promise.all(lab.servers.map((server) => server.kill()));
		lab.note('the processes of all servers are killed');
		await expectHalfStays(lab, stage);
		await Promise.all(lab.servers.map((server) => server.start()));
		lab.note('all servers listen again');
		await expectAllBack(lab, stage);
		await stage.traffic.stop();
		lab.expect((await stage.daemon.stop()) === 0, 'ipvigil stops in order', stage.daemon.lines.slice(-5));
	},
};

/** Each server has failed, and is either taken out or told as held in. */
async function expectHalfStays(lab: Lab, { daemon }: WatchedStage): Promise<void> {
	for (const server of lab.servers) await awaitLine(lab, daemon, 'failed', server);
	const frozen = await daemon.journaled('"frozen"', backLimitMs, ({ scenario }) => scenario === 'frozen');
	lab.note(frozen.sentence, frozen.bootMs);
	await lab.sleep(temptationMs);
	const out: string[] = [];
	for (const server of lab.servers) {
		const taken = await linesOf(daemon, 'quiesced', server);
		const held = await linesOf(daemon, 'overflow', server);
		for (const line of [...taken, ...held]) lab.note(line.sentence, line.bootMs);
		lab.expect(taken.length + held.length > 0, `${server.name} is taken out, or told as held in`);
		if (taken.length > 0) out.push(server.name);
	}
	lab.fact('taken out', out.join(', '));
	lab.expect(out.length <= lab.servers.length / 2, 'no more than half is taken out', out);
	await expectWeights(
		lab,
		lab.servers.map(({ name }) => (out.includes(name) ? 0 : 100)),
	);
}

async function expectAllBack(lab: Lab, { daemon, traffic }: WatchedStage): Promise<void> {
	await lab.until('every weight is back', backLimitMs, async () =>
		[...(await lab.director.weights()).values()].every((weight) => weight === 100),
	);
	for (const server of lab.servers) await awaitLine(lab, daemon, 'recovering', server);
	const thawed = await daemon.journaled('"thawed"', backLimitMs, ({ scenario }) => scenario === 'thawed');
	lab.note(thawed.sentence, thawed.bootMs);
	lab.expect((await leaseFiles()).length === 0, 'the ledger is empty', await leaseFiles());
	const served = traffic.totals().ok;
	await lab.until('clients are served again', backLimitMs, () => traffic.totals().ok > served + 20);
	await expectWeights(lab, [100, 100, 100, 100], 'in the long run');
}

export default scenario;
