/**
 * The text that names a service, an endpoint or a destination everywhere: map keys, journal lines,
 * log fields, command arguments. `tcp 10.0.0.100:80`, `fwmark 7`, `fwmark 7 inet6`,
 * `tcp 10.0.0.100:80 > 10.1.0.11:8080`. PURE.
 */
import { canonicalAddress, familyOf } from './address.js';
import type { Destination, Endpoint, Family, Listener, Protocol, Service, ServiceAddress } from './model.js';

export type ServiceId = string;
export type EndpointId = string;
export type ListenerId = string;
export type DestinationId = string;

/** `10.1.0.11:8080` or `[fd00::11]:8080`. */
export function hostPort(address: string, port: number): string {
	return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

export function serviceId(address: ServiceAddress): ServiceId {
	if (address.kind === 'address') return `${address.protocol} ${hostPort(address.address, address.port)}`;
	return address.family === 'inet6' ? `fwmark ${address.fwmark} inet6` : `fwmark ${address.fwmark}`;
}

export function endpointId(endpoint: Endpoint): EndpointId {
	return `${endpoint.protocol} ${hostPort(endpoint.address, endpoint.port)}`;
}

/** `tcp 10.1.0.11:8080`, or `tcp 10.0.0.100:80 on 10.1.0.11`; either with ` by udp 1f3c9a02`, where it is not asked plainly. */
export function listenerId({ endpoint, vip, way }: Listener): ListenerId {
	const where = vip
		? `${endpoint.protocol} ${hostPort(vip.address, vip.port)} on ${endpoint.address}`
		: endpointId(endpoint);
	return way === undefined ? where : `${where} by ${way}`;
}

export function destinationId(
	service: ServiceAddress,
	destination: Pick<Destination, 'address' | 'port'>,
): DestinationId {
	return `${serviceId(service)} > ${hostPort(destination.address, destination.port)}`;
}

/**
 * The endpoint behind a destination, or undefined where the table alone cannot name it: a firewall
 * mark carries no protocol, and a service of port 0, which is persistent, asks for the client's own port whatever
 * the destination's is (ip_vs_sched_persist, net/netfilter/ipvs/ip_vs_core.c).
 */
export function endpointOf(service: Pick<Service, 'address'>, destination: Destination): Endpoint | undefined {
	if (service.address.kind === 'fwmark' || service.address.port === 0 || destination.port === 0) return undefined;
	const { family, address, port } = destination;
	return { protocol: service.address.protocol, family, address, port };
}

/**
 * Where a client of this destination ends on the real server that is asked at `endpoint`: in DR and TUN on the VIP, with the
 * port that the client asked for. By a firewall mark the VIP is not known, and a tunnel may lead to another family.
 */
export function listenerOf(service: ServiceAddress, destination: Destination, endpoint: Endpoint): Listener {
	const { family, forwarding, tunnel } = destination;
	const isNamed = service.kind === 'address' && service.protocol === 'tcp' && service.port !== 0;
	if (!isNamed || service.family !== family || (forwarding !== 'droute' && forwarding !== 'tunnel'))
		return { endpoint, vip: undefined };
	const { address, port } = service;
	return { endpoint, vip: { address, port, forwarding, tunnel } };
}

/** Reads `10.1.0.11:8080` or `[fd00::11]:8080`, the address made canonical; undefined if it is neither. */
export function parseHostPort(text: string): { family: Family; address: string; port: number } | undefined {
	const match = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):(\d{1,5})$/.exec(text);
	if (!match || Number(match[3]) > 65535) return undefined;
	const address = canonicalAddress(match[1] ?? match[2] ?? '');
	if (address === undefined) return undefined;
	const family = familyOf(address);
	// Brackets are what tells the families apart in text: `[10.0.0.1]:80` is nobody's spelling.
	if ((family === 'inet6') !== (match[1] !== undefined)) return undefined;
	return { family, address, port: Number(match[3]) };
}

/**
 * Reads `tcp 10.0.0.100:80`, `udp [fd00::1]:53`, `fwmark 7` or `fwmark 7 inet6`; undefined if it is none of
 * these. The address comes back canonical, so that `serviceId(parseServiceId(text))` is the one name.
 */
export function parseServiceId(text: string): ServiceAddress | undefined {
	const mark = /^fwmark (\d{1,10})( inet6)?$/.exec(text);
	if (mark) return fwmarkAddress(Number(mark[1]), mark[2] ? 'inet6' : 'inet');
	const match = /^(tcp|udp|sctp) (\S+)$/.exec(text);
	const host = match && parseHostPort(match[2] ?? '');
	return host ? { kind: 'address', protocol: match[1] as Protocol, ...host } : undefined;
}

/** A mark is a 32-bit number; 0 is what the kernel calls "no mark". */
function fwmarkAddress(fwmark: number, family: Family): ServiceAddress | undefined {
	return fwmark >= 1 && fwmark <= 0xffffffff ? { kind: 'fwmark', family, fwmark } : undefined;
}
