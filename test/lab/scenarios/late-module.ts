/**
 * ipvigil starts before there is an IPVS: it waits, loads nothing itself, and when the module and the table come it
 * watches, hears who writes, and tells of a failure, without a restart.
 */
import { beginWithoutIpvs, bringIpvs, isIpvsLoaded, withoutIpvs } from '../modules.js';
import { concerns } from '../refusals.js';
import type { Daemon, Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';
import { lastWriters } from '../writers.js';

const actLimitMs = 30_000;
/** Two looks of ipvigil's at the module, and two readings of the table. */
const patienceMs = 5_000;

const whole = natIpv4({ servers: 2 });

const scenario: Scenario = {
	name: 'late-module',
	sentence: 'an ipvigil that was started before ip_vs waits for it, and watches as soon as it is loaded',
	ci: ['7'],
	topology: withoutIpvs(whole),
	limitMs: 240_000,
	async run(lab: Lab) {
		await beginWithoutIpvs(lab);
		const daemon = await lab.daemon({ mode: 'observe' });
		await lab.sleep(patienceMs);
		lab.expect(daemon.ended === undefined, 'it runs without ip_vs', daemon.lines.slice(-5));
		lab.expect(says(daemon, /^ip_vs is not loaded: waiting for it/), 'it says what it waits for', daemon.log());
		lab.expect(!(await isIpvsLoaded()), 'it has not loaded the module itself');
		lab.note('ipvigil waits for ip_vs');
		await bringIpvs(lab, whole);
		lab.note('ip_vs is loaded and the table is there');
		await lab.until('both vantage points are attached', actLimitMs, () => {
			return says(daemon, /^the audit is attached/) && says(daemon, /^the watch on attempts is attached/);
		});
		await told(lab, daemon);
	},
};

const says = (daemon: Daemon, words: RegExp) => daemon.log().some(({ msg }) => words.test(msg));

async function told(lab: Lab, daemon: Daemon): Promise<void> {
	const { address, port } = lab.topology.vip;
	const victim = lab.server('r1');
	await Promise.all(lab.servers.map((server) => server.start()));
	await lab.director.ipvsadm('-e', '-t', `${address}:${port}`, '-r', victim.destination, '-m', '-w', '50');
	const writers = await lastWriters(lab);
	lab.expect(/10\.1\.0\.11:8080 .*weight=50 .*comm=ipvsadm/.test(writers), 'the audit has heard ipvsadm', writers);
	const traffic = lab.clients.start();
	await daemon.calibrated([victim.destination]);
	await victim.kill();
	const line = await daemon.journaled('the failure', actLimitMs, concerns('failed', victim));
	lab.note(line.sentence, line.bootMs);
	await traffic.stop();
	lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
}

export default scenario;
