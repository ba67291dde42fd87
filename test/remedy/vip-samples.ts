/** A director, a real server and a VIP in both families, and the frames by which the server answers. */

import { writeNeighbourQuestion } from '../../src/remedy/vip-neighbour.js';
import {
	addressOctets,
	be16,
	be32,
	concat,
	latin1Octets,
	macOctets,
	withChecksum,
} from '../../src/remedy/vip-octets.js';
import {
	type Ends,
	etherType,
	ipProtocol,
	pseudoHeader,
	type Segment,
	tcpFlag,
	writeFrame,
	writePacket,
	writeSegment,
} from '../../src/remedy/vip-packet.js';
import type { VipTarget, Way } from '../../src/remedy/vip-way.js';
import { noTunnel, type Tunnel } from '../../src/table/model.js';

export const directorMac = '02:00:00:00:00:01';
export const serverMac = '02:00:00:00:00:11';
export const strangerMac = '02:00:00:00:00:12';

/** Where one family's packets go. */
export interface Sample {
	target: VipTarget;
	way: Way;
}

function sample(vip: string, host: string, source: string): Sample {
	const target: VipTarget = { vip, port: 80, host, forwarding: 'droute', tunnel: noTunnel };
	return { target, way: { interfaceIndex: 2, source, mac: directorMac, nextHop: host } };
}

export const inet = sample('10.0.0.100', '10.1.0.11', '10.1.0.1');
export const inet6 = sample('fd00::100', 'fd00:1::11', 'fd00:1::1');
export const samples = [inet, inet6];

export function tunnelled({ target, way }: Sample, tunnel: Partial<Tunnel> = {}): Sample {
	return { target: { ...target, forwarding: 'tunnel', tunnel: { ...noTunnel, ...tunnel } }, way };
}

export const acceptance = tcpFlag.syn | tcpFlag.ack;
export const refusal = tcpFlag.rst | tcpFlag.ack;

/** What the server says for the VIP to a port of ours. */
export function segmentFrame({ target, way }: Sample, over: Partial<Segment>, mac = serverMac, data = ''): Uint8Array {
	const segment = { sourcePort: target.port, destinationPort: 61_234, sequence: 7, acknowledgement: 1, flags: 0 };
	const payload = writeSegment(
		{ source: target.vip, destination: way.source },
		{ ...segment, ...over },
		latin1Octets(data),
	);
	return ipFrame(way, payload, mac);
}

function ipFrame({ source, mac: destination }: Way, payload: Uint8Array, mac = serverMac): Uint8Array {
	const type = source.includes(':') ? etherType.ipv6 : etherType.ipv4;
	return writeFrame({ destination, source: mac, type, payload });
}

/** The next hop says that it is there: an ARP reply or a neighbour advertisement. */
export function neighbourFrame({ way }: Sample, mac = serverMac): Uint8Array {
	if (way.source.includes(':')) return advertisementFrame(way, mac);
	const ends = [macOctets(mac), addressOctets(way.nextHop), macOctets(way.mac), addressOctets(way.source)];
	const payload = concat(be16(1, 0x0800, 0x0604, 2), ...ends);
	return writeFrame({ destination: way.mac, source: mac, type: etherType.arp, payload });
}

/** Solicited and overriding, with the option "target link-layer address". */
export function advertisementFrame(way: Way, mac: string, hopLimit = 255): Uint8Array {
	const ends: Ends = { source: way.nextHop, destination: way.source };
	const begin = concat(Uint8Array.of(136, 0), be16(0), be32(0x6000_0000), addressOctets(way.nextHop));
	const message = concat(begin, Uint8Array.of(2, 1), macOctets(mac));
	const checked = withChecksum(message, 2, pseudoHeader(ends, ipProtocol.icmp6, message.length));
	return ipFrame(way, writePacket(ends, ipProtocol.icmp6, checked, hopLimit), mac);
}

/** "Destination unreachable" about a frame that we sent, or another ICMP message that quotes one. */
export function unreachableFrame({ target, way }: Sample, sent: Uint8Array, code: number, type?: number): Uint8Array {
	const isInet6 = way.source.includes(':');
	const ends: Ends = { source: target.host, destination: way.source };
	const message = concat(Uint8Array.of(type ?? (isInet6 ? 1 : 3), code), be16(0), be32(0), sent.subarray(14));
	const protocol = isInet6 ? ipProtocol.icmp6 : ipProtocol.icmp;
	const before = isInet6 ? pseudoHeader(ends, protocol, message.length) : new Uint8Array();
	return ipFrame(way, writePacket(ends, protocol, withChecksum(message, 2, before)));
}

/** Frames that may be answers, for the filter. */
export function plausible(sample: Sample, sent: Uint8Array): Uint8Array[] {
	return [
		neighbourFrame(sample),
		segmentFrame(sample, { flags: acceptance }),
		segmentFrame(sample, { flags: refusal }),
		segmentFrame(sample, { flags: tcpFlag.ack }, serverMac, 'an answer'),
		segmentFrame(sample, { flags: acceptance, destinationPort: 61_000 }),
		segmentFrame(sample, { flags: acceptance, destinationPort: 65_535 }),
		unreachableFrame(sample, sent, 1),
		...(sample === inet6 ? [unreachableFrame(sample, sent, 1, 4)] : []),
	];
}

/** Frames that are none: questions, other ports, other addresses of ours. */
export function implausible(sample: Sample, sent: Uint8Array): Uint8Array[] {
	const { target, way } = sample;
	const elsewhere = { target, way: { ...way, source: sample === inet6 ? 'fd00:1::2' : '10.1.0.2' } };
	const other = sample === inet6 ? inet : inet6;
	return [
		writeNeighbourQuestion(way, way.nextHop),
		segmentFrame(sample, { flags: acceptance, destinationPort: 60_999 }),
		sent,
		unreachableFrame(sample, sent, 0, sample === inet6 ? 2 : 11),
		...[elsewhere, other].flatMap((of) => [
			neighbourFrame(of),
			segmentFrame(of, { flags: acceptance }),
			unreachableFrame(of, sent, 1),
		]),
	];
}
