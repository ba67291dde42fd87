/** Somebody removes the tc qdisc under the daemon: it notices, says so, and sees again. tcx, a link, cannot be removed so. */
import { concerns, setWatchedStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

/** With the next snapshot, two seconds later at most. */
const noticeLimitMs = 20_000;

const scenario: Scenario = {
	name: 'filter-removed',
	sentence: 'a tc filter that somebody else takes away is put back and told',
	topology: natIpv4({ servers: 2 }),
	kernels: ['6.1'],
	limitMs: 180_000,
	async run(lab: Lab) {
		const { director } = lab.topology;
		const { daemon, traffic, victim } = await setWatchedStage(lab, { mode: 'observe', attempts: 'wire' });
		await lab.exec(director, 'tc', 'qdisc', 'del', 'dev', 'back0', 'clsact');
		lab.note('the clsact qdisc of back0 is removed, and the filter with it');
		await lab.until('ipvigil watches again', noticeLimitMs, () =>
			daemon.log().some(({ msg }) => msg.startsWith('watching an interface again')),
		);
		await victim.kill();
		await daemon.journaled('the suspicion of a refusal', 20_000, concerns('suspect', victim));
		await traffic.stop();
		lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
		const filters = await lab.exec(director, 'tc', 'filter', 'show', 'dev', 'back0', 'ingress');
		lab.expect(filters.trim() === '', 'and takes its filter with it', filters);
	},
};

export default scenario;
