/** The lab proves itself: forwarding works, and a killed server costs clients refusals, with no ipvigil at all. */
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';

const scenario: Scenario = {
	name: 'plain-nat',
	sentence: 'without ipvigil a NAT director goes on sending clients to a killed server',
	ci: ['7'],
	topology: natIpv4({ servers: 3 }),
	async run(lab: Lab) {
		await Promise.all(lab.servers.map((server) => server.start()));
		const victim = lab.server('r1');
		const traffic = lab.clients.start({ ratePerS: 20 });
		await lab.until('every server has answered', 30_000, () => Object.keys(traffic.totals().by).length === 3);
		lab.note(`clients are answered by ${Object.keys(traffic.totals().by).sort().join(', ')}`);
		lab.expect(traffic.failures.length === 0, 'no client failed while all servers stood', traffic.failures);

		const killedMs = lab.nowMs();
		await victim.kill();
		lab.note(`${victim.name} is killed`);
		// A connection that was under way when the process died is reset instead.
		const refusals = () => traffic.failures.filter(({ result }) => result === 'refused');
		await lab.until('ten clients were refused', 30_000, () => refusals().length >= 10);
		const first = refusals()[0];
		lab.expect(
			first !== undefined && traffic.failures.length <= refusals().length + 1,
			'clients are refused',
			traffic.failures,
		);
		lab.note(`first refusal, ${(first.atMs - killedMs).toFixed(0)} ms after the kill`, first.atMs);
		lab.expect((await lab.director.weight(victim.destination)) === 100, 'nobody changed the weight');

		await victim.start();
		const back = traffic.totals().by[victim.name] ?? 0;
		await lab.until(`${victim.name} answers again`, 30_000, () => (traffic.totals().by[victim.name] ?? 0) > back + 3);
		await victim.kill();
		await lab.director.ipvsadm('-e', '-t', '10.0.0.100:80', '-r', victim.destination, '-m', '-w', '0');
		await lab.until('the weight is 0', 5_000, async () => (await lab.director.weight(victim.destination)) === 0);
		const refused = traffic.totals().refused;
		await lab.sleep(2_000);
		const totals = await traffic.stop();
		lab.fact('clients refused', totals.refused);
		lab.expect(totals.refused - refused <= 3, 'weight 0 ends the refusals', totals);
		lab.expect(
			['r2', 'r3'].every((name) => (totals.by[name] ?? 0) > 0),
			'the others answered',
			totals,
		);
	},
};

export default scenario;
