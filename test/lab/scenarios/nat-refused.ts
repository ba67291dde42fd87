/** The plain case in NAT: a process dies, its RSTs pass the director, ipvigil takes the server out and gives it back. */
import { awaitGivingBack, awaitTaking, count, killVictim, setStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topology.js';

/** Of 20 connections a second a third meets the dead server: 3 s of it are 20 refusals, and a health checker's usual round. */
const refusalsAllowed = 20;

const scenario: Scenario = {
	name: 'nat-refused',
	sentence: 'a NAT server that refuses clients is taken out within moments, and given back when it listens again',
	signal: 'wire refusals',
	topology: natIpv4({ servers: 3, scheduler: 'wrr' }),
	limitMs: 240_000,
	async run(lab: Lab) {
		const stage = await setStage(lab, lab.blind ? { interfaces: ['lo'] } : {});
		lab.expect(stage.daemon !== undefined, 'ipvigil was asked for');
		const killedMs = await killVictim(lab, stage);
		const quiescedMs = await awaitTaking(lab, stage, stage.daemon);
		lab.fact('from the kill to weight 0, ms', Math.round(quiescedMs - killedMs));
		await lab.sleep(1_000);
		const late = stage.traffic.failures.filter(({ atMs }) => atMs > quiescedMs + 1_000);
		lab.expect(late.length === 0, 'nobody is refused once the weight is 0', late);
		await awaitGivingBack(lab, stage, stage.daemon);
		const totals = await count(lab, stage);
		lab.expect(totals.refused <= refusalsAllowed, `at most ${refusalsAllowed} clients are refused`, totals);
		const others = [...(await lab.director.weights())].filter(([, weight]) => weight !== 100);
		lab.expect(others.length === 0, 'every weight is what it was', others);
		const code = await stage.daemon.stop();
		lab.expect(code === 0, 'ipvigil stops in order', { code, last: stage.daemon.lines.slice(-5) });
	},
};

export default scenario;
