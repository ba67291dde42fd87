/** What a scrape shows of a daemon whose table is real and whose kernel is a stand-in. */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import type { DestinationOutcomes } from '../../src/capture/outcome.js';
import { sumLosses } from '../../src/capture/stream.js';
import { viewOf as octetsOf, sumEndpointCounters } from '../../src/decode/keys.js';
import { outcomeState } from '../../src/decode/layout.generated.js';
import { encodeOutcomeState, readOutcomeState } from '../../src/decode/outcome-state.js';
import { createState } from '../../src/judge/state.js';
import { step } from '../../src/judge/step.js';
import { termsForAll } from '../../src/judge/terms.js';
import { createLog } from '../../src/report/log.js';
import { parseConfig } from '../../src/shell/config.js';
import { type ReportParts, viewOf } from '../../src/shell/report.js';
import { destinationId } from '../../src/table/identity.js';
import { noStats } from '../../src/table/model.js';
import { server, web } from '../remedy/example.js';

const other = { ...server, address: '10.1.0.12' };
const endpoint = { protocol: 'tcp', family: 'inet', address: server.address, port: server.port } as const;
const nothing = { outcome: undefined, watching: () => [], losses: () => sumLosses([]) };

let parts: ReportParts;

beforeEach(() => {
	const state = createState({ terms: termsForAll({}), pid: 1, dryRun: false, binding: false, seed: 1 });
	const service = { address: web, scheduler: 'wrr', flags: 0, persistenceSeconds: 0, persistenceEngine: '' };
	const services = [{ ...service, netmask: '255.255.255.255', stats: noStats, destinations: [server, other] }];
	step(state, { kind: 'table', nowMs: 0, sinceMs: 0, snapshot: { services } });
	parts = {
		config: parseConfig('{}', 'x'),
		dryRun: false,
		log: createLog('silent'),
		state,
		wire: undefined,
		hooks: nothing,
		links: () => undefined,
		journal: { losses: { dropped: 0, failedWrites: 0 } },
		targets: { deliveries: () => [], overflow: () => 0 },
		tableAge: () => ({ ageMs: 0, stale: false }),
	};
});

test('each place that should be watched from is shown, attached or not', () => {
	const refused = { attached: false, code: 'EBUSY', reason: 'taken', remedy: 'detach it' } as const;
	parts.wire = {
		interfaces: [
			{ interfaceName: 'eth1', attached: true, method: 'tcx', times: 1 },
			{ interfaceName: 'eth2', ...refused },
		],
		counters: () => [],
		hostCounters: () => [],
		losses: () => sumLosses([]),
	};
	parts.hooks = { ...nothing, watching: () => [{ vantage: 'audit', hook: 'update_dest', attached: true }] };
	const carrier = { vantage: 'link', hook: 'carrier', attached: false } as const;
	parts.links = () => ({ states: () => [], hooks: undefined, watching: () => [carrier] });
	assert.deepEqual(viewOf(parts).watching, [
		{ vantage: 'wire', device: 'eth1', attached: true },
		{ vantage: 'wire', device: 'eth2', attached: false },
		{ vantage: 'audit', hook: 'update_dest', attached: true },
		carrier,
	]);
});

test('the holds that stand are shown, the one on all as one', () => {
	assert.equal(viewOf(parts).holds, 0);
	for (const destination of ['all', destinationId(web, server)])
		step(parts.state, { kind: 'hold', nowMs: 0, destination, untilMs: undefined, reason: '', remembered: false });
	assert.equal(viewOf(parts).holds, 2);
	step(parts.state, { kind: 'unhold', nowMs: 0, destination: 'all' });
	assert.equal(viewOf(parts).holds, 0);
});

test('what nobody asked for is not shown as a blind spot', () => {
	assert.deepEqual(viewOf(parts).watching, []);
});

test('the latencies of a service are those of each of its destinations', () => {
	const told = (destination: typeof server, count: number): DestinationOutcomes => {
		const octets = encodeOutcomeState(web, destination, outcomeState.layout.size);
		return { service: web, destination, ...readOutcomeState(octetsOf(octets), 0, 0), handshakes: [count] };
	};
	parts.hooks = { ...nothing, outcome: { outcomes: () => [told(server, 7), told(other, 8)], services: () => [] } };
	const [service] = viewOf(parts).services;
	assert.deepEqual([...(service?.handshake.values() ?? [])], [[7], [8]]);
});

test('errors of a host and of its endpoint are told apart', () => {
	const counters = sumEndpointCounters(new Uint8Array());
	parts.wire = {
		interfaces: [],
		counters: () => [{ endpoint, counters: { ...counters, unreachables: 5 } }],
		hostCounters: () => [{ address: server.address, counters: { ...counters, unreachables: 40 } }],
		losses: () => sumLosses([]),
	};
	const errors = [...viewOf(parts).destinations].map(({ unreachable }) => [...unreachable.entries()]);
	assert.deepEqual(errors, [
		[
			['host', [40]],
			['tcp 10.1.0.11:8080', [5]],
		],
		[],
	]);
});

test('what the wire, the hooks and the links have lost is one sum', () => {
	const lost = (ringFull: number) => () => ({ ...sumLosses([]), ringFull });
	parts.wire = { interfaces: [], counters: () => [], hostCounters: () => [], losses: lost(1) };
	parts.hooks = { ...nothing, losses: lost(20) };
	assert.equal(viewOf(parts).losses.ring, 21);
});
