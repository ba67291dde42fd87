/** The printed table and its JSON, held by golden files. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usesColour } from '../../../src/shell/commands/grid.js';
import { parseServices } from '../../../src/shell/commands/services.js';
import { renderTable, tableJson } from '../../../src/shell/commands/table-view.js';
import { type Destination, noStats, noTunnel, type Service, type Snapshot } from '../../../src/table/model.js';
import { matchesGolden } from '../../support/golden.js';

function destination(address: string, port: number, rest: Partial<Destination> = {}): Destination {
	return {
		family: address.includes(':') ? 'inet6' : 'inet',
		address,
		port,
		forwarding: 'masq',
		weight: 1,
		upperThreshold: 0,
		lowerThreshold: 0,
		tunnel: noTunnel,
		activeConnections: 0,
		inactiveConnections: 0,
		persistentConnections: 0,
		stats: noStats,
		...rest,
	};
}

function service(address: Service['address'], rest: Partial<Service> = {}): Service {
	const base = { scheduler: 'wrr', flags: 2, persistenceSeconds: 0, netmask: '255.255.255.255', persistenceEngine: '' };
	return { address, ...base, stats: noStats, destinations: [], ...rest };
}

const snapshot: Snapshot = {
	services: [
		service(
			{ kind: 'address', protocol: 'tcp', family: 'inet', address: '10.0.0.100', port: 80 },
			{
				destinations: [
					destination('10.1.0.11', 8080, { weight: 100, activeConnections: 12, inactiveConnections: 3 }),
					destination('10.1.0.12', 8080, { weight: 0, stats: { ...noStats, connections: 2n ** 63n } }),
				],
			},
		),
		service(
			{ kind: 'address', protocol: 'udp', family: 'inet6', address: 'fd00::100', port: 53 },
			{
				persistenceSeconds: 300,
				netmask: '128',
				destinations: [destination('fd00::11', 53, { forwarding: 'tunnel' })],
			},
		),
		service({ kind: 'fwmark', family: 'inet', fwmark: 7 }, { scheduler: 'sh' }),
	],
};

test('the table lists each service before its destinations', () => {
	matchesGolden('table.txt', renderTable(snapshot, false));
});

test('no line of the table ends in a blank, and none is coloured where colour is not wanted', () => {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape is what is looked for
	assert.doesNotMatch(renderTable(snapshot, false), / $|\u001b/m);
	assert.ok(renderTable(snapshot, true).includes('\u001b[33m0\u001b[39m'));
});

test('an empty table says so', () => {
	assert.equal(renderTable({ services: [] }, false), 'The table is empty: no services.\n');
	assert.deepEqual(JSON.parse(tableJson({ services: [] }, 'kernel')), { format: 1, source: 'kernel', services: [] });
});

test('JSON keeps its shape, and 64-bit counters all their digits', () => {
	const text = tableJson(snapshot, 'kernel');
	matchesGolden('table.json', text);
	assert.ok(text.includes('"connections": "9223372036854775808"'));
});

test('colour is for a terminal that wants it', () => {
	assert.equal(usesColour({ isTTY: true }, {}), true);
	assert.equal(usesColour({ isTTY: true }, { NO_COLOR: '' }), true);
	assert.equal(usesColour({ isTTY: true }, { NO_COLOR: '1' }), false);
	assert.equal(usesColour({ isTTY: false }, {}), false);
	assert.equal(usesColour({}, {}), false);
});

test('services may be named in one word or in two, several at once', () => {
	const web = { kind: 'address', protocol: 'tcp', family: 'inet', address: '10.0.0.100', port: 80 };
	const dns = { kind: 'address', protocol: 'udp', family: 'inet6', address: 'fd00::1', port: 53 };
	const mark = { kind: 'fwmark', family: 'inet', fwmark: 7 };
	assert.deepEqual(parseServices(['tcp', '10.0.0.100:80', 'udp', '[fd00::1]:53', 'fwmark', '7']), [web, dns, mark]);
	assert.deepEqual(parseServices(['tcp 10.0.0.100:80', 'fwmark 7']), [web, mark]);
	assert.deepEqual(parseServices(['fwmark', '7', 'inet6']), [{ ...mark, family: 'inet6' }]);
	assert.deepEqual(parseServices([]), []);
});

test('words that name no service are refused with an example', () => {
	for (const words of [
		['10.0.0.100:80'],
		['tcp'],
		['tcp', '10.0.0.100'],
		['tcp', '10.0.0.100:65536'],
		['fwmark', 'x'],
	]) {
		assert.throws(() => parseServices(words), { kind: 'usage', remedy: /tcp 10\.0\.0\.100:80/ }, words.join(' '));
	}
});
