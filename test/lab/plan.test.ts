import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planFor, planForTests } from './plan.js';
import type { Scenario } from './scenario.js';

const scenarios: Pick<Scenario, 'name' | 'signal' | 'kernels' | 'ci'>[] = [
	{ name: 'core', signal: 'wire' },
	{ name: 'early', signal: 'outcome', ci: ['6.1'] },
	{ name: 'late', signal: 'outcome', ci: ['7'] },
	{ name: 'later', signal: 'link', ci: ['7'] },
	{ name: 'new', kernels: ['6.12', '7'] },
	{ name: 'measured', kernels: [], signal: 'none' },
];

const names = (runs: { scenario: string; blind: boolean }[]) =>
	runs.map(({ scenario, blind }) => (blind ? `${scenario} blind` : scenario));

test('all means every scenario made for the kernel, wherever the tests run it', () => {
	assert.deepEqual(names(planFor(scenarios, '6.1', false)), ['core', 'early', 'late', 'later']);
	assert.deepEqual(names(planFor(scenarios, '6.12', false)), ['core', 'early', 'late', 'later', 'new']);
});

test('each signal is switched off once, after everything else', () => {
	assert.deepEqual(names(planFor(scenarios, '6.1', true)).slice(4), ['core blind', 'late blind', 'later blind']);
});

test('the tests run the core on each of their kernels and the others where they say', () => {
	const tested: Parameters<typeof planForTests>[2] = ['6.1', '7'];
	assert.deepEqual(names(planForTests(scenarios, '6.1', tested)), ['core', 'early', 'core blind', 'early blind']);
	assert.deepEqual(names(planForTests(scenarios, '7', tested)), ['core', 'late', 'later', 'new', 'later blind']);
});
