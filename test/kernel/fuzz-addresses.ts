/** Who speaks to whom in the fuzz, what of it is watched, and how an IP header is dressed: options, extension headers. */
import type { Endpoint } from '../../src/table/model.js';
import type { Random } from '../support/random.js';
import {
	destinationOptions,
	type Extension,
	fragmentHeader,
	hopByHop,
	type Ipv4Header,
	type Ipv6Header,
	ipv4,
	ipv6,
} from './packets.js';

export type Family = Endpoint['family'];
export type Some<T> = readonly [T, ...T[]];

/** Of some hosts and ports; the fuzz draws from others too. */
export const watched: readonly Endpoint[] = [
	{ protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 8080 },
	{ protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 443 },
	{ protocol: 'udp', family: 'inet', address: '10.1.0.11', port: 8080 },
	{ protocol: 'sctp', family: 'inet', address: '10.1.0.11', port: 8080 },
	{ protocol: 'tcp', family: 'inet', address: '10.1.0.12', port: 8080 },
	{ protocol: 'tcp', family: 'inet6', address: 'fd00::11', port: 8080 },
	{ protocol: 'udp', family: 'inet6', address: 'fd00::11', port: 443 },
	{ protocol: 'sctp', family: 'inet6', address: 'fd00::12', port: 8080 },
	{ protocol: 'tcp', family: 'inet6', address: 'fd00::12', port: 443 },
];

export const directors: Record<Family, string> = { inet: '10.1.0.1', inet6: 'fd00::1' };
export const localAddresses: readonly string[] = Object.values(directors);

export const servers: Record<Family, Some<string>> = {
	inet: ['10.1.0.11', '10.1.0.11', '10.1.0.12', '10.1.0.13'],
	inet6: ['fd00::11', 'fd00::11', 'fd00::12', 'fd00::13'],
};
export const clients: Record<Family, Some<string>> = {
	inet: ['192.0.2.7', '198.51.100.1', '203.0.113.255', directors.inet],
	inet6: ['2001:db8::7', '2001:db8:ffff::1', directors.inet6],
};
export const serverPorts: Some<number> = [8080, 8080, 443, 8081];

/** In words of four octets. */
export const optionsMaxWords = 10;

/** No-operations (RFC 791 §3.1), or what nobody has defined. */
function ipv4Options(random: Random): Uint8Array {
	const words = random.chance(0.3) ? random.below(optionsMaxWords + 1) : 0;
	return random.chance(0.5) ? new Uint8Array(4 * words).fill(1) : random.octets(4 * words);
}

function fragmentBits(random: Random): number {
	return random.chance(0.95) ? random.pick([0x4000, 0]) : random.pick([0x2000, 1, 0x2001, 0x1fff]);
}

export function dressed4(random: Random, header: Ipv4Header, payload: Uint8Array): Uint8Array {
	return ipv4({ options: ipv4Options(random), fragment: fragmentBits(random), ...header }, payload);
}

/** Type 253 is for experiments (RFC 4727 §3.3), so that nobody reads anything into its data; no segments are left. */
const routing: Extension = { number: 43, rest: Uint8Array.of(2, 253, 0, ...new Uint8Array(20)) };
/** RFC 4302: its length counts words, without the first two. */
const authentication: Extension = { number: 51, rest: Uint8Array.of(4, 0, 0, ...new Uint8Array(20)) };
const extensions: Some<Extension> = [hopByHop, destinationOptions, routing, authentication, fragmentHeader(0)];

function extensionChain(random: Random): Extension[] {
	const count = random.chance(0.5) ? 0 : random.below(9);
	return Array.from({ length: count }, () => random.pick(extensions));
}

export function dressed6(random: Random, header: Ipv6Header, payload: Uint8Array): Uint8Array {
	return ipv6({ extensions: extensionChain(random), ...header }, payload);
}
