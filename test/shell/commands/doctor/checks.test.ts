/** The lines of doctor, from values: each boundary from both sides, and what all lines come to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unavailable } from '../../../../src/capture/availability.js';
import { degraded, exitOf, missing, ok, summary } from '../../../../src/shell/commands/doctor/check.js';
import { directoryChecks, fileSystemOf } from '../../../../src/shell/commands/doctor/directories.js';
import { moduleChecks, sysctlChecks, tableChecks } from '../../../../src/shell/commands/doctor/ipvs.js';
import {
	attachCheck,
	interfacesCheck,
	isWithin,
	lockdownCheck,
	pinCheck,
	releaseCheck,
	typesCheck,
} from '../../../../src/shell/commands/doctor/kernel.js';
import { privilegesCheck } from '../../../../src/shell/commands/doctor/privileges.js';
import {
	attemptsCheck,
	auditCheck,
	linksCheck,
	unloadingCheck,
} from '../../../../src/shell/commands/doctor/sources.js';
import { checksJson, renderChecks } from '../../../../src/shell/commands/doctor/view.js';
import { parseConfig } from '../../../../src/shell/config.js';
import { noStats, noTunnel, type Service } from '../../../../src/table/model.js';
import { matchesGolden } from '../../../support/golden.js';

const mounts = [
	'/dev/sda1 / ext4 rw 0 0',
	'tmpfs /run tmpfs rw 0 0',
	'bpf /sys/fs/bpf bpf rw 0 0',
	'sysfs /sys sysfs rw 0 0',
].join('\n');

test('five capabilities are enough, and each one that is lacking is named with its purpose', () => {
	const wanted = (1n << 12n) | (1n << 13n) | (1n << 39n) | (1n << 38n) | (1n << 21n);
	const status = (bits: bigint) => `Uid:\t1000\t1000\t1000\t1000\nCapEff:\t${bits.toString(16).padStart(16, '0')}\n`;
	assert.equal(privilegesCheck(status(wanted), true).status, 'ok');
	const lacking: [bigint, string][] = [
		[12n, 'CAP_NET_ADMIN'],
		[21n, 'CAP_SYS_ADMIN'],
		[38n, 'CAP_PERFMON'],
		[39n, 'CAP_BPF'],
	];
	for (const [bit, name] of lacking) {
		const check = privilegesCheck(status(wanted & ~(1n << bit)), true);
		assert.equal(check.exit, 'privileges');
		assert.match(check.reason, new RegExp(`uid 1000 lacks ${name} \\([^)]+\\)`));
	}
	const withoutRaw = privilegesCheck(status(wanted & ~(1n << 13n)), true);
	assert.deepEqual([withoutRaw.status, withoutRaw.exit], ['degraded', undefined]);
	assert.equal(privilegesCheck(status(wanted & ~(1n << 13n)), false).status, 'ok');
	assert.equal(privilegesCheck('', true).exit, 'privileges');
});

test('a kernel is too old, untested or good', () => {
	assert.equal(releaseCheck('5.8.0-1-amd64').exit, 'no-bpf');
	assert.equal(releaseCheck('5.9.0').status, 'degraded');
	assert.equal(releaseCheck('6.0.12').status, 'degraded');
	assert.equal(releaseCheck('6.1.0-56-amd64').status, 'ok');
	assert.equal(releaseCheck('7.3.4').status, 'ok');
	assert.equal(releaseCheck('strange').status, 'degraded');
});

test('tc is a tcx link from 6.6 on, a clsact filter before', () => {
	assert.match(attachCheck('6.5.9', 'auto').reason, /clsact/);
	assert.match(attachCheck('6.6.0', 'auto').reason, /tcx link/);
	assert.match(attachCheck('6.6.0', 'xdp').reason, /native/);
	assert.equal(attachCheck('6.6.0', 'none').status, 'degraded');
});

test('interfaces that are named must exist', () => {
	assert.match(interfacesCheck([], () => false).reason, /^found from the routes/);
	assert.equal(interfacesCheck(['eth0'], () => true).status, 'ok');
	const check = interfacesCheck(['eth0', 'eth9'], (name) => name === 'eth0');
	assert.equal(check.status, 'degraded');
	assert.equal(check.reason, 'eth9: no such interface here');
});

test('lockdown matters at confidentiality only', () => {
	assert.equal(lockdownCheck(undefined).status, 'ok');
	assert.equal(lockdownCheck('[none] integrity confidentiality').status, 'ok');
	assert.equal(lockdownCheck('none [integrity] confidentiality').status, 'ok');
	assert.equal(lockdownCheck('none integrity [confidentiality]').exit, 'no-bpf');
});

test('types of the kernel are needed', () => {
	assert.equal(typesCheck(true).status, 'ok');
	assert.equal(typesCheck(false).exit, 'no-bpf');
});

test('pins need a BPF file system above them', () => {
	assert.equal(pinCheck(mounts, '/sys/fs/bpf/ipvigil').status, 'ok');
	assert.equal(pinCheck(mounts, '/sys/fs/bpfx').status, 'degraded');
	assert.equal(pinCheck('', '/sys/fs/bpf/ipvigil').remedy, 'mount -t bpf bpf /sys/fs/bpf');
});

test('a path lies in a folder, not in one whose name it only begins with', () => {
	assert.ok(isWithin('/run/x', '/run') && isWithin('/run', '/run') && isWithin('/run', '/'));
	assert.ok(!isWithin('/runner', '/run'));
});

test('the file system of a path is the innermost mount', () => {
	assert.equal(fileSystemOf('/run/ipvigil', mounts), 'tmpfs');
	assert.equal(fileSystemOf('/srv', mounts), 'ext4');
	assert.equal(fileSystemOf('/run/x', `${mounts}\nx /run ext4 rw 0 0`), 'ext4');
	assert.equal(fileSystemOf('/srv', ''), 'unknown');
});

test('without the module there is no IPVS, unless the table comes from a file', () => {
	const absent = moduleChecks({ loaded: false, hasTypes: false, rulesOnly: false });
	assert.equal(exitOf(absent), 'ok');
	assert.match(absent[0]?.reason ?? '', /run would wait for it/);
	assert.equal(exitOf(moduleChecks({ loaded: false, hasTypes: false, rulesOnly: true })), 'ok');
	assert.deepEqual(
		moduleChecks({ loaded: true, hasTypes: false, rulesOnly: false }).map(({ status }) => status),
		['ok', 'degraded'],
	);
});

const hook = (name: string, reason = '') => ({ hook: name, attached: reason === '', reason });

test('each signal has its source, and hooks that this kernel lacks are named', () => {
	const none = unavailable('NO_IP_VS', 'ip_vs is not loaded', 'modprobe ip_vs');
	const all = { available: true as const, hooks: [hook('one'), hook('two')] };
	const some = { available: true as const, hooks: [hook('one'), hook('two', 'inlined')] };
	assert.match(attemptsCheck(all).reason, /from inside ip_vs, however they are forwarded: 2 of 2 hooks$/);
	assert.equal(attemptsCheck(all).status, 'ok');
	assert.match(attemptsCheck(some).reason, /1 of 2 hooks, without two \(inlined\)$/);
	assert.match(attemptsCheck(none).reason, /^ip_vs is not loaded: .* by the wire, and only in NAT$/);
	assert.match(attemptsCheck(undefined).remedy, /attempts: auto/);
	assert.equal(auditCheck(all).status, 'ok');
	assert.equal(auditCheck(some).status, 'degraded');
	assert.match(auditCheck(none).reason, /who writes a weight is not seen$/);
	assert.equal(linksCheck(all).status, 'ok');
	assert.match(linksCheck(some).reason, /by rtnetlink where hooks are missing: two \(inlined\)$/);
	assert.match(linksCheck(none).reason, /by rtnetlink, a little later$/);
});

test('how the hooks let go of the module is said, and that they have', () => {
	assert.match(unloadingCheck(false).reason, /before rmmod ip_vs: ipvigil hooks release/);
	assert.equal(unloadingCheck(true).remedy, 'ipvigil hooks attach');
});

test('sysctls are told by what weight 0 does to clients', () => {
	const statuses = (reuse: number | undefined, nodest: number, quiescent: number, persistent: boolean) =>
		sysctlChecks(
			{ conn_reuse_mode: reuse, expire_nodest_conn: nodest, expire_quiescent_template: quiescent },
			persistent,
		).map(({ status }) => status);
	assert.deepEqual(statuses(1, 1, 1, true), ['ok', 'ok', 'ok']);
	assert.deepEqual(statuses(0, 0, 0, true), ['degraded', 'degraded', 'degraded']);
	assert.deepEqual(statuses(2, 1, 0, false), ['degraded', 'ok', 'ok']);
	assert.deepEqual(statuses(undefined, 1, 1, false), ['degraded', 'ok', 'ok']);
});

function service(port: number, rest: Partial<Service> = {}): Service {
	return {
		address: { kind: 'address', protocol: 'tcp', family: 'inet', address: '10.0.0.100', port },
		scheduler: 'wrr',
		flags: 2,
		persistenceSeconds: 0,
		netmask: '255.255.255.255',
		persistenceEngine: '',
		stats: noStats,
		destinations: [],
		...rest,
	};
}

test('troubles of services come on one line each, with three names at most', () => {
	assert.deepEqual(tableChecks({ services: [service(80)] }), [ok('table', 'services: 1, destinations: 0')]);
	const fallback = service(80, { scheduler: 'sh', flags: 10 });
	assert.equal(tableChecks({ services: [fallback] }).length, 1);
	const hashed = [1, 2, 3, 4, 5].map((port) => service(port, { scheduler: 'dh' }));
	const [, line, ...rest] = tableChecks({ services: hashed });
	assert.equal(line?.check, 'schedulers');
	assert.match(line.reason, /^tcp 10\.0\.0\.100:1, tcp 10\.0\.0\.100:2, tcp 10\.0\.0\.100:3 and 2 more: /);
	assert.deepEqual(rest, []);
});

test('direct routing, marks and UDP are told', () => {
	const destinations: Service['destinations'] = [
		{
			family: 'inet',
			address: '10.1.0.11',
			port: 80,
			forwarding: 'droute',
			weight: 1,
			upperThreshold: 0,
			lowerThreshold: 0,
			tunnel: noTunnel,
			activeConnections: 0,
			inactiveConnections: 0,
			persistentConnections: 0,
			stats: noStats,
		},
	];
	const services = [
		service(80, { destinations }),
		service(0, { address: { kind: 'fwmark', family: 'inet', fwmark: 7 } }),
		service(53, { address: { kind: 'address', protocol: 'udp', family: 'inet', address: '10.0.0.100', port: 53 } }),
	];
	const checks = tableChecks({ services }).map(({ check }) => check);
	assert.deepEqual(checks, ['table', 'forwarding', 'endpoints', 'protocols']);
});

test('directories: leases on tmpfs, the track directory there before keepalived', () => {
	const config = parseConfig('monitors: { keepalived: {} }', 'x.yaml');
	const there = (path: string) => ({ path, exists: true, writable: true });
	const absent = (path: string) => ({ path, exists: false, writable: true });
	const barred = (path: string) => ({ path, exists: true, writable: false });
	const statuses = (look: typeof there, where = mounts) =>
		directoryChecks(config, look, where).map(({ status }) => status);
	assert.deepEqual(statuses(there), ['ok', 'ok', 'ok']);
	assert.deepEqual(statuses(absent), ['ok', 'ok', 'degraded']);
	assert.deepEqual(statuses(barred), ['missing', 'degraded', 'degraded']);
	assert.deepEqual(statuses(there, '/dev/sda1 / ext4 rw 0 0'), ['degraded', 'ok', 'ok']);
});

const lines = [
	ok('kernel', '6.1.0'),
	degraded('pins', 'no BPF file system', 'mount -t bpf bpf /sys/fs/bpf'),
	missing('table', 'no-ipvs', 'the module ip_vs is not loaded', 'modprobe ip_vs'),
];

test('the worst is what run would stumble over first', () => {
	assert.equal(exitOf(lines), 'no-ipvs');
	assert.equal(exitOf([...lines, missing('privileges', 'privileges', '', '')]), 'privileges');
	assert.equal(exitOf(lines.slice(0, 2)), 'ok');
	assert.equal(summary(lines.slice(0, 1)), 'ipvigil run would work.');
	assert.equal(summary(lines.slice(0, 2)), 'ipvigil run would work, with less in 1 of 2 points.');
	assert.equal(summary(lines), 'ipvigil run would end with 5: this kernel has no IPVS.');
});

test('doctor is printed for people and for programs', () => {
	matchesGolden('doctor.txt', renderChecks(lines, false));
	matchesGolden('doctor.json', checksJson(lines));
});
