/**
 * ICMP errors as octets, for the kernel tests: what a host or a router says of a packet that it did not deliver, with as
 * much of that packet as the test likes.
 */
import type { Endpoint } from '../../src/table/model.js';
import { Bench, endpoint4, endpoint6 } from './bench.js';
import { be16, be32, concat, ipProtocol, ipv4, ipv6 } from './packets.js';

export const icmp4 = { unreachable: 3, sourceQuench: 4, echo: 8, timeExceeded: 11, parameterProblem: 12 } as const;
export const icmp6 = { unreachable: 1, tooBig: 2, timeExceeded: 3, parameterProblem: 4, echo: 128 } as const;

export const client4 = '192.0.2.7';
export const client6 = '2001:db8::7';
export const server4 = '10.1.0.11';
export const server6 = 'fd00::11';
/** The director's own address on the servers' side. */
export const director4 = '10.1.0.1';
export const director6 = 'fd00::1';
export const vip4 = '203.0.113.80';
export const vip6 = '2001:db8:ff::80';

export interface IcmpError {
	type?: number;
	code?: number;
	/** Who says so. */
	reporter?: string;
	/** To whom. */
	to?: string;
	/** IPv4 header options of the packet that carries the error. */
	options?: Uint8Array;
}

/** The packet with the error, from its IP header on. Host unreachable, unless told otherwise. */
export function icmp4Error(quote: Uint8Array, error: IcmpError = {}): Uint8Array {
	const { type = icmp4.unreachable, code = 1, reporter = server4, to = client4, options = new Uint8Array() } = error;
	const header = { source: reporter, destination: to, protocol: ipProtocol.icmp, fragment: 0, options };
	return ipv4(header, concat(Uint8Array.of(type, code), be16(0), be32(0), quote));
}

/** Address unreachable, unless told otherwise. */
export function icmp6Error(quote: Uint8Array, error: IcmpError = {}): Uint8Array {
	const { type = icmp6.unreachable, code = 3, reporter = server6, to = client6 } = error;
	const header = { source: reporter, destination: to, protocol: ipProtocol.icmp6 };
	return ipv6(header, concat(Uint8Array.of(type, code), be16(0), be32(0), quote));
}

/** The first eight octets of TCP, UDP and SCTP: ports, and what for TCP is the sequence number. */
export function ports(source: number, destination: number, word = 0): Uint8Array {
	return concat(be16(source), be16(destination), be32(word));
}

/** A client's packet to the server, as IPVS sent it on in NAT. */
export function clientPacket4(
	protocol: number = ipProtocol.tcp,
	payload: Uint8Array = ports(40_000, 8080, 1000),
): Uint8Array {
	return ipv4({ source: client4, destination: server4, protocol }, payload);
}

export function clientPacket6(
	protocol: number = ipProtocol.tcp,
	payload: Uint8Array = ports(40_000, 8080, 1000),
): Uint8Array {
	return ipv6({ source: client6, destination: server6, protocol }, payload);
}

/** A client's packet to the VIP, as it travels inside a tunnel. */
export function innerPacket4(): Uint8Array {
	return ipv4({ source: client4, destination: vip4 }, ports(40_000, 8080, 1000));
}

export function innerPacket6(): Uint8Array {
	return ipv6({ source: client6, destination: vip6 }, ports(40_000, 8080, 1000));
}

/** The director's outer packet to a server. */
export function outer4(protocol: number, payload: Uint8Array): Uint8Array {
	return ipv4({ source: director4, destination: server4, protocol }, payload);
}

export function outer6(protocol: number, payload: Uint8Array): Uint8Array {
	return ipv6({ source: director6, destination: server6, protocol }, payload);
}

export const tunnelPort = 6080;

/** GUE in UDP: variant 0 with `words` of optional fields, as IPVS sends it. */
export function gue(inner: Uint8Array, protocol: number = ipProtocol.ipip, words = 0): Uint8Array {
	const header = concat(Uint8Array.of(words, protocol), be16(0), new Uint8Array(4 * words));
	return concat(be16(50_000), be16(tunnelPort), be16(8 + header.length + inner.length), be16(0), header, inner);
}

/** GUE variant 1: the IP packet stands where the header would. */
export function gueDirect(inner: Uint8Array): Uint8Array {
	return concat(be16(50_000), be16(tunnelPort), be16(8 + inner.length), be16(0), inner);
}

/** GRE with as many optional fields as its flags name. */
export function gre(inner: Uint8Array, etherType = 0x0800, flags = 0): Uint8Array {
	const fields = [0x8000, 0x2000, 0x1000].filter((bit) => (flags & bit) !== 0).length;
	return concat(be16(flags), be16(etherType), new Uint8Array(4 * fields), inner);
}

export const udp4: Endpoint = { ...endpoint4, protocol: 'udp', port: 53 };
export const sctp6: Endpoint = { ...endpoint6, protocol: 'sctp', port: 3868 };
/** A host without a known endpoint, as behind a firewall mark. */
export const bare4 = '10.1.0.12';

/** A workbench that watches the packets' endpoints, for a director with its VIP. */
export function directorBench(...settings: ConstructorParameters<typeof Bench>): Bench {
	const bench = new Bench(...settings);
	bench.wire.setEndpoints([endpoint4, endpoint6, udp4, sctp6], [bare4]);
	bench.wire.setLocalAddresses([director4, director6, vip4, vip6]);
	bench.wire.setTunnelPorts([tunnelPort]);
	return bench;
}
