/** What `npm start` shows: a server's death and return with ipvigil, and the same without it. */
import { awaitGivingBack, awaitTaking, count, killVictim, setStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

/** Long enough to see that the refusals go on; a monitor's own round is left out of both. */
const deadMs = 10_000;

const topology = natIpv4({ servers: 3 });

const withIpvigil: Scenario = {
	name: 'demo',
	sentence: 'a server dies and returns: ipvigil takes it out and gives it back',
	ci: ['6.1'],
	topology,
	limitMs: 240_000,
	async run(lab: Lab) {
		const stage = await setStage(lab, {});
		lab.expect(stage.daemon !== undefined, 'ipvigil was asked for');
		const killedMs = await killVictim(lab, stage);
		await awaitTaking(lab, stage, stage.daemon);
		await lab.sleep(Math.max(0, killedMs + deadMs - lab.nowMs()));
		await awaitGivingBack(lab, stage, stage.daemon);
		await count(lab, stage);
		await stage.daemon.stop();
	},
};

const without: Scenario = {
	name: 'demo-without',
	sentence: 'a server dies and returns: without ipvigil clients are refused for as long as it is dead',
	ci: ['6.1'],
	topology,
	async run(lab: Lab) {
		const stage = await setStage(lab, undefined);
		const killedMs = await killVictim(lab, stage);
		await lab.sleep(killedMs + deadMs - lab.nowMs());
		const last = stage.traffic.failures.at(-1);
		lab.expect(last !== undefined && last.atMs > killedMs + deadMs - 1_000, 'clients are refused to the end', last);
		lab.note('clients are still refused', last.atMs);
		await stage.victim.start();
		const backMs = lab.nowMs();
		lab.note(`${stage.victim.name} listens again`);
		await lab.sleep(2_000);
		const late = stage.traffic.failures.filter(({ atMs }) => atMs > backMs + 500);
		lab.expect(late.length === 0, 'nobody is refused once it listens', late);
		await count(lab, stage);
	},
};

export default [withIpvigil, without];
