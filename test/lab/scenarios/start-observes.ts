/** `npm start` on a director looks and changes nothing: no weight, no file, no package, and nothing is left behind. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '../place.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

const startLimitMs = 60_000;

/** Where it puts things for as long as it runs. The guest sees the host's /tmp, so others' files may be there. */
async function names(): Promise<string[]> {
	return [...(await readdir('/tmp')), ...(await readdir('/sys/fs/bpf'))].filter((name) => name.startsWith('ipvigil-'));
}

const scenario: Scenario = {
	name: 'start-observes',
	sentence: 'npm start on a director observes its table, tells of a failed server and writes nothing',
	ci: ['7'],
	topology: natIpv4({ servers: 3 }),
	limitMs: 240_000,
	async run(lab: Lab) {
		await Promise.all(lab.servers.map((server) => server.start()));
		const found = await names();
		const before = await lab.director.ipvsadm('-Sn');
		const start = lab.background(lab.topology.director, process.execPath, [
			join(repository, 'deploy/bootstrap/start.mjs'),
		]);
		const says = (words: RegExp) => start.lines.find((line) => words.test(line));
		await lab.until('it says that this is a director', startLimitMs, () =>
			says(/this machine is a director: 1 virtual/),
		);
		await lab.until('it observes', startLimitMs, () => says(/observing/));
		const victim = lab.server('r1');
		const traffic = lab.clients.start();
		await lab.until('every server has answered', 30_000, () => Object.keys(traffic.totals().by).length === 3);
		await lab.sleep(2_000);
		await victim.kill();
		lab.note(await lab.until('the failure is told', 30_000, () => says(/10\.1\.0\.11:8080 has failed/)));
		await traffic.stop();
		lab.expect((await lab.director.ipvsadm('-Sn')) === before, 'the table is what it was');
		const ended = await start.stop();
		lab.expect(ended === 0, 'it ends in order', { ended, last: start.lines.slice(-5) });
		const left = (await names()).filter((name) => !found.includes(name));
		lab.expect(left.length === 0, 'nothing is left behind', left);
	},
};

export default scenario;
