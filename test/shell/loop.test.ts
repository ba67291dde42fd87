import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createState } from '../../src/judge/state.js';
import { termsForAll } from '../../src/judge/terms.js';
import { type Executors, Loop } from '../../src/shell/loop.js';
import { noStats, noTunnel, type Snapshot } from '../../src/table/model.js';

const state = () =>
	createState({
		terms: termsForAll({ mode: 'assist' }),
		pid: 1,
		dryRun: false,
		binding: false,
		seed: 1,
	});

const silent: Omit<Executors, 'schedule'> = {
	probe: () => {},
	setWeight: () => {},
	giveBack: () => {},
	ledger: () => {},
	forget: () => {},
	bind: () => {},
	tell: () => {},
	journal: () => {},
	remember: () => {},
	keepHolds: () => {},
};

function snapshotOf(...addresses: string[]): Snapshot {
	return {
		services: [
			{
				address: { kind: 'address', protocol: 'tcp', family: 'inet', address: '10.0.0.100', port: 80 },
				scheduler: 'wrr',
				flags: 0,
				persistenceSeconds: 0,
				netmask: '255.255.255.255',
				persistenceEngine: '',
				stats: noStats,
				destinations: addresses.map((address) => ({
					family: 'inet',
					address,
					port: 80,
					forwarding: 'masq',
					weight: 1,
					upperThreshold: 0,
					lowerThreshold: 0,
					tunnel: noTunnel,
					activeConnections: 0,
					inactiveConnections: 0,
					persistentConnections: 0,
					stats: noStats,
				})),
			},
		],
	};
}

test('an outcome that comes from inside an executor waits for the step under way', () => {
	const order: string[] = [];
	const loop: Loop = new Loop(state(), () => 0, {
		...silent,
		probe: ({ id, purpose }) => {
			order.push(`probe ${id}`);
			loop.take({ kind: 'probe', listener: id, purpose, outcome: 'accepted', latencyMs: 0, detail: '' });
			order.push('the executor is done');
		},
		remember: ({ calibrated }) => order.push(`remember ${calibrated}`),
	});
	loop.take({ kind: 'table', snapshot: snapshotOf('10.1.0.11'), sinceMs: 0 });
	loop.close();
	assert.deepEqual(order, ['probe tcp 10.1.0.11:80', 'the executor is done', 'remember tcp 10.1.0.11:80']);
});

test('the tick that the judge asked for comes, and brings what was due', async () => {
	const probed: string[] = [];
	const startMs = performance.now();
	const loop = new Loop(state(), () => performance.now() - startMs, {
		...silent,
		probe: ({ listener }) => probed.push(listener.endpoint.address),
	});
	// 250 new endpoints are due at once, the next one a quarter of a second later: that takes a tick.
	const addresses = Array.from({ length: 251 }, (_, index) => `10.1.${index >> 8}.${index & 255}`);
	loop.take({ kind: 'table', snapshot: snapshotOf(...addresses), sinceMs: 0 });
	assert.deepEqual(probed, addresses.slice(0, 250));
	while (probed.length < 251 && performance.now() - startMs < 5_000)
		await new Promise((resolve) => setTimeout(resolve, 5));
	loop.close();
	assert.deepEqual(probed, addresses);
});

test('a closed loop takes nothing more', () => {
	const probed: string[] = [];
	const loop = new Loop(state(), () => 0, {
		...silent,
		probe: ({ listener }) => probed.push(listener.endpoint.address),
	});
	loop.close();
	loop.take({ kind: 'table', snapshot: snapshotOf('10.1.0.11'), sinceMs: 0 });
	assert.deepEqual(probed, []);
});
