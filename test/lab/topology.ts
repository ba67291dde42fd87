/**
 * A network as data: nodes (namespaces), the switches that join them, addresses, routes, sysctls and the director's
 * IPVS rules; and its rendering into one shell script per node, because each exec costs a tenth of a second under
 * emulation. DR, tunnels, IPv6, VLANs and bonds are more data of the same kind (`links`, `ports[].master`).
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
	/** Rules as `ipvsadm -R` takes them. */
	ipvs?: string[];
}

/** A bridge in a namespace of its own, with a veth to each port. */
export interface Network {
	name: string;
	ports: { node: string; interface: string; master?: string }[];
}

/** A listener that the lab starts on a real server. */
export interface RealServerPlace {
	node: string;
	address: string;
	port: number;
}

export interface Topology {
	nodes: Node[];
	networks: Network[];
	director: string;
	servers: RealServerPlace[];
	clients: { node: string; addresses: string[] };
	/** What clients ask for. */
	vip: { address: string; port: number };
	/** Kernel modules loaded before anything is made (schedulers, bonding, tunnels). */
	modules: string[];
}

const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

export interface NatOptions {
	/** Real servers r1..rN at 10.1.0.11 and up. */
	servers?: number;
	scheduler?: string;
	weight?: number;
	/** Distinct client /24 prefixes, 10.64.K.2. */
	prefixes?: number;
}

/** LVS-NAT, IPv4: clients - front - director - back - servers, whose default gateway is the director. */
export function natIpv4({ servers = 3, scheduler = 'wrr', weight = 100, prefixes = 10 }: NatOptions = {}): Topology {
	const vip = { address: '10.0.0.100', port: 80 };
	const places = range(servers).map((k) => ({ node: `r${k}`, address: `10.1.0.${10 + k}`, port: 8080 }));
	const sources = range(prefixes).map((k) => `10.64.${k}.2`);
	const service = `-t ${vip.address}:${vip.port}`;
	return {
		director: 'di',
		vip,
		servers: places,
		clients: { node: 'cl', addresses: sources },
		modules: ['bridge', 'veth', 'ip_vs', `ip_vs_${scheduler}`],
		networks: [
			{
				name: 'front',
				ports: [
					{ node: 'cl', interface: 'front0' },
					{ node: 'di', interface: 'front0' },
				],
			},
			{
				name: 'back',
				ports: [{ node: 'di', interface: 'back0' }, ...places.map(({ node }) => ({ node, interface: 'back0' }))],
			},
		],
		nodes: [
			{
				name: 'cl',
				addresses: { front0: ['10.0.0.2/24'], lo: sources.map((address) => `${address}/32`) },
			},
			{
				name: 'di',
				addresses: { front0: ['10.0.0.1/24', `${vip.address}/32`], back0: ['10.1.0.1/24'] },
				routes: ['10.64.0.0/16 via 10.0.0.2'],
				sysctls: { 'net/ipv4/ip_forward': '1' },
				ipvs: [
					`-A ${service} -s ${scheduler}`,
					...places.map(({ address, port }) => `-a ${service} -r ${address}:${port} -m -w ${weight}`),
				],
			},
			...places.map(({ node, address }) => ({
				name: node,
				addresses: { back0: [`${address}/24`] },
				routes: ['default via 10.1.0.1'],
			})),
		],
	};
}

/** The switch of a network is a namespace too, so that no node sees another's bridge. */
const switchOf = (network: Network) => `sw-${network.name}`;

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

/** On the switch a port is named after its node; interface names end at 15 characters (IFNAMSIZ). */
const portName = (port: { node: string; interface: string }) => `${port.node}-${port.interface}`.slice(0, 15);

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
		...ports.map((port) => `link set dev ${port.interface} ${port.master ? `master ${port.master} ` : ''}up`),
		...Object.entries(node.addresses ?? {}).flatMap(([name, list]) =>
			list.map((address) => addressLine(name, address)),
		),
		...(node.routes ?? []).map((route) => `route add ${route}`),
	];
	const sysctls = Object.entries(node.sysctls ?? {}).map(([key, value]) => `echo '${value}' >/proc/sys/${key}`);
	return [...sysctls, batch(lines), ...(node.ipvs ? [`ipvsadm -R <<'END'\n${node.ipvs.join('\n')}\nEND`] : [])].join(
		'\n',
	);
}

/** `nodad`: duplicate address detection would keep an IPv6 address unusable for a second. */
function addressLine(name: string, address: string): string {
	return `address add ${address} dev ${name}${address.includes(':') ? ' nodad' : ''}`;
}

function batch(lines: string[]): string {
	return `ip -batch - <<'END'\n${lines.join('\n')}\nEND`;
}
