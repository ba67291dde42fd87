import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contains, parseNetwork } from '../../src/table/network.js';

function has(network: string, address: string): boolean {
	const parsed = parseNetwork(network);
	assert.ok(parsed, network);
	return contains(parsed, address);
}

test('a network has the addresses within its prefix, and not their neighbours', () => {
	const cases: [string, string, string][] = [
		['10.1.0.0/16', '10.1.255.255', '10.2.0.0'],
		['10.1.0.128/25', '10.1.0.128', '10.1.0.127'],
		['10.1.0.11', '10.1.0.11', '10.1.0.10'],
		['10.1.0.11/32', '10.1.0.11', '10.1.0.12'],
		['192.0.2.0/31', '192.0.2.1', '192.0.2.2'],
		['fd00::/56', 'fd00:0:0:ff::1', 'fd00:0:0:100::1'],
		['fd00::11', 'fd00::11', 'fd00::12'],
	];
	for (const [network, inside, outside] of cases) {
		assert.equal(has(network, inside), true, `${network} has ${inside}`);
		assert.equal(has(network, outside), false, `${network} has not ${outside}`);
	}
});

test('the prefix of no bits has its whole family, and IPv4 is no part of IPv6', () => {
	assert.ok(has('0.0.0.0/0', '255.255.255.255'));
	assert.ok(!has('0.0.0.0/0', 'fd00::1'));
	assert.ok(has('::/0', 'fd00::1'));
});

test('bits beyond the prefix do not matter', () => assert.ok(has('10.1.0.11/16', '10.1.7.7')));

test('what is no network is none', () => {
	for (const text of ['', '10.1.0', '10.1.0.0/33', 'fd00::/129', '10.1.0.0/', '10.1.0.0/a', '10.1.0.0/8/8', 'eth0'])
		assert.equal(parseNetwork(text), undefined, text);
});
