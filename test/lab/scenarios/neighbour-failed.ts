/** A real server vanishes from the director's own network: the kernel's failed neighbour entry names it, and its return. */
import { awaitSuspicion } from '../evidence.js';
import { changeLimitMs, linkChanges, setCable } from '../links.js';
import { setWatchedStage } from '../refusals.js';
import type { Daemon, Lab, Scenario } from '../scenario.js';
import { natIpv4 } from '../topologies.js';
import type { Topology } from '../topology.js';

/** Doubted after 2 s at most and asked twice: some 5 s instead of half a minute. */
function impatient(topology: Topology): Topology {
	const entry = 'net/ipv4/neigh/back0';
	const sysctls = {
		[`${entry}/base_reachable_time_ms`]: '1000',
		[`${entry}/delay_first_probe_time`]: '1',
		[`${entry}/ucast_solicit`]: '2',
	};
	const nodes = topology.nodes.map((node) =>
		node.name === topology.director ? { ...node, sysctls: { ...node.sysctls, ...sysctls } } : node,
	);
	return { ...topology, nodes };
}

const scenario: Scenario = {
	name: 'neighbour-failed',
	sentence: 'a server that vanishes from the director’s own network is named and suspected by its neighbour entry',
	topology: impatient(natIpv4({ servers: 3 })),
	ci: ['7'],
	limitMs: 240_000,
	async run(lab: Lab) {
		// Without the hooks inside IPVS a silent host is told by its neighbour entry alone.
		const { daemon, traffic, victim } = await setWatchedStage(lab, { attempts: 'wire' });
		const cutAtMs = lab.nowMs();
		await setCable(lab, victim.name, 'back0', 'down');
		lab.note(`${victim.name} is cut off`, cutAtMs);
		await lab.until('the failed neighbour is told', changeLimitMs, () => neighbours(daemon).length > 0);
		await awaitSuspicion(lab, daemon, victim, ['neighbour-failed']);
		await setCable(lab, victim.name, 'back0', 'up');
		await lab.until('its return is told', changeLimitMs, () => neighbours(daemon).length > 1);
		await traffic.stop();
		const told = neighbours(daemon);
		lab.expect(
			told.join() === '10.1.0.11 failed by hook on back0,10.1.0.11 reachable by hook on back0',
			'failure and return of this one server are told, once each, by the hooks',
			told,
		);
		const [failed] = linkChanges(daemon);
		if (failed) lab.fact('from the cut to the word of it, ms', Math.round(failed.atUs / 1_000 - cutAtMs));
		lab.expect((await daemon.stop()) === 0, 'ipvigil stops in order', daemon.lines.slice(-5));
	},
};

function neighbours(daemon: Daemon): string[] {
	return linkChanges(daemon)
		.filter(({ what }) => what === 'neighbour')
		.map(({ address, to, by, interfaceName }) => `${address} ${to} by ${by} on ${interfaceName}`);
}

export default scenario;
