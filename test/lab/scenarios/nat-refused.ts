/** The plain case in NAT: a process dies, its RSTs pass the director, ipvigil takes the server out and gives it back. */
import { setWatchedStage, tellRefusals } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

const scenario: Scenario = {
	name: 'nat-refused',
	sentence: 'a NAT server that refuses clients is taken out within moments, and given back when it listens again',
	signal: 'refusals, by the hooks inside IPVS and by the wire',
	topology: natIpv4({ servers: 3, scheduler: 'wrr' }),
	limitMs: 240_000,
	async run(lab: Lab) {
		await tellRefusals(lab, await setWatchedStage(lab, lab.blind ? { attempts: 'wire', attach: 'none' } : {}));
	},
};

export default scenario;
