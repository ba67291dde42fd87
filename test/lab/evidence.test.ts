import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testimony } from './evidence.js';
import { parseMetrics } from './metrics.js';
import type { Lab, RealServer } from './scenario.js';

const labels = 'local_address="10.0.0.100",local_port="80",remote_address="10.1.0.11",remote_port="8080"';
const exposition = [
	'# HELP ipvigil_attempts_total What became of connection attempts.',
	'# TYPE ipvigil_attempts_total counter',
	`ipvigil_attempts_total{${labels},outcome="refused"} 3`,
	`ipvigil_attempts_total{${labels.replaceAll('.11', '.12')},outcome="refused"} 4`,
	'ipvigil_attempts_total{remote_address="fd01::11",remote_port="8080",outcome="scheduled"} 12',
	`ipvigil_unreachable_total{${labels},code="3"} 5`,
	`ipvigil_unreachable_total{${labels},code="1"} 2`,
	'ipvigil_leases 0',
].join('\n');

const servers = ['10.1.0.11:8080', '10.1.0.12:8080', '[fd01::11]:8080'].map(
	(destination) => ({ destination }) as RealServer,
);
const [first, , sixth] = servers as [RealServer, RealServer, RealServer];
const lab = { topology: { director: 'di' }, servers, exec: async () => exposition } as unknown as Lab;

test('a series is its name, its labels and its value, and comments are none', () => {
	const series = parseMetrics(exposition);
	assert.equal(series.length, 6);
	assert.deepEqual(series[5], { text: 'ipvigil_leases', name: 'ipvigil_leases', labels: {}, value: 0 });
	assert.equal(series[0]?.labels.remote_port, '8080');
});

test('testimony is of one server, in either family, and of all of them', async () => {
	const told = await testimony(lab);
	assert.equal(told.attempts(first).refused, 3);
	assert.equal(told.attempts(first).scheduled, 0);
	assert.equal(told.attempts(sixth).scheduled, 12);
	assert.equal(told.sum('refused'), 7);
});

test('ICMP errors are added up whatever their code', async () => {
	assert.equal((await testimony(lab)).unreachables(first), 7);
});
