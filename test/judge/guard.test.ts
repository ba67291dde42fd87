import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUsable, weightZeroHarm } from '../../src/judge/guard.js';
import { leaseLengthMs } from '../../src/judge/lease.js';
import { defaultPolicy } from '../../src/judge/policy.js';
import { addDestination } from '../../src/judge/standing.js';
import { createDestination, createState, random, type ServiceState } from '../../src/judge/state.js';
import { termsForAll } from '../../src/judge/terms.js';
import { type Destination, noStats, noTunnel, type ServiceAddress } from '../../src/table/model.js';

const address: ServiceAddress = { kind: 'address', protocol: 'tcp', family: 'inet', address: '10.0.0.100', port: 80 };

function destination(over: Partial<Destination> = {}): Destination {
	return {
		family: 'inet',
		address: '10.1.0.11',
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
		...over,
	};
}

function service(scheduler: string, flags = 0): ServiceState {
	return { address, scheduler, flags, destinations: new Set() };
}

const judge = () =>
	createState({
		terms: termsForAll({ mode: 'assist' }),
		pid: 1,
		dryRun: false,
		binding: false,
		seed: 7,
	});

test('usable is weight above 0, below the threshold, and neither suspect nor failed', () => {
	const usable = (over: Partial<Destination>) => isUsable(judge(), createDestination(address, destination(over), 0), 0);
	assert.equal(usable({}), true);
	assert.equal(usable({ weight: 0 }), false);
	assert.equal(usable({ upperThreshold: 10, activeConnections: 6, inactiveConnections: 3 }), true);
	assert.equal(usable({ upperThreshold: 10, activeConnections: 6, inactiveConnections: 4 }), false);
	const known = createDestination(address, destination(), 0);
	for (const [verdict, expected] of [
		['suspect', false],
		['failed', false],
		['recovering', true],
	] as const)
		assert.equal(isUsable(judge(), { ...known, verdict }, 0), expected);
	assert.equal(isUsable(judge(), { ...known, inTable: false }, 0), false);
});

test('a suspect whose probe was accepted last is usable, for a window', () => {
	const state = judge();
	const suspect = createDestination(address, destination(), 0);
	addDestination(state, suspect, 0);
	suspect.verdict = 'suspect';
	const [listener] = [...state.listeners.values()];
	assert.ok(listener);
	assert.equal(isUsable(state, suspect, 1_000), false);
	listener.lastAcceptedMs = 1_000;
	assert.equal(isUsable(state, suspect, 11_000), false, 'what is not calibrated proves nothing');
	listener.calibrated = true;
	assert.equal(isUsable(state, suspect, 11_000), true);
	assert.equal(isUsable(state, suspect, 11_001), false);
	listener.lastNegativeMs = 1_001;
	assert.equal(isUsable(state, suspect, 1_002), false);
});

test('weight 0 does harm under sh and mh without fallback, and under dh always', () => {
	for (const scheduler of ['rr', 'wrr', 'lc', 'wlc', 'sed', 'nq', 'lblc', 'fo', 'ovf'])
		assert.equal(weightZeroHarm(service(scheduler)), undefined);
	assert.match(weightZeroHarm(service('sh')) ?? '', /sh-fallback/);
	assert.match(weightZeroHarm(service('mh', 0x10)) ?? '', /mh-fallback/);
	assert.equal(weightZeroHarm(service('mh', 0x8)), undefined);
	assert.match(weightZeroHarm(service('dh', 0x8)) ?? '', /dh/);
});

test('a lease doubles with each ejection up to its cap, and jitter only adds', () => {
	const lengths = [0, 1, 2, 3, 4, 40].map((earlier) => leaseLengthMs(defaultPolicy, earlier, 0));
	assert.deepEqual(lengths, [30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
	assert.equal(leaseLengthMs(defaultPolicy, 0, 0.999), 32_997);
});

test('the same seed gives the same sequence, within [0, 1)', () => {
	const [one, other] = [judge(), judge()];
	for (let i = 0; i < 1_000; i++) {
		const value = random(one);
		assert.equal(value, random(other));
		assert.ok(value >= 0 && value < 1);
	}
});
