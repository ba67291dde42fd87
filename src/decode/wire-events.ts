/**
 * What the wire tells, from the octets of one record: refusals and ICMP errors, and the head of the packet behind
 * any event, where packets were asked for. PURE.
 */
import { formatAddress } from '../table/address.js';
import type { Malformed, PacketHead, RefusalEvent, Sender, UnreachableEvent } from './event.js';
import { malformed, namesOf, readEndpoint, readQuotedEndpoint } from './keys.js';
import {
	packetHead,
	refusalEvent,
	sender as senderNumbers,
	tunnel as tunnelNumbers,
	unreachableEvent,
} from './layout.generated.js';

const senderNames = namesOf<Sender>(senderNumbers);
const tunnelNames = namesOf<UnreachableEvent['tunnel']>(tunnelNumbers);

export function decodeRefusal(view: DataView, base: number, atUs: number): RefusalEvent | Malformed {
	const endpoint = readEndpoint(view, base + refusalEvent.endpoint.offset);
	const sender = senderNames.get(refusalEvent.sender.read(view, base));
	if (endpoint === undefined || sender === undefined) return malformed('a refusal of an unknown protocol or sender');
	return {
		kind: 'refusal',
		atUs,
		endpoint,
		client: formatAddress(refusalEvent.client.read(view, base)),
		clientPort: refusalEvent.clientPort.read(view, base),
		interfaceIndex: refusalEvent.interfaceIndex.read(view, base),
		answersSyn: refusalEvent.answersSyn.read(view, base) !== 0,
		sender,
		suppressed: refusalEvent.suppressed.read(view, base),
	};
}

export function decodeUnreachable(view: DataView, base: number, atUs: number): UnreachableEvent | Malformed {
	const endpoint = readQuotedEndpoint(view, base + unreachableEvent.endpoint.offset);
	const sender = senderNames.get(unreachableEvent.sender.read(view, base));
	const tunnel = tunnelNames.get(unreachableEvent.tunnel.read(view, base));
	if (endpoint === undefined || sender === undefined || tunnel === undefined)
		return malformed('an ICMP error of an unknown protocol, sender or tunnel');
	return {
		kind: 'unreachable',
		atUs,
		endpoint,
		client: formatAddress(unreachableEvent.client.read(view, base)),
		clientPort: unreachableEvent.clientPort.read(view, base),
		icmpType: unreachableEvent.icmpType.read(view, base),
		icmpCode: unreachableEvent.icmpCode.read(view, base),
		reporter: formatAddress(unreachableEvent.reporter.read(view, base)),
		quotedSequence: unreachableEvent.quotedSequence.read(view, base),
		tunnel,
		sender,
		interfaceIndex: unreachableEvent.interfaceIndex.read(view, base),
		suppressed: unreachableEvent.suppressed.read(view, base),
	};
}

/** The head of a packet; copied, because the batch that it lies in is used again. */
export function decodePacketHead(view: DataView, base: number): PacketHead | Malformed {
	const captured = packetHead.capturedOctets.read(view, base);
	if (captured > packetHead.octets.length) return malformed(`a packet head of ${captured} octets`);
	return {
		packetOctets: packetHead.packetOctets.read(view, base),
		protocol: packetHead.protocol.read(view, base),
		octets: packetHead.octets.read(view, base).slice(0, captured),
	};
}
