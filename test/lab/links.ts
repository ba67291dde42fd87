/**
 * Links for the scenarios: the director's side towards the servers put on a bond or a VLAN, links cut at the switch, and
 * what ipvigil says of them read from its log.
 */
import type { LinkChange } from '../../src/evidence/links.js';
import type { Daemon, Lab } from './scenario.js';
import { type Node, portName, switchOf, type Topology } from './topology.js';

/** How long a change may take to be told: a bond polls its links every 50 ms, and an emulated guest stands still now and then. */
export const changeLimitMs = 20_000;

/** `back0` of the director becomes the bond `bond0` of `s0` and `s1`, its links polled every 50 ms. */
export function overBond(topology: Topology, mode = 'mode active-backup'): Topology {
	const ports = ['s0', 's1'].map((name) => ({ node: topology.director, interface: name, master: 'bond0' }));
	const networks = topology.networks.map((network) => ({
		...network,
		ports: network.ports.flatMap((port) =>
			port.node === topology.director && port.interface === 'back0' ? ports : [port],
		),
	}));
	const links = [`link add name bond0 type bond ${mode} miimon 50`, 'link set dev bond0 up'];
	const nodes = topology.nodes.map((node) => (node.name === topology.director ? moved(node, 'bond0', links) : node));
	return { ...topology, networks, nodes, modules: [...topology.modules, 'bonding'] };
}

/** Everybody's `back0` carries the VLAN 7, and `back0.7` the addresses. */
export function overVlan(topology: Topology): Topology {
	const links = ['link set dev back0 up', 'link add link back0 name back0.7 type vlan id 7', 'link set dev back0.7 up'];
	const nodes = topology.nodes.map((node) => (node.addresses?.back0 ? moved(node, 'back0.7', links) : node));
	return { ...topology, nodes, modules: [...topology.modules, '8021q'] };
}

function moved(node: Node, name: string, links: string[]): Node {
	const { back0 = [], ...others } = node.addresses ?? {};
	return { ...node, links: [...(node.links ?? []), ...links], addresses: { ...others, [name]: back0 } };
}

/** Cuts or mends the cable of a node's interface, at the switch `back`: what it notices is its carrier. */
export async function setCable(lab: Lab, node: string, name: string, state: 'up' | 'down'): Promise<void> {
	const port = portName({ node, interface: name });
	await lab.exec(switchOf({ name: 'back' }), 'ip', 'link', 'set', 'dev', port, state);
}

/** The switch `back` joins the director's two ports into an aggregate that speaks LACP, as `overBond` with 802.3ad does. */
export async function joinPorts(lab: Lab): Promise<void> {
	const ports = ['s0', 's1'].map((name) => portName({ node: lab.topology.director, interface: name }));
	const lines = [
		`ip link add name lag0 type bond ${lacp} miimon 50`,
		...ports.map((port) => `ip link set dev ${port} nomaster down && ip link set dev ${port} master lag0`),
		'ip link set dev lag0 master br up',
		...ports.map((port) => `ip link set dev ${port} up && tc qdisc add dev ${port} clsact`),
	];
	await lab.exec(switchOf({ name: 'back' }), 'sh', '-c', lines.join(' && '));
}

/** Whether the switch sends its LACPDUs (Ethernet type 0x8809, IEEE 802.3 annex 57A) to the director. */
export async function setLacp(lab: Lab, speaks: boolean): Promise<void> {
	const ports = ['s0', 's1'].map((name) => portName({ node: lab.topology.director, interface: name }));
	const lines = ports.map((port) =>
		speaks
			? `tc filter del dev ${port} egress`
			: `tc filter add dev ${port} egress protocol 0x8809 matchall action drop`,
	);
	await lab.exec(switchOf({ name: 'back' }), 'sh', '-c', lines.join(' && '));
}

/** A partner that is not heard for 3 s has left; one that is, every second. */
export const lacp = 'mode 802.3ad lacp_rate fast';

/** What ipvigil's log says of links, in order. */
export function linkChanges(daemon: Daemon): LinkChange[] {
	return daemon.log().flatMap((line) => {
		const { interface: interfaceName, ...change } = line as unknown as LinkChange & { interface?: string };
		return interfaceName !== undefined && change.what !== undefined && change.by !== undefined
			? [{ ...change, interfaceName }]
			: [];
	});
}

/** The changes of one kind of one interface, as "from to". */
export function changesOf(daemon: Daemon, name: string, what: LinkChange['what']): string[] {
	return linkChanges(daemon)
		.filter((change) => change.interfaceName === name && change.what === what)
		.map(({ from, to }) => `${from} ${to}`);
}

/** What a director must not do for a fault of its own: every weight is as it was, and nothing was taken out meanwhile. */
export async function expectNobodyBlamed(lab: Lab, daemon: Daemon): Promise<void> {
	const touched = [...(await lab.director.weights())].filter(([, weight]) => weight !== 100);
	lab.expect(touched.length === 0, 'no server is taken out', touched);
	const taken = (await daemon.journal()).filter(({ scenario }) => scenario === 'quiesced');
	lab.expect(taken.length === 0, 'nor was one meanwhile', taken);
}
