/**
 * What IPVS answers over generic netlink, as the values of `table/model.ts`. Each reader gives undefined for a message
 * of another kind and for bytes that make no whole object. A dump of 1,024 services × 16 destinations passes
 * here every few seconds, so a reader walks its attributes once and copies nothing. Requests are in `ipvs.ts`. PURE.
 */
import { formatIpv4 } from '../table/address.js';
import type { Destination, Family, Protocol, Service, ServiceAddress } from '../table/model.js';
import { AttributeReader } from './attribute.js';
import { ByteReader, type Extent, viewOf } from './bytes.js';
import { addressFamily, addressText, familyName } from './family.js';
import { readCommand } from './generic.js';
import {
	command,
	destinationAttribute,
	forwardingMask,
	forwardingMethods,
	infoAttribute,
	octetsPerAddress,
	protocolNumber,
	serviceAttribute,
	top,
	tunnelTypes,
} from './ipvs-numbers.js';
import { type Counters, readStats } from './ipvs-stats.js';

export interface IpvsInfo {
	/** Three numbers, for example "1.2.1". */
	version: string;
	connectionTableSize: number;
}

export function readInfo(message: Extent): IpvsInfo | undefined {
	const answer = readCommand(message);
	if (answer?.command !== command.setInfo) return undefined;
	let version = 0;
	let connectionTableSize: number | undefined;
	const attributes = new AttributeReader(answer.attributes);
	while (attributes.next()) {
		if (attributes.type === infoAttribute.version) version = attributes.u32();
		else if (attributes.type === infoAttribute.connectionTableSize) connectionTableSize = attributes.u32();
	}
	// 0x010201 is 1.2.1 (NVERSION in include/uapi/linux/ip_vs.h).
	const parts = [version >>> 16, (version >>> 8) & 0xff, version & 0xff];
	// Size 0 is no error: 7.3, where each namespace has a table of its own, says so until there is a service.
	return attributes.malformed || version === 0 || connectionTableSize === undefined
		? undefined
		: { version: parts.join('.'), connectionTableSize };
}

/** A service without its destinations: those are a dump of their own. */
export function readService(message: Extent): Service | undefined {
	const nest = readNest(message, command.newService, top.service);
	if (!nest) return undefined;
	const raw = newRawService();
	const attributes = new AttributeReader(nest);
	while (attributes.next()) takeServiceAttribute(attributes, raw);
	const address = serviceAddress(raw);
	const stats = readStats(raw.counters);
	if (attributes.malformed || !address || !stats) return undefined;
	const { scheduler, flags, persistenceEngine } = raw;
	const netmask = netmaskText(address.family, raw.netmask);
	const persistenceSeconds = raw.timeoutSeconds;
	return { address, scheduler, flags, persistenceSeconds, netmask, persistenceEngine, stats, destinations: [] };
}

/** A destination. Where the kernel names no family of its own, it is the service's. */
export function readDestination(message: Extent, serviceFamily: Family): Destination | undefined {
	const nest = readNest(message, command.newDestination, top.destination);
	if (!nest) return undefined;
	const raw = newRawDestination(addressFamily[serviceFamily]);
	const attributes = new AttributeReader(nest);
	while (attributes.next()) takeDestinationAttribute(attributes, raw);
	const family = familyName(raw.family);
	const forwarding = forwardingMethods[raw.forwarding & forwardingMask];
	const type = tunnelTypes[raw.tunnelType];
	const stats = readStats(raw.counters);
	// What we could not write back unchanged we had better not show as if we understood it.
	if (attributes.malformed || !family || !raw.octets || !forwarding || !type || !stats) return undefined;
	return {
		family,
		address: addressText(family, raw.octets),
		port: raw.port,
		forwarding,
		weight: raw.weight,
		upperThreshold: raw.upperThreshold,
		lowerThreshold: raw.lowerThreshold,
		tunnel: { type, port: raw.tunnelPort, flags: raw.tunnelFlags },
		activeConnections: raw.activeConnections,
		inactiveConnections: raw.inactiveConnections,
		persistentConnections: raw.persistentConnections,
		stats,
	};
}

/** The attributes inside the nest `nest` of an answer that carries the command `number`. */
function readNest(message: Extent, number: number, nest: number): Extent | undefined {
	const answer = readCommand(message);
	if (answer?.command !== number) return undefined;
	const attributes = new AttributeReader(answer.attributes);
	while (attributes.next()) if (attributes.type === nest) return attributes.inside();
	return undefined;
}

/** Attributes as they come: which form an address has is known only when the family is. */
interface RawService {
	family: number;
	protocol: number;
	octets: Uint8Array | undefined;
	port: number;
	fwmark: number;
	scheduler: string;
	flags: number;
	timeoutSeconds: number;
	netmask: Uint8Array | undefined;
	persistenceEngine: string;
	counters: Counters | undefined;
}

function newRawService(): RawService {
	return {
		family: 0,
		protocol: 0,
		octets: undefined,
		port: 0,
		fwmark: 0,
		scheduler: '',
		flags: 0,
		timeoutSeconds: 0,
		netmask: undefined,
		persistenceEngine: '',
		counters: undefined,
	};
}

function takeServiceAttribute(attributes: AttributeReader, raw: RawService): void {
	switch (attributes.type) {
		case serviceAttribute.family:
			raw.family = attributes.u16();
			break;
		case serviceAttribute.protocol:
			raw.protocol = attributes.u16();
			break;
		case serviceAttribute.address:
			raw.octets = attributes.octets(octetsPerAddress);
			break;
		case serviceAttribute.port:
			raw.port = attributes.be16();
			break;
		case serviceAttribute.fwmark:
			raw.fwmark = attributes.u32();
			break;
		case serviceAttribute.scheduler:
			raw.scheduler = attributes.text();
			break;
		case serviceAttribute.flags:
			// struct ip_vs_flags: the flags, then a mask that matters in requests only.
			raw.flags = attributes.u32();
			break;
		case serviceAttribute.timeout:
			raw.timeoutSeconds = attributes.u32();
			break;
		case serviceAttribute.netmask:
			raw.netmask = attributes.octets(4);
			break;
		case serviceAttribute.persistenceEngine:
			raw.persistenceEngine = attributes.text();
			break;
		case serviceAttribute.stats:
		case serviceAttribute.stats64:
			raw.counters = { extent: attributes.inside(), are64: attributes.type === serviceAttribute.stats64 };
			break;
	}
}

function serviceAddress({
	family: number,
	protocol: protocolValue,
	octets,
	port,
	fwmark,
}: RawService): ServiceAddress | undefined {
	const family = familyName(number);
	if (!family) return undefined;
	// A firewall mark wins where both are present (ip_vs_genl_parse_service).
	if (fwmark !== 0) return { kind: 'fwmark', family, fwmark };
	const protocol = protocolName(protocolValue);
	return protocol && octets && { kind: 'address', protocol, family, address: addressText(family, octets), port };
}

interface RawDestination {
	family: number;
	octets: Uint8Array | undefined;
	port: number;
	forwarding: number;
	weight: number;
	upperThreshold: number;
	lowerThreshold: number;
	activeConnections: number;
	inactiveConnections: number;
	persistentConnections: number;
	tunnelType: number;
	tunnelPort: number;
	tunnelFlags: number;
	counters: Counters | undefined;
}

function newRawDestination(family: number): RawDestination {
	return {
		family,
		octets: undefined,
		port: 0,
		forwarding: 0,
		weight: 0,
		upperThreshold: 0,
		lowerThreshold: 0,
		activeConnections: 0,
		inactiveConnections: 0,
		persistentConnections: 0,
		tunnelType: 0,
		tunnelPort: 0,
		tunnelFlags: 0,
		counters: undefined,
	};
}

/** The destination's attributes that are plain 32-bit numbers: nearly half of them. */
const numberFields = new Map([
	[destinationAttribute.forwarding, 'forwarding'],
	[destinationAttribute.weight, 'weight'],
	[destinationAttribute.upperThreshold, 'upperThreshold'],
	[destinationAttribute.lowerThreshold, 'lowerThreshold'],
	[destinationAttribute.activeConnections, 'activeConnections'],
	[destinationAttribute.inactiveConnections, 'inactiveConnections'],
	[destinationAttribute.persistentConnections, 'persistentConnections'],
] as const);

function takeDestinationAttribute(attributes: AttributeReader, raw: RawDestination): void {
	const field = numberFields.get(attributes.type);
	if (field) {
		raw[field] = attributes.u32();
		return;
	}
	switch (attributes.type) {
		case destinationAttribute.address:
			raw.octets = attributes.octets(octetsPerAddress);
			break;
		case destinationAttribute.port:
			raw.port = attributes.be16();
			break;
		case destinationAttribute.family:
			raw.family = attributes.u16();
			break;
		case destinationAttribute.tunnelType:
			raw.tunnelType = attributes.u8();
			break;
		case destinationAttribute.tunnelPort:
			raw.tunnelPort = attributes.be16();
			break;
		case destinationAttribute.tunnelFlags:
			raw.tunnelFlags = attributes.u16();
			break;
		case destinationAttribute.stats:
		case destinationAttribute.stats64:
			raw.counters = { extent: attributes.inside(), are64: attributes.type === destinationAttribute.stats64 };
			break;
	}
}

function protocolName(number: number): Protocol | undefined {
	if (number === protocolNumber.tcp) return 'tcp';
	if (number === protocolNumber.udp) return 'udp';
	return number === protocolNumber.sctp ? 'sctp' : undefined;
}

/** IPv4: a mask in network order; IPv6: a prefix length in the machine's own, whatever the attribute's type says. */
function netmaskText(family: Family, octets: Uint8Array | undefined): string {
	if (!octets) return '';
	if (family === 'inet') return formatIpv4(octets);
	return String(new ByteReader({ view: viewOf(octets), start: 0, end: octets.length }).u32());
}
