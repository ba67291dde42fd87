/**
 * Who has an address on the wire: ARP (RFC 826) and ICMPv6 neighbour discovery (RFC 4861 §4.3, §4.4), asked and read. The
 * VIP probe asks by itself, so that the kernel's own table does not answer from memory, and has no new entry afterwards. PURE.
 */
import { linkAddressText } from '../netlink/route-bond.js';
import { familyOf, formatIpv4, formatIpv6 } from '../table/address.js';
import { addressOctets, be16, be32, concat, macOctets, viewOf, withChecksum } from './vip-octets.js';
import { etherType, type Frame, ipProtocol, pseudoHeader, readPacket, writeFrame, writePacket } from './vip-packet.js';

export interface NeighbourAnswer {
	address: string;
	mac: string;
}

export interface Asker {
	/** Our own addresses on this wire. */
	source: string;
	mac: string;
}

const broadcast = 'ff:ff:ff:ff:ff:ff';
const noMac = '00:00:00:00:00:00';

const arpRequest = 1;
const arpReply = 2;
/** Ethernet addresses of six octets for IPv4 ones of four. */
const arpKinds = be16(1, etherType.ipv4, 0x0604);

const neighbourSolicitation = 135;
const neighbourAdvertisement = 136;
const sourceLinkAddress = 1;
const targetLinkAddress = 2;
/** A message that passed a router has less, and is forged (RFC 4861 §7.1). */
const hopLimit = 255;

/** A frame that asks everybody who might have the address. */
export function writeNeighbourQuestion(asker: Asker, address: string): Uint8Array {
	return familyOf(address) === 'inet' ? writeArpRequest(asker, address) : writeSolicitation(asker, address);
}

function writeArpRequest({ source, mac }: Asker, address: string): Uint8Array {
	const sender = concat(macOctets(mac), addressOctets(source));
	const target = concat(macOctets(noMac), addressOctets(address));
	const payload = concat(arpKinds, be16(arpRequest), sender, target);
	return writeFrame({ destination: broadcast, source: mac, type: etherType.arp, payload });
}

/** To the solicited-node multicast address, ff02::1:ffXX:XXXX (RFC 4291 §2.7.1), whose frames go to 33:33:ff:XX:XX:XX (RFC 2464 §7). */
function writeSolicitation({ source, mac }: Asker, address: string): Uint8Array {
	const target = addressOctets(address);
	const last = target.subarray(13);
	const group = concat(addressOctets('ff02::1:ff00:0').subarray(0, 13), last);
	const ends = { source, destination: formatIpv6(group) };
	const option = concat(Uint8Array.of(sourceLinkAddress, 1), macOctets(mac));
	const message = concat(Uint8Array.of(neighbourSolicitation, 0), be16(0), be32(0), target, option);
	const checked = withChecksum(message, 2, pseudoHeader(ends, ipProtocol.icmp6, message.length));
	const destination = linkAddressText(concat(Uint8Array.of(0x33, 0x33, 0xff), last));
	const payload = writePacket(ends, ipProtocol.icmp6, checked, hopLimit);
	return writeFrame({ destination, source: mac, type: etherType.ipv6, payload });
}

/** Of an ARP reply or a neighbour advertisement; undefined for every other frame. */
export function readNeighbourAnswer({ type, payload }: Frame): NeighbourAnswer | undefined {
	if (type === etherType.arp) return readArpReply(payload);
	return type === etherType.ipv6 ? readAdvertisement(payload) : undefined;
}

function readArpReply(octets: Uint8Array): NeighbourAnswer | undefined {
	if (octets.length < 28 || arpKinds.some((octet, at) => octets[at] !== octet)) return undefined;
	if (viewOf(octets).getUint16(6) !== arpReply) return undefined;
	return { address: formatIpv4(octets, 14), mac: linkAddressText(octets.subarray(8, 14)) };
}

/** Who answers a multicast question must name its link address (RFC 4861 §4.4). */
function readAdvertisement(octets: Uint8Array): NeighbourAnswer | undefined {
	const packet = readPacket(octets);
	if (packet?.protocol !== ipProtocol.icmp6 || packet.hopLimit !== hopLimit) return undefined;
	const message = packet.payload;
	if (message.length < 24 || message[0] !== neighbourAdvertisement || message[1] !== 0) return undefined;
	for (let at = 24; at + 8 <= message.length; ) {
		if (message[at] === targetLinkAddress)
			return { address: formatIpv6(message, 8), mac: linkAddressText(message.subarray(at + 2, at + 8)) };
		const units = message[at + 1] ?? 0;
		if (units === 0) return undefined;
		at += 8 * units;
	}
	return undefined;
}
