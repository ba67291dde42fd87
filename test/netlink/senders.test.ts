import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Neighbour } from '../../src/netlink/route.js';
import { sendersOf } from '../../src/netlink/senders.js';

const mac = '02:00:00:00:00:11';
function neighbour(address: string, changes: Partial<Neighbour> = {}): Neighbour {
	const family = address.includes(':') ? 'inet6' : 'inet';
	return { interfaceIndex: 3, family, address, state: 'stale', linkAddress: mac, ...changes };
}

function macsOf(
	route: { interfaceIndex: number; gateway: string | undefined } | undefined,
	known: Neighbour,
): string[] {
	const [senders] = sendersOf([{ address: '10.1.0.11', route }], [known]);
	assert.equal(senders?.address, '10.1.0.11');
	return senders.macs;
}

const onLink = { interfaceIndex: 3, gateway: undefined };

describe('the senders of a host', () => {
	it('are its own MAC address where it is on the link', () =>
		assert.deepEqual(macsOf(onLink, neighbour('10.1.0.11')), [mac]));

	it("are its router's where it is behind one, of whichever family", () => {
		for (const gateway of ['10.1.0.254', 'fe80::1'])
			assert.deepEqual(macsOf({ interfaceIndex: 3, gateway }, neighbour(gateway)), [mac]);
		assert.deepEqual(macsOf({ interfaceIndex: 3, gateway: '10.1.0.254' }, neighbour('10.1.0.11')), []);
	});

	it('are not those of the same address on another interface', () =>
		assert.deepEqual(macsOf(onLink, neighbour('10.1.0.11', { interfaceIndex: 4 })), []));

	it('are none without a route, or without a neighbour that has an address', () => {
		assert.deepEqual(macsOf(undefined, neighbour('10.1.0.11')), []);
		for (const linkAddress of [undefined, '', '00:00:00:00:00:00', '0a:01:00:0b'])
			assert.deepEqual(macsOf(onLink, neighbour('10.1.0.11', { linkAddress })), []);
		assert.deepEqual(macsOf(onLink, neighbour('10.1.0.11', { state: 'failed' })), []);
	});

	it('are listed for each host, in their order', () => {
		const ways = ['10.1.0.12', '10.1.0.11'].map((address) => ({ address, route: onLink }));
		assert.deepEqual(sendersOf(ways, [neighbour('10.1.0.11')]), [
			{ address: '10.1.0.12', macs: [] },
			{ address: '10.1.0.11', macs: [mac] },
		]);
	});
});
