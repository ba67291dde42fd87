/** The book of links: each real change told once, whoever tells it first. In any order: links-order.test.ts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LinkEvent, NeighbourEvent } from '../../src/decode/event.js';
import { linkSentence } from '../../src/evidence/link-words.js';
import { LinkBook, type LinkChange } from '../../src/evidence/links.js';
import type { Link } from '../../src/netlink/route.js';
import { bondLink, carrierEvent, linkOf, lookOf, neighbourOf, slaveLink } from './link-samples.js';

const told = (changes: LinkChange[]) =>
	changes.map(({ interfaceName, what, from, to }) => `${interfaceName} ${what} ${from} ${to}`);
const sentences = (changes: LinkChange[]) => changes.map(linkSentence);

function begun(...links: Link[]): LinkBook {
	const book = new LinkBook();
	assert.deepEqual(book.see(lookOf(0, links)), []);
	return book;
}

describe('a carrier', () => {
	const eth1 = linkOf({ index: 2, name: 'eth1', carrierChanges: 4 });
	const lost = linkOf({ index: 2, name: 'eth1', carrierChanges: 5, carrier: false });

	it('that a hook saw go is told with the hook’s time, and neither notice nor look tells it again', () => {
		const book = begun(eth1);
		const changes = book.hearEvent(carrierEvent(2, 'down', 5, 1_000_000));
		assert.deepEqual(sentences(changes), ['eth1 lost its carrier']);
		assert.deepEqual([changes[0]?.atUs, changes[0]?.by, changes[0]?.times], [1_000_000, 'hook', 1]);
		assert.deepEqual(book.hearNotice({ kind: 'link', change: 'set', link: lost }, 1_050_000), []);
		assert.deepEqual(book.see(lookOf(2_000_000, [lost])), []);
		assert.equal(book.takeDoubt(), false);
	});

	it('is told by the notice where no hook is, and the late hook adds nothing', () => {
		const book = begun(eth1);
		const notice = book.hearNotice({ kind: 'link', change: 'set', link: lost }, 1_050_000);
		assert.deepEqual([notice[0]?.by, notice[0]?.atUs], ['notice', 1_050_000]);
		assert.deepEqual(book.hearEvent(carrierEvent(2, 'down', 5, 1_000_000)), []);
	});

	it('is not undone by a notice that was written before', () => {
		const book = begun(eth1);
		book.hearEvent(carrierEvent(2, 'down', 5, 1_000_000));
		assert.deepEqual(book.hearNotice({ kind: 'link', change: 'set', link: eth1 }, 1_000_100), []);
		assert.ok(book.takeDoubt());
	});

	it('that went and came back between two looks is told', () => {
		const book = begun(eth1);
		const back = linkOf({ index: 2, name: 'eth1', carrierChanges: 6 });
		const changes = book.see(lookOf(10_000_000, [back]));
		assert.deepEqual(sentences(changes), ['eth1 has its carrier again after 2 changes']);
		assert.equal(changes[0]?.times, 2);
	});

	it('that a hook announced and that did not go is put right by a look', () => {
		const book = begun(eth1);
		book.hearEvent(carrierEvent(2, 'down', 5, 1_000_000));
		assert.deepEqual(book.see(lookOf(1_010_000, [eth1])), [], 'too soon after the hook');
		assert.deepEqual(sentences(book.see(lookOf(2_000_000, [eth1]))), ['eth1 has its carrier again']);
		const changes = book.hearEvent(carrierEvent(2, 'down', 5, 3_000_000));
		assert.deepEqual(sentences(changes), ['eth1 lost its carrier'], 'the number is free again');
	});
});

describe('an interface', () => {
	it('that vanishes is gone, with the failures of its neighbours, and one that comes is there', () => {
		const book = begun(linkOf({ index: 2, name: 'eth1' }));
		book.watch(['10.1.0.11']);
		book.see(lookOf(1_000_000, [linkOf({ index: 2, name: 'eth1' })], [neighbourOf('10.1.0.11', 'failed')]));
		const changes = book.see(lookOf(2_000_000, [linkOf({ index: 3, name: 'eth1' })]));
		assert.deepEqual(told(changes), [
			'eth1 presence here gone',
			'eth1 neighbour failed unknown',
			'eth1 presence gone here',
		]);
		assert.deepEqual(book.gone(2), { name: 'eth1', parentIndex: 0, sinceUs: 2_000_000 });
	});

	it('is followed when it is renamed', () => {
		const book = begun(linkOf({ index: 2, name: 'eth1' }));
		const changes = book.see(lookOf(1_000_000, [linkOf({ index: 2, name: 'lan' })]));
		assert.deepEqual(sentences(changes), ['eth1 is now called lan']);
	});

	it('that nobody knows yet makes the book want a look, by event and by notice', () => {
		const book = begun();
		assert.deepEqual(book.hearEvent(carrierEvent(9, 'down', 1, 1)), []);
		assert.ok(book.takeDoubt());
		assert.equal(book.takeDoubt(), false);
		const link = linkOf({ index: 9, name: 'eth9' });
		assert.deepEqual(book.hearNotice({ kind: 'link', change: 'set', link }, 2), []);
		assert.ok(book.takeDoubt());
	});

	it('set down by the administrator is told by the look that the notice brings', () => {
		const book = begun(linkOf({ index: 2, name: 'eth1' }));
		const link = linkOf({ index: 2, name: 'eth1', up: false });
		assert.deepEqual(book.hearNotice({ kind: 'link', change: 'set', link }, 1_000_000), []);
		assert.ok(book.takeDoubt());
		assert.deepEqual(sentences(book.see(lookOf(1_000_001, [link]))), ['eth1 was set down']);
	});

	it('keeps its speed while it is down, and tells another', () => {
		const eth1 = linkOf({ index: 2, name: 'eth1' });
		const book = begun(eth1);
		const at = (askedUs: number, ...speeds: [number, number][]) =>
			book.see({ ...lookOf(askedUs, [eth1]), speeds: new Map(speeds) });
		assert.deepEqual([at(1_000_000, [2, 10_000]), at(2_000_000)], [[], []]);
		assert.deepEqual(sentences(at(3_000_000, [2, 1_000])), ['eth1 went from 10000 to 1000 Mbit/s']);
	});
});

describe('a bond', () => {
	it('that fails over is told once, by the names of its slaves', () => {
		const book = begun(bondLink(2), slaveLink(2, 's0'), slaveLink(3, 's1'));
		const event: LinkEvent = { ...carrierEvent(10, 'up', 0, 1_000_000), change: 'activeSlave', value: 3 };
		assert.deepEqual(sentences(book.hearEvent(event)), ['bond0 sends through s1 and no longer s0']);
		assert.deepEqual(book.hearEvent(event), []);
		assert.deepEqual(book.see(lookOf(1_100_000, [bondLink(3), slaveLink(2, 's0'), slaveLink(3, 's1')])), []);
	});

	it('that loses its last slave and its LACP partner says so', () => {
		const aggregator = { id: 1, ports: 2, partnerAddress: '02:00:00:00:00:01' };
		const lacp = (over: object) => bondLink(0, { mode: '802.3ad', activeSlaveIndex: 0, aggregator, ...over });
		const book = begun(lacp({}));
		const silent = lacp({ aggregator: { id: 2, ports: 1, partnerAddress: '00:00:00:00:00:00' } });
		assert.deepEqual(sentences(book.see(lookOf(1_000_000, [silent]))), [
			'bond0 went from aggregator 1 to 2',
			'bond0 has lost its LACP partner',
		]);
		const backup = begun(bondLink(2), slaveLink(2, 's0'));
		const none = backup.see(lookOf(1_000_000, [bondLink(0), slaveLink(2, 's0')]));
		assert.deepEqual(sentences(none), ['bond0 has no active slave']);
	});

	it('has ports whose state and partner are followed, until they leave it', () => {
		const port = (link: 'up' | 'fail' | 'down', partnerInSync = true) =>
			slaveLink(2, 's0', { active: true, link, aggregatorId: 1, partnerInSync });
		const book = begun(bondLink(0), port('up'));
		const event: LinkEvent = { ...carrierEvent(2, 'up', 0, 1_000_000), change: 'slave', value: 1, otherIndex: 10 };
		assert.deepEqual(sentences(book.hearEvent(event)), ['s0, a port of its bond, went from up to fail']);
		assert.deepEqual(sentences(book.see(lookOf(2_000_000, [bondLink(0), port('down', false)]))), [
			's0, a port of its bond, went from fail to down',
			's0 has lost its LACP partner',
		]);
		const free = linkOf({ index: 2, name: 's0' });
		assert.deepEqual(book.see(lookOf(3_000_000, [bondLink(0), free])), []);
		assert.deepEqual(book.see(lookOf(4_000_000, [bondLink(0), port('up')])), [], 'a new port is no change');
	});
});

describe('a neighbour', () => {
	const eth1 = linkOf({ index: 2, name: 'eth1' });
	const event = (state: number, atUs: number): NeighbourEvent => ({
		kind: 'neighbour',
		atUs,
		address: '10.1.0.11',
		interfaceIndex: 2,
		state,
	});
	const watching = () => {
		const book = begun(eth1);
		book.watch(['10.1.0.11']);
		return book;
	};

	it('that fails and comes back is told once each time, however often the kernel says so', () => {
		const book = watching();
		const heard = [event(0x20, 1_000_000), event(0x20, 4_000_000), event(2, 5_000_000), event(2, 5_000_000)];
		assert.deepEqual(sentences(heard.flatMap((one) => book.hearEvent(one))), [
			'neighbour 10.1.0.11 on eth1 has failed',
			'neighbour 10.1.0.11 on eth1 is back',
		]);
	});

	it('that nobody asked for is not told', () => {
		const book = watching();
		assert.deepEqual(book.hearEvent({ ...event(0x20, 1_000_000), address: '10.1.0.12' }), []);
		const failed = neighbourOf('10.1.0.12', 'failed');
		assert.deepEqual(book.hearNotice({ kind: 'neighbour', change: 'set', neighbour: failed }, 1), []);
		assert.equal(book.takeDoubt(), false);
	});

	it('of which a notice says that it failed is looked at: an administrator’s flush looks the same', () => {
		const book = watching();
		const failed = neighbourOf('10.1.0.11', 'failed');
		assert.deepEqual(book.hearNotice({ kind: 'neighbour', change: 'set', neighbour: failed }, 1_000_000), []);
		assert.ok(book.takeDoubt());
		assert.deepEqual(book.see(lookOf(1_000_001, [eth1], [])), [], 'flushed');
		assert.deepEqual(sentences(book.see(lookOf(2_000_000, [eth1], [failed]))), [
			'neighbour 10.1.0.11 on eth1 has failed',
		]);
	});

	it('stays failed while it is asked again, and answers as news only after a failure', () => {
		const book = watching();
		assert.deepEqual(book.see(lookOf(1_000_000, [eth1], [neighbourOf('10.1.0.11', 'reachable')])), []);
		book.hearEvent(event(0x20, 2_000_000));
		assert.deepEqual(book.see(lookOf(3_000_000, [eth1], [neighbourOf('10.1.0.11', 'incomplete')])), []);
		assert.equal(book.neighbour(2, '10.1.0.11')?.value, 'failed');
		assert.deepEqual(sentences(book.see(lookOf(4_000_000, [eth1], [neighbourOf('10.1.0.11', 'delay')]))), [
			'neighbour 10.1.0.11 on eth1 is back',
		]);
	});

	it('is forgotten with the carrier, because the kernel flushes it', () => {
		const book = watching();
		book.hearEvent(event(0x20, 1_000_000));
		assert.deepEqual(told(book.hearEvent(carrierEvent(2, 'down', 1, 2_000_000))), [
			'eth1 carrier up down',
			'eth1 neighbour failed unknown',
		]);
	});
});
