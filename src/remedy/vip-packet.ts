/**
 * Ethernet frames, IP packets and TCP segments of the VIP probe, written and read. Readers give undefined for what is
 * cut or is something else. They check no checksum: a frame that a virtual machine or a veth hands over has none yet
 * (CHECKSUM_PARTIAL in include/linux/skbuff.h), and what proves an answer genuine is the number it repeats. PURE.
 */
import { linkAddressText } from '../netlink/route-bond.js';
import { familyOf, formatIpv4, formatIpv6 } from '../table/address.js';
import type { Family } from '../table/model.js';
import { addressOctets, be16, be32, concat, macOctets, viewOf, withChecksum } from './vip-octets.js';

/** IEEE 802 numbers (linux/if_ether.h). */
export const etherType = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;

/** IANA protocol numbers (linux/in.h). */
export const ipProtocol = { icmp: 1, ipip: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47, icmp6: 58 } as const;

export interface Frame {
	/** MAC addresses as "02:00:00:00:00:11". */
	destination: string;
	source: string;
	type: number;
	payload: Uint8Array;
}

const ethernetHeaderLength = 14;

export function writeFrame({ destination, source, type, payload }: Frame): Uint8Array {
	return concat(macOctets(destination), macOctets(source), be16(type), payload);
}

export function readFrame(octets: Uint8Array): Frame | undefined {
	if (octets.length < ethernetHeaderLength) return undefined;
	const destination = linkAddressText(octets.subarray(0, 6));
	const source = linkAddressText(octets.subarray(6, 12));
	return { destination, source, type: viewOf(octets).getUint16(12), payload: octets.subarray(ethernetHeaderLength) };
}

/** Two addresses of one family. */
export interface Ends {
	source: string;
	destination: string;
}

export interface Packet extends Ends {
	family: Family;
	protocol: number;
	hopLimit: number;
	/** As much of it as there is; the padding of a short frame is not. */
	payload: Uint8Array;
}

/** What Linux itself starts with (net.ipv4.ip_default_ttl, net.ipv6.conf.*.hop_limit). */
const hopLimitDefault = 64;

/** A packet without options that is not to be fragmented; IPv4 needs no identification then (RFC 6864 §4.1). */
export function writePacket(
	ends: Ends,
	protocol: number,
	payload: Uint8Array,
	hopLimit: number = hopLimitDefault,
): Uint8Array {
	const addresses = concat(addressOctets(ends.source), addressOctets(ends.destination));
	if (familyOf(ends.source) === 'inet6')
		return concat(be32(0x6000_0000), be16(payload.length), Uint8Array.of(protocol, hopLimit), addresses, payload);
	const first = be16(0x4500, 20 + payload.length, 0, 0x4000);
	const header = withChecksum(concat(first, Uint8Array.of(hopLimit, protocol), be16(0), addresses), 10);
	return concat(header, payload);
}

/** The first fragment is read, the others are not; extension headers of IPv6 are the payload of an unknown protocol. */
export function readPacket(octets: Uint8Array): Packet | undefined {
	const version = (octets[0] ?? 0) >> 4;
	if (version === 4) return readIpv4(octets);
	return version === 6 ? readIpv6(octets) : undefined;
}

function readIpv4(octets: Uint8Array): Packet | undefined {
	const headerLength = ((octets[0] ?? 0) & 0x0f) * 4;
	if (headerLength < 20 || octets.length < headerLength) return undefined;
	const view = viewOf(octets);
	if ((view.getUint16(6) & 0x1fff) !== 0) return undefined;
	return {
		family: 'inet',
		source: formatIpv4(octets, 12),
		destination: formatIpv4(octets, 16),
		protocol: view.getUint8(9),
		hopLimit: view.getUint8(8),
		payload: octets.subarray(headerLength, Math.max(headerLength, view.getUint16(2))),
	};
}

const ipv6HeaderLength = 40;

function readIpv6(octets: Uint8Array): Packet | undefined {
	if (octets.length < ipv6HeaderLength) return undefined;
	const view = viewOf(octets);
	return {
		family: 'inet6',
		source: formatIpv6(octets, 8),
		destination: formatIpv6(octets, 24),
		protocol: view.getUint8(6),
		hopLimit: view.getUint8(7),
		payload: octets.subarray(ipv6HeaderLength, ipv6HeaderLength + view.getUint16(4)),
	};
}

/** What the checksums of TCP, UDP and ICMPv6 also cover (RFC 9293 §3.1, RFC 8200 §8.1). */
export function pseudoHeader(ends: Ends, protocol: number, length: number): Uint8Array {
	const addresses = concat(addressOctets(ends.source), addressOctets(ends.destination));
	if (familyOf(ends.source) === 'inet6') return concat(addresses, be32(length), be32(protocol));
	return concat(addresses, be16(protocol, length));
}

export const tcpFlag = { fin: 0x01, syn: 0x02, rst: 0x04, psh: 0x08, ack: 0x10 } as const;

export interface Segment {
	sourcePort: number;
	destinationPort: number;
	sequence: number;
	acknowledgement: number;
	/** A sum of `tcpFlag`. */
	flags: number;
}

/** Kind 2: a SYN without it is a rarity that a firewall may drop. The value is what every path carries. */
const segmentSizeOption: Record<Family, Uint8Array> = { inet: be16(0x0204, 536), inet6: be16(0x0204, 1220) };
const windowOctets = 64_240;

/** A whole TCP packet. */
export function writeSegment(ends: Ends, segment: Segment, data: Uint8Array = new Uint8Array()): Uint8Array {
	const { sourcePort, destinationPort, sequence, acknowledgement, flags } = segment;
	const options = (flags & tcpFlag.syn) !== 0 ? segmentSizeOption[familyOf(ends.source)] : new Uint8Array();
	const numbers = concat(be16(sourcePort, destinationPort), be32(sequence), be32(acknowledgement));
	const rest = be16(((20 + options.length) << 10) | flags, windowOctets, 0, 0);
	const octets = concat(numbers, rest, options, data);
	const checked = withChecksum(octets, 16, pseudoHeader(ends, ipProtocol.tcp, octets.length));
	return writePacket(ends, ipProtocol.tcp, checked);
}

/** Of a TCP packet's payload. */
export function readSegment(octets: Uint8Array): Segment | undefined {
	const begin = readSegmentBegin(octets);
	if (!begin || octets.length < 20) return undefined;
	const view = viewOf(octets);
	return { ...begin, acknowledgement: view.getUint32(8), flags: view.getUint8(13) & 0x3f };
}

/** The data behind its header, as much of it as there is; none where the header is cut or lies about its length. */
export function readSegmentData(octets: Uint8Array): Uint8Array {
	const headerLength = ((octets[12] ?? 0) >> 4) * 4;
	return headerLength < 20 ? new Uint8Array() : octets.subarray(headerLength);
}

/** What the first eight octets say: all that an ICMP error has to quote (RFC 792). */
export type SegmentBegin = Pick<Segment, 'sourcePort' | 'destinationPort' | 'sequence'>;

export function readSegmentBegin(octets: Uint8Array): SegmentBegin | undefined {
	if (octets.length < 8) return undefined;
	const view = viewOf(octets);
	return { sourcePort: view.getUint16(0), destinationPort: view.getUint16(2), sequence: view.getUint32(4) };
}
