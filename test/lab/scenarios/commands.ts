/** The commands on a real director: doctor finds that run would work, table prints what the kernel holds. */
import { ipvigil } from '../daemon.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

interface Diagnosis {
	exit: number;
	checks: { check: string; status: string; reason: string }[];
}

interface PrintedTable {
	services: { id: string; scheduler: string; destinations: { id: string; weight: number }[] }[];
}

const web = 'tcp 10.0.0.100:80';

const scenario: Scenario = {
	name: 'commands',
	sentence: 'doctor says that run would work, and table prints what the kernel holds',
	topology: natIpv4({ servers: 3 }),
	async run(lab: Lab) {
		const say = (...words: string[]) => lab.exec(lab.topology.director, process.execPath, ipvigil, ...words);

		const diagnosis = JSON.parse(await say('doctor', '-o', 'json')) as Diagnosis;
		lab.expect(diagnosis.exit === 0, 'run would work', diagnosis);
		for (const name of [
			'privileges',
			'kernel',
			'kernel types',
			'addon',
			'wire',
			'attempts',
			'audit',
			'links',
			'unloading',
			'ip_vs',
			'ip_vs types',
			'table',
		]) {
			const check = diagnosis.checks.find((one) => one.check === name);
			lab.expect(check?.status === 'ok', `${name} is ok`, check);
		}

		await lab.director.ipvsadm('-e', '-t', '10.0.0.100:80', '-r', '10.1.0.11:8080', '-m', '-w', '0');
		await lab.director.ipvsadm('-A', '-f', '7', '-s', 'sh');
		const whole = JSON.parse(await say('table', '-o', 'json')) as PrintedTable;
		lab.expect(whole.services.length === 2, 'both services are printed', whole);
		const one = JSON.parse(await say('table', '-o', 'json', web)) as PrintedTable;
		lab.expect(one.services.length === 1 && one.services[0]?.id === web, 'one service is printed alone', one);
		const weights = one.services[0].destinations.map(({ id, weight }) => `${id}: ${weight}`);
		lab.expect(weights.includes(`${web} > 10.1.0.11:8080: 0`), 'the weight that was written is printed', weights);
		lab.expect(weights.length === 3, 'every destination is printed', weights);

		const troubled = JSON.parse(await say('doctor', '-o', 'json')) as Diagnosis;
		const schedulers = troubled.checks.find(({ check }) => check === 'schedulers');
		lab.expect(schedulers?.reason.startsWith('fwmark 7: ') === true, 'a scheduler without fallback is told', troubled);
		lab.note(await say('table'));
		lab.note(await say('doctor'));
	},
};

export default scenario;
