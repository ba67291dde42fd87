/**
 * A packet on its way through a tunnel to a real server, as IPVS itself would send it (ip_vs_tunnel_xmit(),
 * ip_vs_gue_encap() and ip_vs_gre_encap() in net/netfilter/ipvs/ip_vs_xmit.c), and the packet inside one again, for
 * ICMP errors that quote it. Inner and outer packet are of one family. PURE.
 */
import { familyOf } from '../table/address.js';
import { type Tunnel, tunnelFlags } from '../table/model.js';
import { be16, concat, viewOf, withChecksum } from './vip-octets.js';
import { type Ends, etherType, ipProtocol, type Packet, pseudoHeader, readPacket, writePacket } from './vip-packet.js';

/** GRE: a checksum follows (RFC 2784 §2.1). */
const greChecksum = 0x8000;
const udpHeaderLength = 8;
/** Without optional fields: version and length, what is inside, flags (draft-ietf-intarea-gue §3.1). */
const gueHeaderLength = 4;

/** Why a packet cannot be sent through this tunnel; undefined if it can. */
export function tunnelProblem({ type, flags }: Tunnel): string | undefined {
	if ((flags & tunnelFlags.remoteChecksum) === 0) return undefined;
	return `a ${type} tunnel with remote checksum offload is not supported by the probe`;
}

/** `sourcePort` is of the UDP header around GUE, where IPVS puts a hash. */
export function encapsulate(inner: Uint8Array, ends: Ends, tunnel: Tunnel, sourcePort: number): Uint8Array {
	const isInet6 = familyOf(ends.source) === 'inet6';
	const innerProtocol = isInet6 ? ipProtocol.ipv6 : ipProtocol.ipip;
	const hasChecksum = (tunnel.flags & tunnelFlags.checksum) !== 0;
	switch (tunnel.type) {
		case 'ipip':
			return writePacket(ends, innerProtocol, inner);
		case 'gre':
			return writePacket(ends, ipProtocol.gre, gre(isInet6 ? etherType.ipv6 : etherType.ipv4, hasChecksum, inner));
		case 'gue': {
			const payload = concat(Uint8Array.of(0, innerProtocol), be16(0), inner);
			return writePacket(ends, ipProtocol.udp, udp(ends, [sourcePort, tunnel.port], hasChecksum, payload));
		}
	}
}

function gre(type: number, hasChecksum: boolean, inner: Uint8Array): Uint8Array {
	if (!hasChecksum) return concat(be16(0, type), inner);
	return withChecksum(concat(be16(greChecksum, type, 0, 0), inner), 4);
}

/** 0 says "no checksum", so that a sum of 0 is sent as all ones (RFC 768). */
function udp(ends: Ends, ports: [number, number], hasChecksum: boolean, payload: Uint8Array): Uint8Array {
	const length = udpHeaderLength + payload.length;
	const datagram = concat(be16(...ports, length, 0), payload);
	if (!hasChecksum) return datagram;
	const checked = withChecksum(datagram, 6, pseudoHeader(ends, ipProtocol.udp, length));
	if (viewOf(checked).getUint16(6) === 0) viewOf(checked).setUint16(6, 0xffff);
	return checked;
}

/** The packet inside, of a tunnel that `encapsulate` could have made; undefined for every other packet. */
export function decapsulate({ protocol, payload }: Packet): Packet | undefined {
	switch (protocol) {
		case ipProtocol.ipip:
		case ipProtocol.ipv6:
			return readPacket(payload);
		case ipProtocol.gre:
			return readPacket(payload.subarray(((payload[0] ?? 0) & (greChecksum >> 8)) !== 0 ? 8 : 4));
		case ipProtocol.udp:
			return readPacket(payload.subarray(udpHeaderLength + gueHeaderLength));
		default:
			return undefined;
	}
}
