/** As nat-refused, seen by native XDP on the interface towards the servers: the same testimony by the other way in. */
import { setWatchedStage, tellRefusals, type WatchedStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

/** XDP_ATTACHED_DRV (uapi/linux/if_link.h), which `ip -json` prints as the mode: native, not generic (2). */
const nativeMode = 1;

const scenario: Scenario = {
	name: 'xdp-refused',
	sentence: 'with native XDP a NAT server that refuses clients is taken out and given back as with tc',
	signal: 'wire refusals by XDP',
	topology: natIpv4({ servers: 3, scheduler: 'wrr' }),
	limitMs: 240_000,
	async run(lab: Lab) {
		const stage = await setWatchedStage(lab, { attempts: 'wire', attach: lab.blind ? 'none' : 'xdp' });
		if (!lab.blind) await expectNativeXdp(lab, stage);
		await tellRefusals(lab, stage);
	},
};

/** ipvigil's own word, and the kernel's: a silent downgrade would pass everything else here. */
async function expectNativeXdp(lab: Lab, { daemon }: WatchedStage): Promise<void> {
	const watching = daemon.log().filter(({ msg }) => msg === 'watching an interface');
	lab.expect(
		watching.length === 1 && watching[0]?.method === 'xdp' && watching[0].interface === 'back0',
		'ipvigil watches the interface towards the servers by native XDP',
		watching,
	);
	const links = JSON.parse(await lab.exec(lab.topology.director, 'ip', '-json', 'link', 'show', 'dev', 'back0'));
	lab.expect(links[0]?.xdp?.mode === nativeMode, 'the kernel runs the program in the driver', links);
	lab.note('the interface towards the servers is watched by native XDP');
}

export default scenario;
