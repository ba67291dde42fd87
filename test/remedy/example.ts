/**
 * A lease to build tests on, and directories that vanish with the test.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Lease } from '../../src/judge/lease.js';
import { type Destination, noStats, noTunnel, type Service, type ServiceAddress } from '../../src/table/model.js';

export const web: ServiceAddress = {
	kind: 'address',
	protocol: 'tcp',
	family: 'inet',
	address: '10.0.0.100',
	port: 8080,
};

export const server: Destination = {
	family: 'inet',
	address: '10.1.0.11',
	port: 8080,
	forwarding: 'masq',
	weight: 3,
	upperThreshold: 0,
	lowerThreshold: 0,
	tunnel: noTunnel,
	activeConnections: 5,
	inactiveConnections: 7,
	persistentConnections: 0,
	stats: noStats,
};

export const lease: Lease = {
	service: web,
	destination: server,
	state: 'held',
	written: 0,
	sinceMs: 1_000_000,
	untilMs: 1_030_000.5,
	count: 1,
	pid: 4711,
	reason: 'failed: tcp 10.0.0.100:8080 > 10.1.0.11:8080 has failed',
};

export function serviceOf(...destinations: Destination[]): Service {
	return {
		address: web,
		scheduler: 'wrr',
		flags: 2,
		persistenceSeconds: 0,
		netmask: '255.255.255.255',
		persistenceEngine: '',
		stats: noStats,
		destinations,
	};
}

export function temporaryDirectory(test: TestContext): string {
	const directory = mkdtempSync(join(tmpdir(), 'ipvigil-test-'));
	test.after(() => rmSync(directory, { recursive: true, force: true }));
	return directory;
}
