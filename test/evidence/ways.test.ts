/** Whether a server's silence may be the director's own fault: the way to it, interface by interface. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { LinkBook } from '../../src/evidence/links.js';
import { type Way, WayBook } from '../../src/evidence/ways.js';
import type { Link } from '../../src/netlink/route.js';
import { bondLink, carrierEvent, linkOf, lookOf, neighbourOf, slaveLink } from './link-samples.js';

const host = '10.1.0.11';
const onLink = (interfaceIndex: number): Way => ({ kind: 'unicast', interfaceIndex, gateway: undefined });
const through = (interfaceIndex: number, gateway: string): Way => ({ kind: 'unicast', interfaceIndex, gateway });

let book: LinkBook;
let ways: WayBook;

function begin(...links: Link[]): void {
	book = new LinkBook();
	ways = new WayBook(book);
	book.watch([host, '10.1.0.254']);
	book.see(lookOf(0, links));
}

const reason = () => ways.impairment(host)?.reason;

describe('the way over one interface', () => {
	const eth1 = linkOf({ index: 2, name: 'eth1' });
	beforeEach(() => {
		begin(eth1, linkOf({ index: 3, name: 'eth0' }));
		ways.setWay(host, onLink(2), 1);
	});

	it('is well while nothing is known against it, and of a host that was never listed', () => {
		assert.equal(ways.impairment(host), undefined);
		assert.equal(ways.impairment('10.1.0.99'), undefined);
	});

	it('is impaired since the carrier was lost, and well when it is back', () => {
		book.hearEvent(carrierEvent(2, 'down', 1, 1_000_000));
		const expected = { reason: 'no-carrier', interfaceName: 'eth1', address: undefined, sinceUs: 1_000_000 };
		assert.deepEqual(ways.impairment(host), expected);
		book.hearEvent(carrierEvent(2, 'up', 2, 2_000_000));
		assert.equal(reason(), undefined);
	});

	it('is impaired by the administrator, and by the interface’s end', () => {
		book.see(lookOf(1_000_000, [linkOf({ index: 2, name: 'eth1', up: false })]));
		assert.equal(reason(), 'interface-down');
		book.see(lookOf(2_000_000, []));
		assert.deepEqual([reason(), ways.impairment(host)?.interfaceName], ['interface-gone', 'eth1']);
	});

	it('is impaired where the neighbour failed: the host itself, or the gateway to it', () => {
		book.see(lookOf(1_000_000, [eth1], [neighbourOf(host, 'failed')]));
		assert.deepEqual([reason(), ways.impairment(host)?.address], ['neighbour-failed', host]);
		ways.setWay(host, through(2, '10.1.0.254'), 2_000_000);
		assert.equal(reason(), undefined);
		book.see(lookOf(3_000_000, [eth1], [neighbourOf('10.1.0.254', 'failed')]));
		assert.equal(ways.impairment(host)?.address, '10.1.0.254');
		assert.deepEqual(ways.nextHops(), ['10.1.0.254']);
	});

	it('is impaired without a route, and with one that leads nowhere; not to the director itself', () => {
		ways.setWay(host, undefined, 1_000_000);
		assert.deepEqual([reason(), ways.impairment(host)?.sinceUs], ['no-route', 1_000_000]);
		ways.setWay(host, { ...onLink(0), kind: 'blackhole' }, 2_000_000);
		assert.equal(reason(), 'no-route');
		ways.setWay(host, { ...onLink(1), kind: 'local' }, 3_000_000);
		assert.equal(reason(), undefined);
	});

	it('is not taken for the default route that is left when the interface is lost', () => {
		book.see(lookOf(1_000_000, [linkOf({ index: 2, name: 'eth1', up: false }), linkOf({ index: 3, name: 'eth0' })]));
		ways.setWay(host, through(3, '10.0.0.254'), 1_100_000);
		assert.deepEqual([reason(), ways.impairment(host)?.interfaceName], ['interface-down', 'eth1']);
		ways.setWay(host, onLink(3), 1_200_000);
		assert.equal(reason(), undefined, 'another interface has the network now');
	});

	it('follows a route that changes while all is well', () => {
		ways.setWay(host, through(3, '10.0.0.254'), 1_000_000);
		book.hearEvent(carrierEvent(2, 'down', 1, 2_000_000));
		assert.equal(reason(), undefined);
	});

	it('has moved where it leads over another interface or router, is lost or is found, and else has not', () => {
		const moved = (way: Way | undefined) => ways.setWay(host, way, 1_000_000);
		assert.equal(moved(onLink(2)), false);
		assert.equal(moved(onLink(3)), true);
		assert.equal(moved(through(3, '10.0.0.254')), true);
		assert.equal(moved(through(3, '10.0.0.254')), false);
		assert.deepEqual([moved(undefined), moved(undefined), moved(onLink(3))], [true, false, true]);
		assert.equal(ways.setWay('10.1.0.12', onLink(2), 1_000_000), false, 'the first way to a host is no other one');
	});

	it('is forgotten with its host', () => {
		ways.setWay(host, undefined, 1_000_000);
		ways.retain(new Set());
		assert.deepEqual([reason(), ways.has(host), ways.nextHops()], [undefined, false, []]);
	});
});

describe('the way over a VLAN on a bond', () => {
	const stack = (active: number, mode: 'active-backup' | '802.3ad' = 'active-backup', partnerAddress = '') => [
		bondLink(active, { mode, aggregator: partnerAddress ? { id: 1, ports: 2, partnerAddress } : undefined }),
		slaveLink(2, 's0'),
		slaveLink(3, 's1'),
		linkOf({ index: 20, name: 'bond0.7', kind: 'vlan', parentIndex: 10 }),
	];

	it('is well with one slave, impaired without the last, before the bond itself has noticed', () => {
		begin(...stack(2));
		ways.setWay(host, onLink(20), 1);
		book.hearEvent(carrierEvent(2, 'down', 1, 1_000_000));
		assert.equal(reason(), undefined);
		book.hearEvent(carrierEvent(3, 'down', 1, 2_000_000));
		const expected = { reason: 'no-carrier', interfaceName: 'bond0', address: undefined, sinceUs: 2_000_000 };
		assert.deepEqual(ways.impairment(host), expected);
	});

	it('is impaired without an active slave, where the mode has one', () => {
		begin(...stack(0));
		ways.setWay(host, onLink(20), 1);
		assert.equal(reason(), 'no-active-slave');
		begin(...stack(0, '802.3ad', '02:00:00:00:00:01'));
		ways.setWay(host, onLink(20), 1);
		assert.equal(reason(), undefined);
	});

	it('is impaired when all its slaves hear their partner no more, not when one does or none ever did', () => {
		const partner = '02:00:00:00:00:01';
		const lacp = (...inSync: boolean[]) => [
			bondLink(0, { mode: '802.3ad', aggregator: { id: 1, ports: 2, partnerAddress: partner } }),
			...inSync.map((partnerInSync, at) => slaveLink(2 + at, `s${at}`, { aggregatorId: 1, partnerInSync })),
		];
		begin(...lacp(false, false));
		ways.setWay(host, onLink(10), 1);
		assert.equal(reason(), undefined);
		begin(...lacp(true, true));
		ways.setWay(host, onLink(10), 1);
		book.see(lookOf(1_000_000, lacp(false, true)));
		assert.equal(reason(), undefined);
		book.see(lookOf(2_000_000, lacp(false, false)));
		const { sinceUs, ...impairment } = ways.impairment(host) ?? assert.fail();
		assert.deepEqual(impairment, { reason: 'partner-silent', interfaceName: 'bond0', address: undefined });
		assert.ok(sinceUs !== undefined && sinceUs > 1_000_000);
	});

	it('is impaired when one slave hears its partner no more and the other is unplugged', () => {
		const partner = '02:00:00:00:00:01';
		const lacp = (partnerInSync: boolean) => [
			bondLink(0, { mode: '802.3ad', aggregator: { id: 1, ports: 1, partnerAddress: partner } }),
			{ ...slaveLink(2, 's0', { aggregatorId: 2, partnerInSync: false }), carrier: false },
			slaveLink(3, 's1', { aggregatorId: 1, partnerInSync }),
		];
		begin(...lacp(true));
		ways.setWay(host, onLink(10), 1);
		assert.equal(reason(), undefined);
		book.see(lookOf(1_000_000, lacp(false)));
		assert.equal(reason(), 'partner-silent');
	});

	it('is impaired when the LACP partner falls silent, not where there never was one', () => {
		const silent = stack(0, '802.3ad', '00:00:00:00:00:00');
		begin(...silent);
		ways.setWay(host, onLink(20), 1);
		assert.equal(reason(), undefined);
		begin(...stack(0, '802.3ad', '02:00:00:00:00:01'));
		ways.setWay(host, onLink(20), 1);
		book.see(lookOf(1_000_000, silent));
		assert.equal(reason(), 'partner-silent');
	});

	/** The interfaces as they are shown: those that are down are in brackets. */
	const shown = () => ways.interfaces().map(({ name, up }) => (up ? name : `(${name})`));

	it('leads over the VLAN, the bond and its ports', () => {
		begin(...stack(2), linkOf({ index: 30, name: 'other' }));
		ways.setWay(host, onLink(20), 1);
		assert.deepEqual(shown(), ['bond0', 's0', 's1', 'bond0.7']);
		book.hearEvent(carrierEvent(2, 'down', 1, 1_000_000));
		assert.deepEqual(shown(), ['bond0', '(s0)', 's1', 'bond0.7']);
	});

	it('shows a bond without an active slave, or without its partner, as down with all that sits on it', () => {
		begin(...stack(0));
		ways.setWay(host, onLink(20), 1);
		assert.deepEqual(shown(), ['(bond0)', 's0', 's1', '(bond0.7)']);
		begin(...stack(0, '802.3ad', '02:00:00:00:00:01'));
		ways.setWay(host, onLink(20), 1);
		assert.deepEqual(shown(), ['bond0', 's0', 's1', 'bond0.7']);
		book.see(lookOf(1_000_000, stack(0, '802.3ad', '00:00:00:00:00:00')));
		assert.deepEqual(shown(), ['(bond0)', 's0', 's1', '(bond0.7)']);
	});

	it('shows what is gone as down, until it is there again and the way leads over it', () => {
		begin(...stack(2));
		ways.setWay(host, onLink(20), 1);
		book.see(lookOf(1_000_000, []));
		assert.deepEqual(shown(), ['(bond0.7)', '(bond0)']);
		const again = [
			linkOf({ index: 40, name: 'bond0', kind: 'bond' }),
			linkOf({ index: 41, name: 'bond0.7', kind: 'vlan', parentIndex: 40 }),
		];
		book.see(lookOf(2_000_000, again));
		assert.deepEqual(shown(), ['(bond0.7)', '(bond0)']);
		ways.setWay(host, onLink(41), 2_100_000);
		assert.deepEqual(shown(), ['bond0', 'bond0.7']);
	});

	it('shows a name once where one interface is gone and another has it now', () => {
		begin(linkOf({ index: 2, name: 'eth1' }));
		ways.setWay(host, onLink(2), 1);
		book.see(lookOf(1_000_000, [linkOf({ index: 3, name: 'eth1' })]));
		ways.setWay('10.1.0.12', onLink(3), 1_100_000);
		assert.deepEqual(shown(), ['eth1']);
	});
});
