/**
 * What counts as a change between two readings, and what does not.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { difference, isEmpty } from '../../src/table/difference.js';
import type { Snapshot } from '../../src/table/model.js';
import { parseRules } from '../../src/table/rules.js';
import { services } from './arbitrary.js';

const web = '-A -t 10.0.0.1:80 -s wrr\n';
const first = '-a -t 10.0.0.1:80 -r 10.1.0.1:80 -m -w 10\n';
const second = '-a -t 10.0.0.1:80 -r 10.1.0.2:80 -m -w 10\n';

function table(text: string): Snapshot {
	const result = parseRules(text);
	assert.ok(result.ok);
	return result.snapshot;
}

test('a reading does not differ from itself, whatever it holds', () => {
	fc.assert(
		fc.property(services, (made) =>
			assert.ok(isEmpty(difference({ services: made }, { services: structuredClone(made) }))),
		),
	);
});

test('the order of services and destinations is no difference', () => {
	const other = '-A -u 10.0.0.1:53\n';
	assert.ok(isEmpty(difference(table(web + first + second + other), table(other + web + second + first))));
});

test('counters and the kernel’s own mark of a hashed service are no difference', () => {
	const before = table(web + first);
	const after = structuredClone(before);
	const service = after.services[0];
	assert.ok(service?.destinations[0]);
	service.flags |= 2;
	service.stats.connections = 9n;
	service.destinations[0].activeConnections = 5;
	service.destinations[0].stats.bytesIn = 5n;
	assert.ok(isEmpty(difference(before, after)));
});

test('a destination appears, goes, and changes by name of field', () => {
	const { services: changed, destinations } = difference(
		table(web + first),
		table(web + first.replace('-w 10', '-w 0 -x 7') + second),
	);
	assert.deepEqual(changed, { added: [], removed: [], changed: [] });
	assert.deepEqual(
		destinations.added.map(({ destination }) => destination.address),
		['10.1.0.2'],
	);
	assert.deepEqual(destinations.changed[0]?.fields, ['weight', 'upperThreshold']);
	assert.deepEqual([destinations.changed[0]?.before.weight, destinations.changed[0]?.after.weight], [10, 0]);
	const back = difference(table(web + first + second), table(web + first)).destinations;
	assert.deepEqual(
		back.removed.map(({ destination }) => destination.address),
		['10.1.0.2'],
	);
	assert.equal(back.added.length + back.changed.length, 0);
});

test('each field of a tunnel is compared', () => {
	const tunnelled = (options: string) => table(`${web}-a -t 10.0.0.1:80 -r 10.1.0.1:80 -i ${options}`);
	const before = tunnelled('--tun-type gue --tun-port 1 --tun-csum');
	for (const options of [
		'--tun-type gre --tun-port 1 --tun-csum',
		'--tun-type gue --tun-port 2 --tun-csum',
		'--tun-type gue --tun-port 1',
	]) {
		assert.deepEqual(difference(before, tunnelled(options)).destinations.changed[0]?.fields, ['tunnel'], options);
	}
});

test('a service comes and goes with its destinations', () => {
	const gone = difference(table(web + first), table(''));
	assert.deepEqual([gone.services.removed.length, gone.destinations.removed.length], [1, 1]);
	const come = difference(table(''), table(web + first));
	assert.deepEqual([come.services.added.length, come.destinations.added.length], [1, 1]);
	assert.ok(!isEmpty(come));
});

test('a service changes by name of field', () => {
	const after = web.replace('wrr', 'sh -p 60 -M 255.255.255.0 --pe sip -b sh-port');
	const changed = difference(table(web), table(after)).services.changed[0];
	assert.deepEqual(changed?.fields, ['scheduler', 'persistenceSeconds', 'netmask', 'persistenceEngine', 'flags']);
});
