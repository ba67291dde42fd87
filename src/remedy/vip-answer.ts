/**
 * What a frame says to the VIP probe: who has an address, what a server's TCP says, or that a packet of ours was not
 * delivered. Whether it is the answer to a question that was asked is for `vip-question.ts`. PURE.
 */
import { icmpBlame, icmpName } from '../evidence/icmp.js';
import { type NeighbourAnswer, readNeighbourAnswer } from './vip-neighbour.js';
import {
	type Ends,
	etherType,
	ipProtocol,
	type Packet,
	readFrame,
	readPacket,
	readSegment,
	readSegmentBegin,
	readSegmentData,
	type Segment,
	type SegmentBegin,
} from './vip-packet.js';
import { decapsulate } from './vip-tunnel.js';

/** A packet that an ICMP error is about, out of its tunnel. */
export interface Quote extends Ends, SegmentBegin {}

export type VipAnswer =
	| ({ kind: 'neighbour' } & NeighbourAnswer)
	/** `mac`: who sent the frame. */
	| ({ kind: 'segment'; mac: string; segment: Segment; data: Uint8Array } & Ends)
	/** `from`: who says so. `reason`: "port unreachable". `counts`: it speaks of the host, and is no firewall's word. */
	| { kind: 'unreachable'; from: string; reason: string; counts: boolean; quote: Quote };

/** Undefined for a frame that is none of them. */
export function readAnswer(octets: Uint8Array): VipAnswer | undefined {
	const frame = readFrame(octets);
	if (!frame) return undefined;
	const neighbour = readNeighbourAnswer(frame);
	if (neighbour) return { kind: 'neighbour', ...neighbour };
	if (frame.type !== etherType.ipv4 && frame.type !== etherType.ipv6) return undefined;
	const packet = readPacket(frame.payload);
	if (!packet) return undefined;
	return packet.protocol === ipProtocol.tcp ? readSegmentAnswer(frame.source, packet) : readUnreachable(packet);
}

function readSegmentAnswer(mac: string, { source, destination, payload }: Packet): VipAnswer | undefined {
	const segment = readSegment(payload);
	return segment && { kind: 'segment', mac, source, destination, segment, data: readSegmentData(payload) };
}

/**
 * "Destination unreachable", whatever the code (RFC 792, RFC 4443 §3.1). What IPv4 says by one of its codes, that nobody
 * takes this protocol, IPv6 says as "parameter problem, unrecognized next header" (RFC 4443 §3.4): a host without tunnels.
 */
function isUnreachable({ family, protocol, payload: [type, code] }: Packet): boolean {
	if (family === 'inet') return protocol === ipProtocol.icmp && type === 3;
	return protocol === ipProtocol.icmp6 && (type === 1 || (type === 4 && code === 1));
}

const icmpHeaderLength = 8;

function readUnreachable(packet: Packet): VipAnswer | undefined {
	if (!isUnreachable(packet)) return undefined;
	const { family, source, payload } = packet;
	const [icmpType = 0, icmpCode = 0] = payload;
	const read = readQuote(payload.subarray(icmpHeaderLength));
	if (!read) return undefined;
	const { quote, tunnel } = read;
	const endpoint = { protocol: 'tcp', family, address: quote.destination, port: quote.destinationPort } as const;
	const error = { endpoint, icmpType, icmpCode, tunnel } as const;
	return {
		kind: 'unreachable',
		from: source,
		reason: icmpName(error),
		counts: icmpBlame(error) !== 'nobody',
		quote,
	};
}

/** RFC 792 asks for eight octets after the header only, in which a tunnel has no ports yet; Linux quotes far more. */
function readQuote(octets: Uint8Array): { quote: Quote; tunnel: 'none' | 'ipip' } | undefined {
	const outer = readPacket(octets);
	const isDirect = outer?.protocol === ipProtocol.tcp;
	const packet = isDirect ? outer : outer && decapsulate(outer);
	if (packet?.protocol !== ipProtocol.tcp) return undefined;
	const begin = readSegmentBegin(packet.payload);
	// Which tunnel it is makes no difference to what an error about it says.
	const tunnel = isDirect ? 'none' : 'ipip';
	return begin && { quote: { source: packet.source, destination: packet.destination, ...begin }, tunnel };
}
