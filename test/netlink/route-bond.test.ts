/**
 * Bonds as kernels describe them (test/fixtures/netlink/README.txt): LACP with and without a partner, active-backup with
 * a dead port, and what sits on a bond.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMessages } from '../../src/netlink/message.js';
import { type Link, readLink } from '../../src/netlink/route.js';
import { replies } from './replay.js';

function linksOf(fixture: string): (name: string) => Link {
	const messages = replies(fixture).flatMap((datagram) => readMessages(datagram).messages);
	const links = new Map(messages.map(readLink).flatMap((link) => (link ? [[link.name, link] as const] : [])));
	return (name) => links.get(name) ?? assert.fail(name);
}

const up = linksOf('route-bonds-up');
const lost = linksOf('route-bonds-lost');

test('an LACP bond says its aggregator and its partner', () => {
	const { bond, kind, carrier } = up('lagA');
	assert.deepEqual([kind, carrier, bond?.mode, bond?.activeSlaveIndex], ['bond', true, '802.3ad', 0]);
	assert.deepEqual([bond?.aggregator?.id, bond?.aggregator?.ports], [1, 2]);
	assert.match(bond?.aggregator?.partnerAddress ?? '', /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
	assert.notEqual(bond?.aggregator?.partnerAddress, '00:00:00:00:00:00');
});

test('each of its ports says the partner’s state', () => {
	for (const name of ['a0', 'a1']) {
		const { slave, masterIndex } = up(name);
		assert.deepEqual([slave?.link, slave?.aggregatorId, masterIndex], ['up', 1, up('lagA').index]);
		assert.equal(slave?.partnerInSync, true);
	}
});

test('without a partner an LACP bond keeps its carrier, and its partner’s address is zero', () => {
	const { bond, carrier } = lost('lagA');
	assert.deepEqual([carrier, bond?.aggregator?.partnerAddress], [true, '00:00:00:00:00:00']);
	assert.deepEqual([lost('a0').slave?.partnerInSync, lost('a1').slave?.partnerInSync], [false, false]);
	assert.deepEqual([lost('a0').slave?.aggregatorId, lost('a1').slave?.aggregatorId], [2, 1]);
});

test('an active-backup bond names its active slave and has no aggregator', () => {
	assert.deepEqual(up('bondC').bond, {
		mode: 'active-backup',
		activeSlaveIndex: up('c0').index,
		aggregator: undefined,
	});
	assert.equal(lost('bondC').bond?.activeSlaveIndex, lost('c1').index);
});

test('a dead port is down and a backup, the other is active', () => {
	const [dead, alive] = [lost('c0'), lost('c1')];
	assert.deepEqual([dead.carrier, dead.slave?.active, dead.slave?.link], [false, false, 'down']);
	assert.deepEqual([alive.carrier, alive.slave?.active, alive.slave?.link], [true, true, 'up']);
});

test('a VLAN and a macvlan name what they sit on, a veth does not name its peer', () => {
	assert.deepEqual([up('lagA.7').kind, up('lagA.7').parentIndex], ['vlan', up('lagA').index]);
	assert.deepEqual([up('mac0').kind, up('mac0').parentIndex], ['macvlan', up('lagA').index]);
	assert.deepEqual([up('d0').kind, up('d0').parentIndex, up('lo').parentIndex], ['veth', 0, 0]);
});
