/**
 * One spelling per address. The IPv6 cases are those of RFC 5952 and RFC 4291.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
	canonicalAddress,
	formatAddress,
	formatIpv6,
	parseAddress,
	parseIpv4,
	parseIpv6,
} from '../../src/table/address.js';

test('IPv6 has one spelling: lower case, no leading zeros, the first longest run of zeros shortened', () => {
	const cases: [string, string][] = [
		['2001:0DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
		['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
		['2001:db8::0:1', '2001:db8::1'],
		['0:0:0:0:0:0:0:0', '::'],
		['0:0:0:0:0:0:0:1', '::1'],
		['fd00:0:0:0:0:0:0:0', 'fd00::'],
		['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
		['::ffff:0a00:0001', '::ffff:10.0.0.1'],
		['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
		['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
	];
	for (const [text, canonical] of cases) assert.equal(canonicalAddress(text), canonical, text);
});

test('IPv4 is a dotted quad without leading zeros, and v4-mapped as octets', () => {
	assert.equal(canonicalAddress('10.1.0.255'), '10.1.0.255');
	assert.deepEqual([...(parseAddress('10.1.0.255') ?? [])], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 0, 255]);
	for (const text of ['10.1.0.256', '10.1.0', '10.1.0.1.2', '010.1.0.1', '10.1.0.', '1e1.0.0.1', ' 10.1.0.1']) {
		assert.equal(parseIpv4(text), undefined, text);
	}
});

test('what is no IPv6 address is refused', () => {
	const bad = [
		':::',
		'1::2::3',
		'1:2:3:4:5:6:7',
		'1:2:3:4:5:6:7:8:9',
		'1:2:3:4:5:6:7:8::',
		'::12345',
		'::g',
		':1',
		'1:',
		'1.2.3.4::',
	];
	for (const text of [...bad, '::1%eth0', '::1.2.3.256', `${'0'.repeat(46)}::`])
		assert.equal(parseIpv6(text), undefined, text);
});

test('octets to text and back is the identity, for every address', () => {
	fc.assert(
		fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (octets) => {
			assert.deepEqual(parseIpv6(formatIpv6(octets)), octets);
			assert.deepEqual(parseAddress(formatAddress(octets)), octets);
		}),
	);
	fc.assert(
		fc.property(fc.ipV4(), (text) => assert.equal(formatAddress(parseAddress(text) ?? new Uint8Array(16)), text)),
	);
	fc.assert(
		fc.property(fc.ipV6(), (text) =>
			assert.equal(canonicalAddress(canonicalAddress(text) ?? ''), canonicalAddress(text)),
		),
	);
});

test('no text whatever makes the parser throw', () => {
	fc.assert(
		fc.property(fc.string({ unit: fc.constantFrom(...'0123456789abF:.%[]') }), (text) => void parseAddress(text)),
	);
});
