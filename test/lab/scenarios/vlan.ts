/** The servers are on a VLAN: their refusals are seen there, by one program at one layer, and tell as without it. */
import { overVlan } from '../links.js';
import { setWatchedStage, tellRefusals } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

const scenario: Scenario = {
	name: 'vlan',
	sentence: 'refusals from servers on a VLAN are seen once, and the server is taken out and given back',
	topology: overVlan(natIpv4({ servers: 3 })),
	signal: 'wire refusals on a VLAN',
	ci: ['6.1'],
	limitMs: 240_000,
	async run(lab: Lab) {
		// The hooks inside IPVS see no VLAN: it is the wire that must read the tag.
		const stage = await setWatchedStage(lab, { attempts: 'wire', attach: lab.blind ? 'none' : 'auto' });
		const watched = stage.daemon.log().filter(({ msg }) => msg === 'watching an interface');
		lab.expect(lab.blind || watched.length === 1, 'the wire is watched at one layer', watched);
		await tellRefusals(lab, stage);
	},
};

export default scenario;
