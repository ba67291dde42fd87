/**
 * Another network namespace of the same machine has the same table, and its clients are refused: nothing of it is the
 * director's, so nothing of it is told, counted or remembered here.
 */
import { testimony } from '../evidence.js';
import { setWatchedStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';
import { lastWriters } from '../writers.js';

const director = natIpv4({ servers: 2 });
const foreign = 'fo';
const attempts = 5;
/** The next snapshot (every 2 s) and what follows from it. */
const consequencesMs = 3_000;

const scenario: Scenario = {
	name: 'foreign-namespace',
	sentence: 'the same table, the same writes and refused clients in another network namespace change nothing here',
	ci: ['6.1'],
	topology: { ...director, nodes: [...director.nodes, stranger()] },
	limitMs: 240_000,
	async run(lab: Lab) {
		const { daemon, traffic } = await setWatchedStage(lab, { mode: 'observe', metrics: { listen: '127.0.0.1:9478' } });
		await traffic.stop();
		const before = await testimony(lab);
		await strangeEvents(lab);
		await lab.sleep(consequencesMs);
		const writers = await lastWriters(lab);
		lab.expect(writers === '', 'nobody has written here', writers);
		const after = await testimony(lab);
		for (const outcome of ['scheduled', 'refused'] as const)
			lab.expect(after.sum(outcome) === before.sum(outcome), `nothing was ${outcome} here`, after.sum(outcome));
		const told = await daemon.journal();
		lab.expect(told.length === 0, 'nothing is journaled', told);
		lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
	},
};

/** Service and servers of the director on a loopback interface, where nobody listens. */
function stranger() {
	const ipvs = director.nodes.find(({ name }) => name === director.director)?.ipvs ?? [];
	const addresses = [director.vip, ...director.servers].map(({ address }) => `${address}/32`);
	return { name: foreign, addresses: { lo: addresses }, ipvs };
}

async function strangeEvents(lab: Lab): Promise<void> {
	const { address, port } = lab.topology.vip;
	const service = `${address}:${port}`;
	for (const weight of ['0', '7'])
		await lab.exec(foreign, 'ipvsadm', '-e', '-t', service, '-r', '10.1.0.11:8080', '-m', '-w', weight);
	const connect = `for i in $(seq ${attempts}); do (: >/dev/tcp/${address}/${port}) 2>/dev/null || true; done`;
	await lab.exec(foreign, 'bash', '-c', connect);
	const stats = await lab.until('IPVS has counted the strangers', 10_000, async () => {
		const text = await lab.exec(foreign, 'ipvsadm', '-Ln', '--stats');
		return new RegExp(`^TCP\\s+${service}\\s+${attempts}\\b`, 'm').test(text) && text;
	});
	lab.note(`in another namespace:\n${stats}`);
	await lab.exec(foreign, 'ipvsadm', '-C');
}

export default scenario;
