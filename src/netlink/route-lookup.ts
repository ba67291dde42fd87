/**
 * RTNETLINK's answer to "where would a packet for this address go?" (struct rtmsg, rtnetlink(7)): the kernel's own choice,
 * with policy rules and all, instead of a routing table of ours. Undefined for malformed bytes. PURE.
 */
import { parseAddress } from '../table/address.js';
import type { Family } from '../table/model.js';
import { AttributeReader, putOctets } from './attribute.js';
import { ByteReader, ByteWriter } from './bytes.js';
import { addressFamily, addressLength, addressText, familyName } from './family.js';
import type { Message } from './message.js';
import { routeType } from './route.js';

/** RTN_*, an index into this list. */
const routeKinds = [
	'unspecified',
	'unicast',
	'local',
	'broadcast',
	'anycast',
	'multicast',
	'blackhole',
	'unreachable',
	'prohibit',
] as const;

/** Where the kernel would send a packet for one address. */
export interface Route {
	kind: (typeof routeKinds)[number];
	interfaceIndex: number;
	/** Undefined where the address is on the link itself. */
	gateway: string | undefined;
	/** The source address that the kernel would choose. */
	source: string | undefined;
}

const routeAttribute = { destination: 1, outputInterface: 4, gateway: 5, preferredSource: 7, via: 18 };

/** Body of a GETROUTE for one address: struct rtmsg, and the destination whole. ENETUNREACH where there is no way. */
export function getRoute(family: Family, address: string): Uint8Array {
	const octets = parseAddress(address);
	if (!octets) throw new TypeError(`"${address}" is no address`);
	const destination = family === 'inet' ? octets.subarray(12) : octets;
	const writer = new ByteWriter().u8(addressFamily[family]).u8(destination.length * 8);
	writer.bytes(new Uint8Array(10));
	putOctets(writer, routeAttribute.destination, destination);
	return writer.finish();
}

/** Reads struct rtmsg and its attributes. */
export function readRoute(message: Message): Route | undefined {
	if (message.type !== routeType.newRoute) return undefined;
	const reader = new ByteReader(message);
	const family = familyName(reader.u8());
	reader.skip(6);
	const kind = routeKinds[reader.u8()];
	reader.skip(4);
	if (reader.failed || !family || !kind) return undefined;
	const route: Route = { kind, interfaceIndex: 0, gateway: undefined, source: undefined };
	const attributes = new AttributeReader(reader.rest());
	while (attributes.next()) {
		if (attributes.type === routeAttribute.outputInterface) route.interfaceIndex = attributes.u32();
		else if (attributes.type === routeAttribute.gateway)
			route.gateway = addressText(family, attributes.octets(addressLength[family]));
		else if (attributes.type === routeAttribute.preferredSource)
			route.source = addressText(family, attributes.octets(addressLength[family]));
		else if (attributes.type === routeAttribute.via) route.gateway = viaText(attributes);
	}
	return attributes.malformed ? undefined : route;
}

/** struct rtvia: a gateway of the other family, as in `via inet6 fe80::1` (RFC 5549). */
function viaText(attributes: AttributeReader): string | undefined {
	const reader = new ByteReader(attributes.inside());
	const family = familyName(reader.u16());
	const octets = reader.bytes();
	if (!family || octets.length < addressLength[family]) return undefined;
	return addressText(family, octets);
}
