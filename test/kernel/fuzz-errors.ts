/**
 * The ICMP errors of the fuzz: about clients' packets to the servers, and about the director's own outer packets of a
 * tunnel, quoted as far as their sender liked, from an IP header down to nothing.
 */

import type { Random } from '../support/random.js';
import {
	clients,
	directors,
	dressed4,
	dressed6,
	type Family,
	type Some,
	serverPorts,
	servers,
} from './fuzz-addresses.js';
import { gre, gue, gueDirect, icmp4Error, icmp6Error, ports } from './icmp-packets.js';
import { ipProtocol } from './packets.js';

/** Types that count and types that do not (RFC 792; RFC 4443), a few more of those that count. */
const types: Record<Family, Some<number>> = { inet: [3, 3, 3, 11, 4, 5, 12, 0], inet6: [1, 1, 1, 3, 2, 4, 128] };
const codesEnd = 16;
const transports: Some<number> = [ipProtocol.tcp, ipProtocol.tcp, ipProtocol.udp, ipProtocol.sctp, 1];
const greFlags: Some<number> = [0, 0, 0x2000, 0x8000, 0xb000, 0x4000, 1];
const etherTypes: Record<Family, number> = { inet: 0x0800, inet6: 0x86dd };
const innerProtocols: Record<Family, number> = { inet: ipProtocol.ipip, inet6: ipProtocol.ipv6 };
const families: Some<Family> = ['inet', 'inet6'];

function packet(
	random: Random,
	family: Family,
	source: string,
	destination: string,
	protocol: number,
	body: Uint8Array,
) {
	const header = { source, destination, protocol };
	return family === 'inet' ? dressed4(random, header, body) : dressed6(random, header, body);
}

/** Ports and sequence number, and the rest of a header of twenty octets. */
function transportHeader(random: Random): Uint8Array {
	const rest = Uint8Array.of(0, 0, 0, 0, 0x50, 2, 0, 0, 0, 0, 0, 0);
	return Uint8Array.from([...ports(1024 + random.below(60_000), random.pick(serverPorts), random.next()), ...rest]);
}

interface Quote {
	octets: Uint8Array;
	/** Its source, to whom an error about it goes. */
	source: string;
}

function clientQuote(random: Random, family: Family, destination: string): Quote {
	const source = random.pick(clients[family]);
	const octets = packet(random, family, source, destination, random.pick(transports), transportHeader(random));
	return { octets, source };
}

/** What stands behind the director's outer header, and the number by which that names it. */
function encapsulated(random: Random): { protocol: number; octets: Uint8Array } {
	const family = random.pick(families);
	const inner = clientQuote(random, family, random.pick(servers[family])).octets;
	const protocol = innerProtocols[family];
	switch (random.below(4)) {
		case 0:
			return { protocol: ipProtocol.gre, octets: gre(inner, etherTypes[family], random.pick(greFlags)) };
		case 1:
			return { protocol: ipProtocol.udp, octets: gue(inner, protocol, random.pick([0, 0, 1, 3])) };
		case 2:
			return { protocol: ipProtocol.udp, octets: gueDirect(inner) };
		default:
			return { protocol, octets: inner };
	}
}

function tunnelQuote(random: Random, family: Family, destination: string): Quote {
	const source = random.chance(0.9) ? directors[family] : random.pick(clients[family]);
	const { protocol, octets } = encapsulated(random);
	return { octets: packet(random, family, source, destination, protocol, octets), source };
}

/** RFC 792 promises an IP header and eight octets; some give less, most today give more. */
function cut(random: Random, octets: Uint8Array): Uint8Array {
	return random.chance(0.6) ? octets : octets.subarray(0, random.below(octets.length + 1));
}

/** The packet with the error, from its IP header on. */
export function errorPacket(random: Random, family: Family): Uint8Array {
	const destination = random.pick(servers[family]);
	const quote = (random.chance(0.4) ? tunnelQuote : clientQuote)(random, family, destination);
	const error = {
		type: random.pick(types[family]),
		code: random.below(codesEnd),
		reporter: random.chance(0.7) ? destination : random.pick(clients[family]),
		to: random.chance(0.95) ? quote.source : random.pick(clients[family]),
	};
	return (family === 'inet' ? icmp4Error : icmp6Error)(cut(random, quote.octets), error);
}
