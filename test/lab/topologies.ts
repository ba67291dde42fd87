/**
 * The networks of the lab, as data: a director between clients and real servers in each forwarding method and family.
 * In all of them the clients are behind `front`, the servers behind `back`; where servers answer by themselves (DR, TUN)
 * they reach the clients over `own`, which the director is not on. How they become namespaces is topology.ts's business.
 */
import type { Network, Node, RealServerPlace, Topology } from './topology.js';

export interface NetworkOptions {
	family?: 'ipv4' | 'ipv6';
	/** Real servers r1..rN at 10.1.0.11 and up. */
	servers?: number;
	scheduler?: string;
	/** The scheduler's flags, as ipvsadm's `-b` takes them: `sh-fallback`. */
	schedulerFlags?: string;
	weight?: number;
	/** Distinct client networks: /24 in IPv4, /48 in IPv6. */
	prefixes?: number;
	protocol?: 'udp';
	/** Seconds for which a client stays with its server. */
	persistentS?: number;
	/** A node `st` on the servers' network that is none of them. */
	stranger?: boolean;
	/** In DR and TUN the servers listen on the VIP and nowhere else. */
	vipOnly?: boolean;
}

export interface DirectOptions extends NetworkOptions {
	/** The director is the servers' gateway, so replies pass it after all. IPv4. */
	gateway?: boolean;
	/** The director serves too (two-box LVS), under its own name. */
	localnode?: boolean;
}

interface Family {
	vip: string;
	/** Host k of each network. */
	front(k: number): string;
	back(k: number): string;
	own(k: number): string;
	client(k: number): string;
	/** All the clients. */
	clients: string;
	any: string;
	prefixBits: number;
	hostBits: number;
	forwarding: string;
}

const families: Record<'ipv4' | 'ipv6', Family> = {
	ipv4: {
		vip: '10.0.0.100',
		front: (k) => `10.0.0.${k}`,
		back: (k) => `10.1.0.${k}`,
		own: (k) => `10.2.0.${k}`,
		client: (k) => `10.64.${k}.2`,
		clients: '10.64.0.0/16',
		any: '0.0.0.0',
		prefixBits: 24,
		hostBits: 32,
		forwarding: 'net/ipv4/ip_forward',
	},
	ipv6: {
		vip: 'fd00::100',
		front: (k) => `fd00::${k}`,
		back: (k) => `fd01::${k}`,
		own: (k) => `fd02::${k}`,
		client: (k) => `fd64:0:${k}::2`,
		clients: 'fd64::/32',
		any: '::',
		prefixBits: 64,
		hostBits: 128,
		forwarding: 'net/ipv6/conf/all/forwarding',
	},
};

const directorHost = 1;
const clientHost = 2;
const strangerHost = 66;
const webPort = 80;
const natPort = 8080;

const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

export const hostPort = ({ address, port }: { address: string; port: number }) =>
	address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

/** How a forwarding method differs from the others; `forwarding` is ipvsadm's word for it. */
interface Method {
	forwarding: '-m' | '-g' | '-i';
	places: RealServerPlace[];
	server(place: RealServerPlace, index: number): Omit<Node, 'name'>;
	/** Over `own`, and not back through the director. */
	answersItself: boolean;
	modules?: string[];
	sysctls?: Record<string, string>;
}

/** LVS-NAT: the servers' default gateway is the director. */
export function nat(options: NetworkOptions = {}): Topology {
	const family = families[options.family ?? 'ipv4'];
	return assemble(family, options, {
		forwarding: '-m',
		places: places(family, options, natPort),
		answersItself: false,
		server: (_place, index) => ({
			addresses: { back0: [backAddress(family, 11 + index)] },
			routes: [`default via ${family.back(directorHost)}`],
		}),
	});
}

/** LVS-NAT over IPv4, the plain case. */
export const natIpv4 = (options: NetworkOptions = {}): Topology => nat(options);

/**
 * LVS-NAT by firewall mark 7: ports 80 and 8081 of the VIP are one service, whose destinations have no port of their
 * own.
 */
export function natFwmark(options: NetworkOptions = {}): Topology {
	const topology = nat(options);
	const { address } = topology.vip;
	const servers = topology.servers.map(({ node, address }) => ({
		node,
		address,
		port: 0,
		listen: { address, ports: markedPorts },
	}));
	const rule = `type filter hook prerouting priority -150; ip daddr ${address} tcp dport { ${markedPorts.join(', ')} }`;
	const director: Partial<Node> = {
		firewall: `table ip lab { chain marking { ${rule} meta mark set ${fwmark}; }; }`,
		ipvs: rules(`-f ${fwmark}`, servers, '-m', options),
	};
	const nodes = topology.nodes.map((node) => (node.name === topology.director ? { ...node, ...director } : node));
	return { ...topology, servers, nodes };
}

const fwmark = 7;
const markedPorts = [webPort, 8081];

/** Held on an interface that answers no ARP for it (arp_ignore 1), so that the director alone is the VIP to others. */
const hiddenVip = {
	'net/ipv4/conf/all/arp_ignore': '1',
	'net/ipv4/conf/all/arp_announce': '2',
};

/** LVS-DR: the servers hold the VIP on `lo`, and listen on their own addresses as well. */
export function direct(options: DirectOptions = {}): Topology {
	const family = families[options.family ?? 'ipv4'];
	const local: RealServerPlace[] = options.localnode
		? [
				{
					node: 'di',
					address: family.back(directorHost),
					port: webPort,
					listen: { address: family.any, ports: [webPort] },
				},
			]
		: [];
	return assemble(family, options, {
		forwarding: '-g',
		places: [...local, ...beyondTheirAddress(family, options, places(family, options, webPort))],
		answersItself: !options.gateway,
		server: (_place, index) => ({
			addresses: {
				back0: [backAddress(family, 11 + index)],
				lo: [`${family.vip}/${family.hostBits}`],
			},
			sysctls: hiddenVip,
			...(options.gateway ? { routes: [`default via ${family.back(directorHost)}`] } : {}),
		}),
		// Replies come from the VIP, which is the director's own address too: a martian otherwise (fib_validate_source).
		...(options.gateway ? { sysctls: { 'net/ipv4/conf/back0/accept_local': '1' } } : {}),
	});
}

/** LVS-TUN by IPIP: as DR, but the packet comes to the server's own address, with the client's inside. IPv4. */
export function tunnel(options: NetworkOptions = {}): Topology {
	const family = families.ipv4;
	return assemble(family, options, {
		forwarding: '-i',
		places: beyondTheirAddress(family, options, places(family, options, webPort)),
		answersItself: true,
		modules: ['ipip'],
		server: (_place, index) => ({
			links: ['link set dev tunl0 up'],
			addresses: {
				back0: [backAddress(family, 11 + index)],
				tunl0: [`${family.vip}/${family.hostBits}`],
			},
			// What comes out of the tunnel came in by another interface than its answer leaves by.
			sysctls: { ...hiddenVip, 'net/ipv4/conf/all/rp_filter': '0', 'net/ipv4/conf/tunl0/rp_filter': '0' },
		}),
	});
}

const backAddress = (family: Family, k: number) => `${family.back(k)}/${family.prefixBits}`;

function places(family: Family, { servers = 3 }: NetworkOptions, port: number): RealServerPlace[] {
	return range(servers).map((k) => ({ node: `r${k}`, address: family.back(10 + k), port }));
}

/** On the VIP for the clients, and on the server's own address too unless that is not wanted. */
function beyondTheirAddress(family: Family, { vipOnly }: NetworkOptions, list: RealServerPlace[]): RealServerPlace[] {
	const address = vipOnly ? family.vip : family.any;
	return list.map((place) => ({ ...place, listen: { address, ports: [place.port] } }));
}

function assemble(family: Family, options: NetworkOptions, method: Method): Topology {
	const { scheduler = 'wrr', prefixes = 10, protocol, stranger = false } = options;
	const vip = { address: family.vip, port: webPort };
	const sources = range(prefixes).map(family.client);
	const machines = method.places.filter(({ node }) => node !== 'di');
	const service = `${protocol === 'udp' ? '-u' : '-t'} ${hostPort(vip)}`;
	return {
		director: 'di',
		vip,
		...(protocol ? { protocol } : {}),
		servers: method.places,
		clients: { node: 'cl', addresses: sources },
		modules: ['bridge', 'veth', 'ip_vs', `ip_vs_${scheduler}`, ...(method.modules ?? [])],
		networks: networks(
			machines.map(({ node }) => node),
			method.answersItself,
			stranger,
		),
		nodes: [
			client(family, sources, method.answersItself),
			{
				name: 'di',
				addresses: {
					front0: [`${family.front(directorHost)}/${family.prefixBits}`, `${vip.address}/${family.hostBits}`],
					back0: [backAddress(family, directorHost)],
				},
				routes: [`${family.clients} via ${family.front(clientHost)}`],
				sysctls: { [family.forwarding]: '1', ...method.sysctls },
				ipvs: rules(service, method.places, method.forwarding, options),
			},
			...machines.map((place, index) => server(family, method, place, index)),
			...(stranger ? [{ name: 'st', addresses: { back0: [backAddress(family, strangerHost)] } }] : []),
		],
	};
}

function networks(machines: string[], answersItself: boolean, stranger: boolean): Network[] {
	const ports = (nodes: string[], name: string) => nodes.map((node) => ({ node, interface: name }));
	const own = { name: 'own', ports: ports(['cl', ...machines], 'own0') };
	return [
		{ name: 'front', ports: ports(['cl', 'di'], 'front0') },
		{ name: 'back', ports: ports(['di', ...machines, ...(stranger ? ['st'] : [])], 'back0') },
		...(answersItself ? [own] : []),
	];
}

function client(family: Family, sources: string[], answersItself: boolean): Node {
	const own = answersItself ? { own0: [`${family.own(clientHost)}/${family.prefixBits}`] } : {};
	return {
		name: 'cl',
		addresses: {
			front0: [`${family.front(clientHost)}/${family.prefixBits}`],
			...own,
			lo: sources.map((address) => `${address}/${family.hostBits}`),
		},
	};
}

function server(family: Family, method: Method, place: RealServerPlace, index: number): Node {
	const made = method.server(place, index);
	if (!method.answersItself) return { name: place.node, ...made };
	const own = { own0: [`${family.own(11 + index)}/${family.prefixBits}`] };
	return {
		name: place.node,
		...made,
		addresses: { ...made.addresses, ...own },
		routes: [...(made.routes ?? []), `${family.clients} via ${family.own(clientHost)}`],
	};
}

function rules(
	service: string,
	list: RealServerPlace[],
	forwarding: string,
	{ scheduler = 'wrr', schedulerFlags, weight = 100, persistentS }: NetworkOptions,
): string[] {
	const words = [
		`-A ${service} -s ${scheduler}`,
		...(persistentS ? [`-p ${persistentS}`] : []),
		...(schedulerFlags ? [`-b ${schedulerFlags}`] : []),
	];
	return [words.join(' '), ...list.map((place) => `-a ${service} -r ${hostPort(place)} ${forwarding} -w ${weight}`)];
}
