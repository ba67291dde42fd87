/**
 * The give-back helper against lease files that the ledger wrote and an ipvsadm that only keeps notes: what the daemon
 * enters, the shell must be able to undo.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Lease } from '../../src/judge/lease.js';
import { leaseName } from '../../src/remedy/lease-file.js';
import { lease, server } from '../remedy/example.js';
import { HelperBench, helper, root, uptime } from './helper-bench.js';

const over: Lease = { ...lease, untilMs: (uptime() - 10) * 1000 };

describe('the give-back helper', () => {
	for (const shell of [['/bin/sh'], ['busybox', 'sh'], ['bash', '--posix']]) {
		test(`gives back the weight of a lease that is over (${shell.join(' ')})`, (t) => {
			const bench = new HelperBench(t);
			bench.ledger.enter(over);
			const { status, said } = bench.run([], shell);
			assert.equal(said, 'ipvigil-give-back: tcp_10.0.0.100_8080_10.1.0.11_8080: over; weight 3 given back\n');
			assert.equal(status, 0);
			assert.deepEqual(bench.edits, ['-e -t 10.0.0.100:8080 -r 10.1.0.11:8080 -m -w 3']);
			assert.deepEqual(bench.left, []);
			assert.equal(existsSync(bench.trackFile), false);
		});
	}

	test('leaves a lease that is not over, and one within its grace', (t) => {
		const bench = new HelperBench(t);
		for (const seconds of [30, 0]) {
			bench.ledger.enter({ ...lease, untilMs: (uptime() + seconds) * 1000 });
			assert.deepEqual(bench.run(['--grace', '5']), { status: 0, said: '' });
			assert.equal(bench.left.length, 1);
		}
		assert.ok(existsSync(bench.trackFile));
		bench.ledger.enter({ ...lease, untilMs: (uptime() - 5) * 1000 });
		bench.run(['--grace', '5']);
		assert.deepEqual(bench.left, []);
	});

	test('gives back every lease when told so, over or not', (t) => {
		const bench = new HelperBench(t);
		bench.ledger.enter({ ...lease, untilMs: (uptime() + 300) * 1000 });
		assert.equal(bench.run(['--all']).status, 0);
		assert.equal(bench.edits.length, 1);
		assert.deepEqual(bench.left, []);
	});

	test('does nothing, and says nothing, without leases or without their directory', (t) => {
		const bench = new HelperBench(t);
		bench.failing('-S');
		assert.deepEqual(bench.run(), { status: 0, said: '' });
		assert.deepEqual(bench.run(['--directory', join(bench.directory, 'none')]), { status: 0, said: '' });
	});

	test('leaves a weight that is not ours', (t) => {
		const bench = new HelperBench(t);
		bench.table('-a -t 10.0.0.100:8080 -r 10.1.0.11:8080 -m -w 1');
		bench.ledger.enter(over);
		const { status, said } = bench.run();
		assert.equal(status, 0);
		assert.match(said, /left as it is, because weight 1 stands there, not ours/);
		assert.deepEqual([bench.edits, bench.left, existsSync(bench.trackFile)], [[], [], false]);
	});

	test('takes our older weight for ours where the change of it was cut short', (t) => {
		const bench = new HelperBench(t);
		bench.ledger.enter({ ...over, written: 1 }, { weight: 0, pid: 4700 });
		bench.run();
		assert.equal(bench.edits.length, 1);
	});

	test('takes it for ours where an earlier process wrote it, and no other', (t) => {
		for (const [pid, edits] of [
			[4700, 1],
			[4701, 0],
		] as const) {
			const bench = new HelperBench(t);
			bench.ledger.enter({ ...over, written: 1 }, { weight: 0, pid: 4700 });
			bench.run(bench.writers(`tcp 10.0.0.100:8080 10.1.0.11:8080 pid=${pid} comm=x\n`));
			assert.equal(bench.edits.length, edits);
		}
	});

	test('leaves a destination that is gone, and is not misled by its neighbours', (t) => {
		const bench = new HelperBench(t);
		bench.table(
			'-a -t 10.0.0.100:8080 -r 10.1.0.11:80 -m -w 0',
			'-a -t 10.0.0.100:808 -r 10.1.0.11:8080 -m -w 0',
			'-a -u 10.0.0.100:8080 -r 10.1.0.11:8080 -m -w 0',
		);
		bench.ledger.enter(over);
		assert.match(bench.run().said, /no longer in the table/);
		assert.deepEqual([bench.edits, bench.left], [[], []]);
	});

	test('gives back a tunnel, a firewall mark and IPv6 with all their attributes', (t) => {
		const bench = new HelperBench(t);
		const destination = {
			...server,
			family: 'inet6' as const,
			address: 'fd00::11',
			port: 0,
			forwarding: 'tunnel' as const,
			upperThreshold: 100,
			tunnel: { type: 'gue' as const, port: 6080, flags: 1 },
		};
		bench.table('-a -f 7 -6 -r [fd00::11]:0 -i -w 0 --tun-type gue --tun-port 6080 --tun-csum');
		bench.ledger.enter({ ...over, service: { kind: 'fwmark', family: 'inet6', fwmark: 7 }, destination });
		assert.equal(bench.run().status, 0);
		assert.deepEqual(bench.edits, [
			'-e -f 7 -6 -r [fd00::11]:0 -i -w 3 -x 100 --tun-type gue --tun-port 6080 --tun-csum',
		]);
	});

	test('gives no weight back where only a monitor was told, or the monitor has taken over', (t) => {
		const bench = new HelperBench(t);
		bench.failing('-S');
		for (const mine of [
			{ ...over, written: undefined },
			{ ...over, state: 'with-monitor' as const },
		]) {
			writeFileSync(bench.trackFile, '1\n');
			bench.ledger.enter(mine);
			const { status, said } = bench.run();
			assert.equal(status, 0);
			assert.match(said, /over; no weight was owed/);
			assert.deepEqual([bench.edits, bench.left, existsSync(bench.trackFile)], [[], [], false]);
		}
	});

	test('keeps the lease for the next run where ipvsadm fails', (t) => {
		for (const option of ['-S', '-e'] as const) {
			const bench = new HelperBench(t);
			bench.failing(option);
			bench.ledger.enter(over);
			const { status, said } = bench.run();
			assert.equal(status, 1);
			assert.match(said, /the lease is kept/);
			assert.deepEqual([bench.edits, bench.left], [[], [leaseName(over)]]);
		}
	});

	test('gives the weight back but keeps the lease where the monitor’s file cannot be removed', (t) => {
		const bench = new HelperBench(t);
		rmSync(bench.trackFile);
		mkdirSync(bench.trackFile);
		bench.ledger.enter(over);
		const { status, said } = bench.run();
		assert.equal(status, 1);
		assert.match(said, /track file cannot be removed; weight 3 given back; the lease is kept/);
		assert.deepEqual([bench.edits.length, bench.left], [1, [leaseName(over)]]);
	});

	test('goes on with the other leases after one that failed', (t) => {
		const bench = new HelperBench(t);
		bench.ledger.enter(over);
		writeFileSync(join(bench.leases, 'a-bad-one'), 'format=1\nuntil=08\nedit=$(reboot)\n');
		writeFileSync(join(bench.leases, 'b-older-one'), 'format=0\nuntil=1\n');
		writeFileSync(join(bench.leases, 'c-empty-one'), '');
		const { status, said } = bench.run();
		assert.equal(status, 1);
		assert.equal(said.match(/not a lease of format 1; the lease is kept/g)?.length, 3);
		assert.equal(bench.edits.length, 1);
		assert.deepEqual(bench.left.sort(), ['a-bad-one', 'b-older-one', 'c-empty-one']);
	});

	test('refuses options that it does not know', (t) => {
		const bench = new HelperBench(t);
		assert.equal(bench.run(['--force']).status, 2);
	});
});

describe('the give-back helper with the list of last writers', () => {
	const line = (pid: number) => `tcp 10.0.0.100:8080 10.1.0.11:8080 pid=${pid} weight=0 writes=3 comm=ipvigil\n`;
	const cases: [name: string, text: string, given: boolean][] = [
		['we wrote last', line(4711), true],
		['our line is not the first', line(1).replace('.11:', '.12:') + line(4711), true],
		['nobody is known to have written: the list began after our write', '', true],
		['somebody else wrote the same weight since', line(99), false],
		['another process has a pid that begins like ours', line(47_110), false],
		['somebody else wrote only another service of the same server', line(99).replace('100:8080', '100:80'), true],
		['somebody else wrote only another port of the same server', line(99).replace('11:8080', '11:80'), true],
		['somebody else wrote only where a longer name ends like ours', line(99).replace('tcp 10.', 'udp tcp 10.'), true],
	];
	for (const [name, text, given] of cases) {
		test(`${given ? 'gives back' : 'leaves the weight'} where ${name}`, (t) => {
			const bench = new HelperBench(t);
			bench.ledger.enter(over);
			const { status, said } = bench.run(bench.writers(text));
			assert.equal(status, 0);
			assert.match(said, given ? /weight 3 given back/ : /somebody else wrote it last/);
			assert.equal(bench.edits.length, given ? 1 : 0);
			assert.deepEqual(bench.left, []);
		});
	}

	test('tells the firewall marks of the two address families apart', (t) => {
		const line = 'fwmark 7 inet6 [fd00::11]:0 pid=99 weight=0 writes=1 comm=keepalived\n';
		for (const [text, given] of [
			[line, false],
			[line.replace(' inet6', ''), true],
		] as const) {
			const bench = new HelperBench(t);
			bench.table('-a -f 7 -6 -r [fd00::11]:0 -m -w 0');
			bench.ledger.enter({
				...over,
				service: { kind: 'fwmark', family: 'inet6', fwmark: 7 },
				destination: { ...server, family: 'inet6', address: 'fd00::11', port: 0 },
			});
			bench.run(bench.writers(text));
			assert.equal(bench.edits.length, given ? 1 : 0);
		}
	});
});

describe('what systemd is given', () => {
	const unit = (path: string) => readFileSync(join(root, path), 'utf8');

	test('makes the directories at boot, never removes them, and none is left to the service', () => {
		const lines = unit('deploy/tmpfiles/ipvigil.conf')
			.split('\n')
			.filter((line) => line !== '' && !line.startsWith('#'));
		assert.deepEqual(
			lines.map((line) => line.split(/\s+/)),
			[
				['d', '/run/ipvigil', '0755', 'root', 'root', '-'],
				['d', '/run/ipvigil/leases', '0700', 'root', 'root', '-'],
				['d', '/run/ipvigil/keepalived', '0755', 'root', 'root', '-'],
			],
		);
	});

	test('runs the helper by the calendar, and only where a lease is on record', () => {
		assert.match(unit('deploy/give-back/ipvigil-give-back.timer'), /^OnCalendar=\*:\*:0\/5$/m);
		assert.match(
			unit('deploy/give-back/ipvigil-give-back.service'),
			/^ConditionDirectoryNotEmpty=\/run\/ipvigil\/leases$/m,
		);
	});

	test('is a helper that shellcheck has nothing to say about', () => {
		const { status, stdout } = spawnSync('shellcheck', [helper], { encoding: 'utf8' });
		assert.deepEqual([status, stdout], [0, '']);
	});
});
