/**
 * ICMP errors about what the director sent on: the only word of a dead process in UDP, which has no handshake, and of a
 * server whose tunnel is gone, which then knows nothing of the packet inside.
 */
import { awaitSuspicion, expectUnsuspected, testimony } from '../evidence.js';
import { observing, setWatchedStage, type WatchedStage } from '../refusals.js';
import type { DaemonConfig, Lab, Scenario } from '../scenario.js';
import { nat, tunnel } from '../topologies.js';

/** A server sends six to one address at once and then one a second (icmp_ratelimit in ip-sysctl). */
const several = 5;

const signal = 'ICMP errors';

const udp: Scenario = {
	name: 'nat-udp-unreachable',
	sentence: 'port unreachable tells that nobody listens for a UDP service',
	signal,
	ci: ['7'],
	topology: nat({ protocol: 'udp' }),
	async run(lab: Lab) {
		const stage = await setWatchedStage(lab, config(lab));
		await stage.victim.kill();
		lab.note(`${stage.victim.name} is killed: its kernel answers datagrams with port unreachable`);
		await expectErrors(lab, stage);
	},
};

const tunnelled: Scenario = {
	name: 'tun-unreachable',
	sentence: 'a server whose tunnel is down says so about the outer packet, and the host is suspected',
	ci: ['6.1'],
	topology: tunnel(),
	async run(lab: Lab) {
		const stage = await setWatchedStage(lab, config(lab));
		await lab.exec(stage.victim.name, 'ip', 'link', 'set', 'dev', 'tunl0', 'down');
		lab.note(`the tunnel of ${stage.victim.name} is down`);
		await expectErrors(lab, stage);
	},
};

function config(lab: Lab): DaemonConfig {
	return { ...observing(lab), ...(lab.blind ? { attach: 'none' } : {}) };
}

async function expectErrors(lab: Lab, { victim, daemon, traffic }: WatchedStage): Promise<void> {
	await awaitSuspicion(lab, daemon, victim, ['unreachable']);
	const counted = async () => (await testimony(lab)).unreachables(victim);
	await lab.until(`${several} ICMP errors are counted`, 30_000, async () => (await counted()) >= several);
	await traffic.stop();
	const told = await testimony(lab);
	lab.fact('ICMP errors counted', told.unreachables(victim));
	for (const other of lab.servers.filter((server) => server !== victim)) {
		lab.expect(told.unreachables(other) === 0, `nothing is told of ${other.destination}`, told.unreachables(other));
		await expectUnsuspected(lab, daemon, other);
	}
}

export default [udp, tunnelled];
