/** The lab proves its killer: a program that writes weights dies right before or right after the write that was meant. */
import type { Lab, Scenario } from '../scenario.js';
import { crashLibrary } from '../tools.js';
import { natIpv4 } from '../topologies.js';

const endLimitMs = 20_000;

/** ipvsadm writes by generic netlink too; resolves with what it ended with. */
function setWeight(lab: Lab, trigger: string, weight: number): Promise<string | number> {
	const { vip, director } = lab.topology;
	const service = `${vip.address}:${vip.port}`;
	const words = ['-e', '-t', service, '-r', lab.server('r1').destination, '-m', '-w', String(weight)];
	const editor = lab.background(director, 'ipvsadm', words, { LD_PRELOAD: crashLibrary, CRASH_ON: trigger });
	return lab.until('ipvsadm has ended', endLimitMs, () =>
		editor.ended === undefined ? undefined : String(editor.ended),
	);
}

const cases = [
	{ trigger: 'set_dest:0:before', weight: 50, ends: 'SIGKILL', leaves: 100 },
	{ trigger: 'set_dest:0:after', weight: 60, ends: 'SIGKILL', leaves: 60 },
	{ trigger: 'set_dest:0:before:zero', weight: 70, ends: '0', leaves: 70 },
	{ trigger: 'set_dest:0:before:zero', weight: 0, ends: 'SIGKILL', leaves: 70 },
	{ trigger: 'set_dest:0:before:nonzero', weight: 0, ends: '0', leaves: 0 },
	{ trigger: 'set_dest:1:before', weight: 80, ends: '0', leaves: 80 },
];

const scenario: Scenario = {
	name: 'crash-library',
	sentence: 'the crash library kills a program at the chosen weight write and at no other',
	ci: ['6.1'],
	topology: natIpv4({ servers: 1 }),
	async run(lab: Lab) {
		for (const { trigger, weight, ends, leaves } of cases) {
			const ended = await setWeight(lab, trigger, weight);
			const left = await lab.director.weight(lab.server('r1').destination);
			lab.note(`${trigger}, writing ${weight}: ended with ${ended}, weight ${left}`);
			lab.expect(ended === ends && left === leaves, `${trigger} ends with ${ends} and leaves ${leaves}`, {
				ended,
				left,
			});
		}
	},
};

export default scenario;
