/**
 * Names of services, endpoints and destinations, and their reading back.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { destinationId, endpointOf, parseHostPort, parseServiceId, serviceId } from '../../src/table/identity.js';
import { parseRules } from '../../src/table/rules.js';

test('a service id reads back as the address that it names', () => {
	for (const id of [
		'tcp 10.0.0.100:80',
		'udp [fd00::1]:53',
		'sctp 10.0.0.1:0',
		'fwmark 7',
		'fwmark 4294967295 inet6',
	]) {
		const address = parseServiceId(id);
		assert.ok(address, id);
		assert.equal(serviceId(address), id);
	}
});

test('a service id is made canonical when read', () => {
	const address = parseServiceId('tcp [FD00:0:0:0::01]:443');
	assert.deepEqual(address, { kind: 'address', protocol: 'tcp', family: 'inet6', address: 'fd00::1', port: 443 });
});

test('what names no service gives undefined', () => {
	const bad = [
		'',
		'tcp',
		'icmp 10.0.0.1:80',
		'tcp 10.0.0.1',
		'tcp 10.0.0.1:65536',
		'tcp fd00::1:80',
		'tcp [10.0.0.1]:80',
	];
	for (const id of [...bad, 'tcp 10.0.0.256:80', 'fwmark 0', 'fwmark 4294967296', 'fwmark 7 inet', 'fwmark x']) {
		assert.equal(parseServiceId(id), undefined, id);
	}
});

test('a host and port needs brackets for IPv6 and only for IPv6', () => {
	assert.deepEqual(parseHostPort('[::1]:65535'), { family: 'inet6', address: '::1', port: 65535 });
	assert.equal(parseHostPort('::1:80'), undefined);
	assert.equal(parseHostPort('[127.0.0.1]:80'), undefined);
});

test('an endpoint is known where both protocol and port are', () => {
	const rules =
		'-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r 10.1.0.1:8080\n-A -f 7\n-a -f 7 -r 10.1.0.1:8080\n-A -t 10.0.0.2:0 -p\n-a -t 10.0.0.2:0 -r 10.1.0.1:0';
	const result = parseRules(rules);
	assert.ok(result.ok);
	const endpoints = result.snapshot.services.map((service) =>
		service.destinations.map((server) => endpointOf(service, server)),
	);
	assert.deepEqual(endpoints, [
		[{ protocol: 'tcp', family: 'inet', address: '10.1.0.1', port: 8080 }],
		[undefined],
		[undefined],
	]);
	const [first] = result.snapshot.services;
	assert.ok(first?.destinations[0]);
	assert.equal(destinationId(first.address, first.destinations[0]), 'tcp 10.0.0.1:80 > 10.1.0.1:8080');
});
