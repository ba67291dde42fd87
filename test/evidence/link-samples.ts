/** Links, neighbours, events and looks as tests need them: an Ethernet interface in order, and what differs from it. */
import type { LinkEvent } from '../../src/decode/event.js';
import type { Look } from '../../src/evidence/links.js';
import type { Link, Neighbour, NeighbourState } from '../../src/netlink/route.js';
import type { Bond, BondSlave } from '../../src/netlink/route-bond.js';

export function linkOf(over: Partial<Link>): Link {
	return {
		index: 2,
		name: 'eth1',
		up: true,
		running: true,
		carrier: true,
		operationalState: 'up',
		carrierChanges: 0,
		kind: '',
		slaveKind: '',
		masterIndex: 0,
		linkAddress: '02:00:00:00:00:01',
		parentIndex: 0,
		bond: undefined,
		slave: undefined,
		...over,
	};
}

/** bond0, index 10. */
export function bondLink(activeSlaveIndex: number, bond: Partial<Bond> = {}): Link {
	const whole: Bond = { mode: 'active-backup', activeSlaveIndex, aggregator: undefined, ...bond };
	return linkOf({ index: 10, name: 'bond0', kind: 'bond', bond: whole });
}

/** A port of bond0. */
export function slaveLink(index: number, name: string, slave: Partial<BondSlave> = {}): Link {
	const whole: BondSlave = { active: true, link: 'up', aggregatorId: 0, partnerInSync: false, ...slave };
	return linkOf({ index, name, slaveKind: 'bond', masterIndex: 10, slave: whole });
}

/** On interface 2. */
export function neighbourOf(address: string, state: NeighbourState): Neighbour {
	return { interfaceIndex: 2, family: 'inet', address, state, linkAddress: undefined };
}

export function carrierEvent(interfaceIndex: number, to: 'up' | 'down', changes: number, atUs: number): LinkEvent {
	const value = to === 'up' ? 1 : 0;
	return { kind: 'link', atUs, interfaceIndex, interfaceName: '', change: 'carrier', value, otherIndex: 0, changes };
}

/** Answered after a millisecond. */
export function lookOf(askedUs: number, links: readonly Link[], neighbours?: readonly Neighbour[]): Look {
	return { askedUs, answeredUs: askedUs + 1_000, links, neighbours, speeds: new Map() };
}
