/**
 * A network as data: nodes (namespaces), the switches that join them, addresses, routes, sysctls and the director's
 * IPVS rules; and its rendering into one shell script per node, because each exec costs a tenth of a second under
 * emulation. The networks that there are stand in topologies.ts; VLANs and bonds are more data of the same kind
 * (`links`, `ports[].master`).
 */

export interface Node {
	name: string;
	/** `ip -batch` lines run first: bonds, VLANs, tunnels, dummies. */
	links?: string[];
	/** Address by interface; a prefix length is part of it. `lo` may carry some. */
	addresses?: Record<string, string[]>;
	/** Arguments of `ip route add`, which reads the family from the addresses. */
	routes?: string[];
	/** Below /proc/sys, with slashes: `net/ipv4/ip_forward`. */
	sysctls?: Record<string, string>;
	/** Rules as `nft -f` takes them. */
	firewall?: string;
	/** Rules as `ipvsadm -R` takes them. */
	ipvs?: string[];
}

/** A bridge in a namespace of its own, with a veth to each port. */
export interface Network {
	name: string;
	ports: { node: string; interface: string; master?: string }[];
}

/** A destination of the director, and the listener that the lab starts for it. */
export interface RealServerPlace {
	node: string;
	/** As IPVS names it; port 0 where the client's own port is kept (firewall marks). */
	address: string;
	port: number;
	/** Where it listens, if not just there: a server in DR or TUN has the VIP too. */
	listen?: { address: string; ports: number[] };
}

export interface Topology {
	nodes: Node[];
	networks: Network[];
	director: string;
	servers: RealServerPlace[];
	clients: { node: string; addresses: string[] };
	/** What clients ask for. */
	vip: { address: string; port: number };
	/** What they speak; default TCP. */
	protocol?: 'udp';
	/** Kernel modules loaded before anything is made (schedulers, bonding, tunnels). */
	modules: string[];
}

/** On the switch a port is named after its node; interface names end at 15 characters (IFNAMSIZ). */
export const portName = (port: { node: string; interface: string }) => `${port.node}-${port.interface}`.slice(0, 15);

/** The switch of a network is a namespace too, so that no node sees another's bridge. */
export const switchOf = (network: { name: string }) => `sw-${network.name}`;

export function namespacesOf(topology: Topology): string[] {
	return [...topology.nodes.map(({ name }) => name), ...topology.networks.map(switchOf)];
}

/** Scripts in the order they must run: `undefined` is the machine's own namespace, where veths are made. */
export function render(topology: Topology): { namespace: string | undefined; script: string }[] {
	return [
		{
			namespace: undefined,
			script: batch([...namespacesOf(topology).map((name) => `netns add ${name}`), ...veths(topology)]),
		},
		...topology.networks.map((network) => ({ namespace: switchOf(network), script: batch(switchLines(network)) })),
		...topology.nodes.map((node) => ({ namespace: node.name, script: nodeScript(node, topology) })),
	];
}

function veths(topology: Topology): string[] {
	return topology.networks.flatMap((network) =>
		network.ports.map(
			(port) =>
				`link add name ${portName(port)} netns ${switchOf(network)} type veth ` +
				`peer name ${port.interface} netns ${port.node}`,
		),
	);
}

function switchLines(network: Network): string[] {
	return [
		'link add name br type bridge stp_state 0 forward_delay 0',
		'link set dev br up',
		...network.ports.map((port) => `link set dev ${portName(port)} master br up`),
	];
}

function nodeScript(node: Node, topology: Topology): string {
	const ports = topology.networks.flatMap(({ ports }) => ports.filter((port) => port.node === node.name));
	const lines = [
		'link set dev lo up',
		...(node.links ?? []),
		// A bond takes no port that is up, and some kernels set it up first where one command asks for both.
		...ports.flatMap(({ interface: name, master }) => (master ? [`link set dev ${name} master ${master}`] : [])),
		...ports.map((port) => `link set dev ${port.interface} up`),
		...Object.entries(node.addresses ?? {}).flatMap(([name, list]) =>
			list.map((address) => addressLine(name, address)),
		),
		...(node.routes ?? []).map((route) => `route add ${route}`),
	];
	return [
		...Object.entries({ ...quietPorts(node, ports), ...node.sysctls }).map(
			([key, value]) => `echo '${value}' >/proc/sys/${key}`,
		),
		batch(lines),
		...(node.firewall ? [heredoc('nft -f -', node.firewall)] : []),
		...(node.ipvs ? [heredoc('ipvsadm -R', node.ipvs.join('\n'))] : []),
	].join('\n');
}

/**
 * While duplicate address detection goes on, a second long, a port has no usable link-local address and its node cannot
 * ask for a neighbour (ndisc_solicit, net/ipv6/ndisc.c).
 */
function quietPorts(node: Node, ports: { interface: string }[]): Record<string, string> {
	const speaksIpv6 = Object.values(node.addresses ?? {}).some((list) => list.some((address) => address.includes(':')));
	if (!speaksIpv6) return {};
	return Object.fromEntries(ports.map((port) => [`net/ipv6/conf/${port.interface}/accept_dad`, '0']));
}

/** `nodad`: duplicate address detection would keep an IPv6 address unusable for a second. */
function addressLine(name: string, address: string): string {
	return `address add ${address} dev ${name}${address.includes(':') ? ' nodad' : ''}`;
}

function batch(lines: string[]): string {
	return heredoc('ip -batch -', lines.join('\n'));
}

function heredoc(command: string, text: string): string {
	return `${command} <<'END'\n${text}\nEND`;
}
