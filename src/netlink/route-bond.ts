/**
 * What RTM_NEWLINK says of bonds (include/uapi/linux/if_link.h, IFLA_BOND_* and IFLA_BOND_SLAVE_*): the bond's own view,
 * in IFLA_INFO_DATA, and that of each of its slaves, in IFLA_INFO_SLAVE_DATA. `route.ts` reads the rest of the link.
 * Kernels add attributes at the end (7.x has two more than 6.12), which are passed over. PURE.
 */
import { AttributeReader } from './attribute.js';

/** BOND_MODE_*, an index into this list. */
const bondModes = [
	'balance-rr',
	'active-backup',
	'balance-xor',
	'broadcast',
	'802.3ad',
	'balance-tlb',
	'balance-alb',
] as const;
export type BondMode = (typeof bondModes)[number] | 'unknown';

/** The aggregator that a bond of mode 802.3ad sends through (IEEE 802.1AX). */
export interface Aggregator {
	id: number;
	ports: number;
	/** All zero while no partner speaks LACP. */
	partnerAddress: string;
}

export interface Bond {
	mode: BondMode;
	/** 0: none. Modes without the notion of one active slave never say one. */
	activeSlaveIndex: number;
	/** Undefined in other modes than 802.3ad. */
	aggregator: Aggregator | undefined;
}

/** BOND_LINK_*, an index into this list: `fail` and `back` are the waits of downdelay and updelay. */
const slaveLinks = ['up', 'fail', 'down', 'back'] as const;
export type SlaveLink = (typeof slaveLinks)[number] | 'unknown';

export interface BondSlave {
	/** False for a backup. */
	active: boolean;
	link: SlaveLink;
	/** 0 where the bond's mode is not 802.3ad. */
	aggregatorId: number;
	/** The partner's port is ready for traffic, as LACP last told; not so where nobody speaks LACP. */
	partnerInSync: boolean;
}

/** Synchronization, a bit of a port's state (IEEE 802.1AX §6.4.2.3). */
const inSync = 0x08;

export function slaveLinkName(number: number): SlaveLink {
	return slaveLinks[number] ?? 'unknown';
}

export function linkAddressText(octets: Uint8Array): string {
	return Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join(':');
}

const bondAttribute = { mode: 1, activeSlave: 2, aggregatorInfo: 23 };

/** Reads IFLA_INFO_DATA of a link of kind "bond", at which `outer` stands. */
export function readBond(outer: AttributeReader): Bond {
	const bond: Bond = { mode: 'unknown', activeSlaveIndex: 0, aggregator: undefined };
	const attributes = new AttributeReader(outer.inside());
	while (attributes.next()) {
		if (attributes.type === bondAttribute.mode) bond.mode = bondModes[attributes.u8()] ?? 'unknown';
		else if (attributes.type === bondAttribute.activeSlave) bond.activeSlaveIndex = attributes.u32();
		else if (attributes.type === bondAttribute.aggregatorInfo) bond.aggregator = readAggregator(attributes);
	}
	outer.malformed ||= attributes.malformed;
	return bond;
}

const aggregatorAttribute = { id: 1, ports: 2, partnerAddress: 5 };
const macLength = 6;

function readAggregator(outer: AttributeReader): Aggregator {
	const aggregator: Aggregator = { id: 0, ports: 0, partnerAddress: '' };
	const attributes = new AttributeReader(outer.inside());
	while (attributes.next()) {
		if (attributes.type === aggregatorAttribute.id) aggregator.id = attributes.u16();
		else if (attributes.type === aggregatorAttribute.ports) aggregator.ports = attributes.u16();
		else if (attributes.type === aggregatorAttribute.partnerAddress)
			aggregator.partnerAddress = linkAddressText(attributes.octets(macLength));
	}
	outer.malformed ||= attributes.malformed;
	return aggregator;
}

const slaveAttribute = { state: 1, link: 2, aggregatorId: 6, partnerState: 8 };
/** BOND_STATE_ACTIVE; a backup is 1. */
const slaveIsActive = 0;

/** Reads IFLA_INFO_SLAVE_DATA of a port of a bond, at which `outer` stands. */
export function readBondSlave(outer: AttributeReader): BondSlave {
	const slave: BondSlave = { active: false, link: 'unknown', aggregatorId: 0, partnerInSync: false };
	const attributes = new AttributeReader(outer.inside());
	while (attributes.next()) {
		if (attributes.type === slaveAttribute.state) slave.active = attributes.u8() === slaveIsActive;
		else if (attributes.type === slaveAttribute.link) slave.link = slaveLinkName(attributes.u8());
		else if (attributes.type === slaveAttribute.aggregatorId) slave.aggregatorId = attributes.u16();
		else if (attributes.type === slaveAttribute.partnerState) slave.partnerInSync = (attributes.u16() & inSync) !== 0;
	}
	outer.malformed ||= attributes.malformed;
	return slave;
}
