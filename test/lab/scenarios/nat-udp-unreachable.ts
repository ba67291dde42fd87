/** UDP has no handshake: what tells of a dead process is the ICMP error about the client's datagram. */
import { awaitSuspicion, expectUnsuspected, testimony } from '../evidence.js';
import { observing, setWatchedStage } from '../refusals.js';
import type { Lab, Scenario } from '../scenario.js';
import { nat } from '../topologies.js';

const several = 5;

const scenario: Scenario = {
	name: 'nat-udp-unreachable',
	sentence: 'port unreachable tells that nobody listens for a UDP service',
	signal: 'ICMP errors',
	ci: ['7'],
	topology: nat({ protocol: 'udp' }),
	async run(lab: Lab) {
		const { victim, daemon, traffic } = await setWatchedStage(lab, {
			...observing(lab),
			...(lab.blind ? { attach: 'none' } : {}),
		});
		await victim.kill();
		lab.note(`${victim.name} is killed: its kernel answers datagrams with port unreachable`);
		await lab.until('clients are told', 30_000, () => traffic.totals().refused >= several);
		await awaitSuspicion(lab, daemon, victim, ['unreachable']);
		await lab.until(
			`${several} ICMP errors are counted`,
			30_000,
			async () => (await testimony(lab)).unreachables(victim) >= several,
		);
		await traffic.stop();
		const told = await testimony(lab);
		lab.fact('ICMP errors counted', told.unreachables(victim));
		for (const other of lab.servers.filter((server) => server !== victim)) {
			lab.expect(told.unreachables(other) === 0, `nothing is told of ${other.destination}`, told.unreachables(other));
			await expectUnsuspected(lab, daemon, other);
		}
	},
};

export default scenario;
