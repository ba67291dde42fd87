/** The director's own link to the servers is cut: all of them are silent, and none of them is to blame. */
import { changeLimitMs, changesOf, expectNobodyBlamed, linkChanges, setCable } from '../links.js';
import { setWatchedStage } from '../refusals.js';
import type { Daemon, Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

/** A client repeats its SYN after one second, a probe gives up after one: long enough for several of either. */
const cutMs = 8_000;

const scenario: Scenario = {
	name: 'link-loss',
	sentence: 'when the director’s own link is cut, that is told, no server is blamed, and its return is told too',
	topology: natIpv4({ servers: 3 }),
	ci: ['6.1'],
	limitMs: 240_000,
	async run(lab: Lab) {
		const { director } = lab.topology;
		const { daemon, traffic } = await setWatchedStage(lab, {});
		const cutAtMs = lab.nowMs();
		await setCable(lab, director, 'back0', 'down');
		await lab.until('the lost carrier is told', changeLimitMs, () =>
			changesOf(daemon, 'back0', 'carrier').includes('up down'),
		);
		lab.note('the link towards the servers is cut', cutAtMs);
		await awaitTold(lab, daemon, 'way-impaired');
		await lab.sleep(cutMs);
		await expectNobodyBlamed(lab, daemon);
		await setCable(lab, director, 'back0', 'up');
		await lab.until('the carrier’s return is told', changeLimitMs, () =>
			changesOf(daemon, 'back0', 'carrier').includes('down up'),
		);
		await awaitTold(lab, daemon, 'way-restored');
		const served = traffic.totals().ok;
		await lab.until('clients are served again', 30_000, () => traffic.totals().ok > served + 20);
		await expectNobodyBlamed(lab, daemon);
		lab.expect(changesOf(daemon, 'back0', 'carrier').length === 2, 'each change is told once', linkChanges(daemon));
		await traffic.stop();
		lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
	},
};

/** Of the director, and not of a server: all of them in one line. */
async function awaitTold(lab: Lab, daemon: Daemon, word: string): Promise<void> {
	const line = await daemon.journaled(`"${word}"`, changeLimitMs, ({ scenario }) => scenario === word);
	lab.note(line.sentence, line.bootMs);
	const { hosts, why } = line.facts;
	lab.expect(hosts === lab.servers.length && String(why).includes('back0'), 'for every host, by its reason', line);
}

export default scenario;
