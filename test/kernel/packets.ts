/**
 * Frames as octets, for the kernel tests: what a test does not name has a plausible value. Checksums stay zero, because
 * the programs under test look at none.
 */
import { parseAddress, parseIpv4 } from '../../src/table/address.js';

export const tcpFlag = { fin: 0x01, syn: 0x02, rst: 0x04, ack: 0x10 } as const;
export const refusalFlags = tcpFlag.rst | tcpFlag.ack;
export const acceptanceFlags = tcpFlag.syn | tcpFlag.ack;

const etherType = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;
export const ipProtocol = { icmp: 1, ipip: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47, icmp6: 58, sctp: 132 } as const;

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
	return Uint8Array.from(parts.flatMap((part) => [...part]));
}

export function be16(value: number): Uint8Array {
	return Uint8Array.of(value >> 8, value & 0xff);
}

export function be32(value: number): Uint8Array {
	return concat(be16(value >>> 16), be16(value & 0xffff));
}

export interface Segment {
	sourcePort?: number;
	destinationPort?: number;
	flags: number;
	sequence?: number;
}

export function tcp({ sourcePort = 8080, destinationPort = 40_000, flags, sequence = 0 }: Segment): Uint8Array {
	const ports = concat(be16(sourcePort), be16(destinationPort));
	return concat(ports, be32(sequence), be32(1), Uint8Array.of(0x50, flags), be16(0), be16(0), be16(0));
}

export interface Ipv4Header {
	source?: string;
	destination?: string;
	/** A multiple of four octets. */
	options?: Uint8Array;
	/** Flags and offset as they stand in the header: 0x2000 is "more fragments". */
	fragment?: number;
	protocol?: number;
	/** What the header says instead of the true length. */
	totalLength?: number;
}

export function ipv4(header: Ipv4Header, payload: Uint8Array): Uint8Array {
	const { source = '10.1.0.11', destination = '192.0.2.7', options = new Uint8Array(), fragment = 0x4000 } = header;
	const length = 20 + options.length;
	const protocol = header.protocol ?? ipProtocol.tcp;
	const first = concat(Uint8Array.of(0x40 | (length / 4), 0), be16(header.totalLength ?? length + payload.length));
	const second = concat(be16(0), be16(fragment), Uint8Array.of(64, protocol), be16(0));
	return concat(first, second, quad(source), quad(destination), options, payload);
}

function quad(address: string): Uint8Array {
	return parseIpv4(address) ?? new Uint8Array(4);
}

/** An IPv6 extension header: its number, and its octets after "next header". */
export interface Extension {
	number: number;
	rest: Uint8Array;
}

/** Eight octets: a length of 0 means that there is nothing beyond them (RFC 8200 §4.3). */
export const hopByHop: Extension = { number: 0, rest: Uint8Array.of(0, 1, 4, 0, 0, 0, 0) };
/** Sixteen octets. */
export const destinationOptions: Extension = { number: 60, rest: Uint8Array.of(1, 1, 12, ...new Uint8Array(12)) };

export function fragmentHeader(offsetAndFlags: number): Extension {
	return { number: 44, rest: concat(Uint8Array.of(0), be16(offsetAndFlags), be32(1)) };
}

export interface Ipv6Header {
	source?: string;
	destination?: string;
	extensions?: readonly Extension[];
	protocol?: number;
}

export function ipv6(header: Ipv6Header, payload: Uint8Array): Uint8Array {
	const { source = 'fd00::11', destination = '2001:db8::7', extensions = [] } = header;
	const numbers = [...extensions.map(({ number }) => number), header.protocol ?? ipProtocol.tcp];
	const chain = extensions.map(({ rest }, index) => concat(Uint8Array.of(numbers[index + 1] ?? 0), rest));
	const body = concat(...chain, payload);
	const fixed = concat(Uint8Array.of(0x60, 0, 0, 0), be16(body.length), Uint8Array.of(numbers[0] ?? 0, 64));
	return concat(
		fixed,
		parseAddress(source) ?? new Uint8Array(16),
		parseAddress(destination) ?? new Uint8Array(16),
		body,
	);
}

/** 802.1Q (0x8100) or 802.1ad (0x88a8). */
export interface Tag {
	protocol: number;
	id: number;
}

export const customerTag: Tag = { protocol: 0x8100, id: 100 };
export const serviceTag: Tag = { protocol: 0x88a8, id: 200 };

function ethernet(type: number, payload: Uint8Array, tags: readonly Tag[] = []): Uint8Array {
	const addresses = Uint8Array.of(2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2);
	return concat(addresses, ...tags.map(({ protocol, id }) => concat(be16(protocol), be16(id))), be16(type), payload);
}

export function frame4(payload: Uint8Array, tags: readonly Tag[] = []): Uint8Array {
	return ethernet(etherType.ipv4, payload, tags);
}

export function frame6(payload: Uint8Array, tags: readonly Tag[] = []): Uint8Array {
	return ethernet(etherType.ipv6, payload, tags);
}

export function arpFrame(): Uint8Array {
	return ethernet(etherType.arp, new Uint8Array(28));
}

/** The everyday case: 10.1.0.11:8080 answers a client's SYN with RST|ACK. */
export function refusal4(header: Ipv4Header = {}, segment: Partial<Segment> = {}): Uint8Array {
	return frame4(ipv4(header, tcp({ flags: refusalFlags, ...segment })));
}
