/**
 * RTNETLINK (rtnetlink(7), include/uapi/linux/{rtnetlink,if_link,if_addr,neighbour}.h): links, addresses and
 * neighbours, each as a value, and the notifications of their changes. ipvigil only reads here; the question for one
 * route is in `route-lookup.ts`.
 * Each reader gives undefined for a message of another kind and for malformed bytes. PURE.
 */
import type { Family } from '../table/model.js';
import { AttributeReader } from './attribute.js';
import { ByteReader, ByteWriter } from './bytes.js';
import { addressFamily, addressLength, addressText, familyName } from './family.js';
import type { Message } from './message.js';
import { type Bond, type BondSlave, linkAddressText, readBond, readBondSlave } from './route-bond.js';

export const routeType = {
	newLink: 16,
	deleteLink: 17,
	getLink: 18,
	newAddress: 20,
	deleteAddress: 21,
	getAddress: 22,
	newRoute: 24,
	getRoute: 26,
	newNeighbour: 28,
	deleteNeighbour: 29,
	getNeighbour: 30,
} as const;

/** RTNLGRP_*: what a socket can listen to. */
export const routeGroup = { link: 1, neighbour: 3, ipv4Address: 5, ipv6Address: 9 } as const;

/** IF_OPER_* (RFC 2863), an index into this list. */
const operationalStates = ['unknown', 'notpresent', 'down', 'lowerlayerdown', 'testing', 'dormant', 'up'] as const;
export type OperationalState = (typeof operationalStates)[number];

export interface Link {
	index: number;
	name: string;
	/** IFF_UP: the administrator wants it up. */
	up: boolean;
	/** IFF_RUNNING: the kernel would send through it now. */
	running: boolean;
	/** Undefined where the driver does not say. */
	carrier: boolean | undefined;
	operationalState: OperationalState;
	/** How often the carrier came or went since the interface was made. */
	carrierChanges: number;
	/** "bond", "vlan", "veth", ...; empty for hardware. */
	kind: string;
	/** The kind of the master that it is a port of; empty if of none. */
	slaveKind: string;
	/** The bond, bridge or VRF above; 0 if there is none. */
	masterIndex: number;
	/** Of Ethernet, and of all that looks like it, "02:00:00:00:00:11"; undefined where there is none (tun, for example). */
	linkAddress: string | undefined;
	/** What a VLAN or macvlan sits on; 0 if on nothing, or on something in another network namespace. */
	parentIndex: number;
	/** Of a bond. */
	bond: Bond | undefined;
	/** Of a bond's port. */
	slave: BondSlave | undefined;
}

export interface InterfaceAddress {
	interfaceIndex: number;
	family: Family;
	address: string;
	prefixLength: number;
}

/** NUD_* */
const neighbourStates = {
	incomplete: 1,
	reachable: 2,
	stale: 4,
	delay: 8,
	probe: 16,
	failed: 32,
	noarp: 64,
	permanent: 128,
};
export type NeighbourState = keyof typeof neighbourStates | 'none';

export interface Neighbour {
	interfaceIndex: number;
	family: Family;
	address: string;
	state: NeighbourState;
	/** Six octets as "02:00:00:00:00:11"; undefined while it is not known. */
	linkAddress: string | undefined;
}

export type RouteChange =
	| { kind: 'link'; change: 'set' | 'removed'; link: Link }
	| { kind: 'address'; change: 'set' | 'removed'; address: InterfaceAddress }
	| { kind: 'neighbour'; change: 'set' | 'removed'; neighbour: Neighbour };

// Requests.

/** Body of a GETLINK dump: struct ifinfomsg. */
export function getLinks(): Uint8Array {
	return new Uint8Array(16);
}

/** Body of a GETLINK for one interface: struct ifinfomsg. ENODEV where there is none. */
export function getLink(index: number): Uint8Array {
	return new ByteWriter().bytes(new Uint8Array(4)).u32(index).bytes(new Uint8Array(8)).finish();
}

/** Body of a GETADDR dump of one family: struct ifaddrmsg. */
export function getAddresses(family: Family): Uint8Array {
	return new ByteWriter().u8(addressFamily[family]).bytes(new Uint8Array(7)).finish();
}

/** Body of a GETNEIGH dump of one family: struct ndmsg. */
export function getNeighbours(family: Family): Uint8Array {
	return new ByteWriter().u8(addressFamily[family]).bytes(new Uint8Array(11)).finish();
}

// Answers.

const linkAttribute = {
	address: 1,
	name: 3,
	link: 5,
	master: 10,
	operationalState: 16,
	info: 18,
	carrier: 33,
	carrierChanges: 35,
	linkNamespace: 37,
};
const linkFlag = { up: 0x1, running: 0x40 };

/** For other kinds IFLA_LINK says something else: of a veth its peer. */
const stackedKinds = new Set(['vlan', 'macvlan', 'ipvlan']);

/** Reads struct ifinfomsg and its attributes. */
export function readLink(message: Message): Link | undefined {
	if (message.type !== routeType.newLink && message.type !== routeType.deleteLink) return undefined;
	const reader = new ByteReader(message);
	reader.skip(4);
	const index = reader.u32();
	const flags = reader.u32();
	reader.skip(4);
	const state = { up: (flags & linkFlag.up) !== 0, running: (flags & linkFlag.running) !== 0, carrier: undefined };
	const link: Link = {
		index,
		name: '',
		...state,
		operationalState: 'unknown',
		carrierChanges: 0,
		kind: '',
		slaveKind: '',
		masterIndex: 0,
		linkAddress: undefined,
		parentIndex: 0,
		bond: undefined,
		slave: undefined,
	};
	const attributes = new AttributeReader(reader.rest());
	let isElsewhere = false;
	while (attributes.next()) {
		takeLinkAttribute(attributes, link);
		isElsewhere ||= attributes.type === linkAttribute.linkNamespace;
	}
	if (isElsewhere || !stackedKinds.has(link.kind)) link.parentIndex = 0;
	return reader.failed || attributes.malformed || link.name === '' ? undefined : link;
}

function takeLinkAttribute(attributes: AttributeReader, link: Link): void {
	switch (attributes.type) {
		case linkAttribute.address:
			link.linkAddress = linkAddressText(attributes.octets());
			break;
		case linkAttribute.name:
			link.name = attributes.text();
			break;
		case linkAttribute.link:
			link.parentIndex = attributes.u32();
			break;
		case linkAttribute.master:
			link.masterIndex = attributes.u32();
			break;
		case linkAttribute.operationalState:
			link.operationalState = operationalStates[attributes.u8()] ?? 'unknown';
			break;
		case linkAttribute.carrier:
			link.carrier = attributes.u8() !== 0;
			break;
		case linkAttribute.carrierChanges:
			link.carrierChanges = attributes.u32();
			break;
		case linkAttribute.info:
			takeLinkInfo(attributes, link);
			break;
	}
}

const infoAttribute = { kind: 1, data: 2, slaveKind: 4, slaveData: 5 };

/** The kind comes before its data (rtnl_link_info_fill in net/core/rtnetlink.c). */
function takeLinkInfo(outer: AttributeReader, link: Link): void {
	const attributes = new AttributeReader(outer.inside());
	while (attributes.next()) {
		if (attributes.type === infoAttribute.kind) link.kind = attributes.text();
		else if (attributes.type === infoAttribute.slaveKind) link.slaveKind = attributes.text();
		else if (attributes.type === infoAttribute.data && link.kind === 'bond') link.bond = readBond(attributes);
		else if (attributes.type === infoAttribute.slaveData && link.slaveKind === 'bond')
			link.slave = readBondSlave(attributes);
	}
	outer.malformed ||= attributes.malformed;
}

const addressAttribute = { address: 1, local: 2 };

/** Reads struct ifaddrmsg and its attributes. On a point-to-point link IFA_LOCAL is ours and IFA_ADDRESS the peer's. */
export function readAddress(message: Message): InterfaceAddress | undefined {
	if (message.type !== routeType.newAddress && message.type !== routeType.deleteAddress) return undefined;
	const reader = new ByteReader(message);
	const family = familyName(reader.u8());
	const prefixLength = reader.u8();
	reader.skip(2);
	const interfaceIndex = reader.u32();
	if (reader.failed || !family) return undefined;
	let local: string | undefined;
	let address: string | undefined;
	const attributes = new AttributeReader(reader.rest());
	while (attributes.next()) {
		if (attributes.type === addressAttribute.local)
			local = addressText(family, attributes.octets(addressLength[family]));
		else if (attributes.type === addressAttribute.address)
			address = addressText(family, attributes.octets(addressLength[family]));
	}
	const own = local ?? address;
	return attributes.malformed || own === undefined ? undefined : { interfaceIndex, family, address: own, prefixLength };
}

const neighbourAttribute = { destination: 1, linkAddress: 2 };

/** Reads struct ndmsg and its attributes. */
export function readNeighbour(message: Message): Neighbour | undefined {
	if (message.type !== routeType.newNeighbour && message.type !== routeType.deleteNeighbour) return undefined;
	const reader = new ByteReader(message);
	const family = familyName(reader.u8());
	reader.skip(3);
	const interfaceIndex = reader.u32();
	const state = neighbourState(reader.u16());
	reader.skip(2);
	if (reader.failed || !family) return undefined;
	let address: string | undefined;
	let linkAddress: string | undefined;
	const attributes = new AttributeReader(reader.rest());
	while (attributes.next()) {
		if (attributes.type === neighbourAttribute.destination)
			address = addressText(family, attributes.octets(addressLength[family]));
		else if (attributes.type === neighbourAttribute.linkAddress) linkAddress = linkAddressText(attributes.octets());
	}
	return attributes.malformed || address === undefined
		? undefined
		: { interfaceIndex, family, address, state, linkAddress };
}

/** NUD_* by name, as `ip neighbour` writes it but in lower case. */
export function neighbourState(number: number): NeighbourState {
	const names = Object.keys(neighbourStates) as (keyof typeof neighbourStates)[];
	return names.find((name) => neighbourStates[name] === number) ?? 'none';
}

/** Reads a notification; undefined for kinds that nobody here listens to. */
export function readChange(message: Message): RouteChange | undefined {
	switch (message.type) {
		case routeType.newLink:
		case routeType.deleteLink: {
			const link = readLink(message);
			return link && { kind: 'link', change: message.type === routeType.newLink ? 'set' : 'removed', link };
		}
		case routeType.newAddress:
		case routeType.deleteAddress: {
			const address = readAddress(message);
			return address && { kind: 'address', change: message.type === routeType.newAddress ? 'set' : 'removed', address };
		}
		case routeType.newNeighbour:
		case routeType.deleteNeighbour: {
			const neighbour = readNeighbour(message);
			return (
				neighbour && {
					kind: 'neighbour',
					change: message.type === routeType.newNeighbour ? 'set' : 'removed',
					neighbour,
				}
			);
		}
		default:
			return undefined;
	}
}
