import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { leaseName } from '../../src/remedy/lease-file.js';
import { Ledger, ledgerDirectory } from '../../src/remedy/ledger.js';
import { lease, server, temporaryDirectory } from './example.js';

describe('the ledger', () => {
	test('holds one file for each lease, for root alone', (t) => {
		const directory = join(temporaryDirectory(t), 'leases');
		new Ledger(directory).enter(lease);
		assert.deepEqual(readdirSync(directory), [leaseName(lease)]);
		assert.equal(statSync(join(directory, leaseName(lease))).mode & 0o777, 0o600);
		assert.equal(statSync(directory).mode & 0o777, 0o700);
	});

	test('gives back what was entered, the monitor file included', (t) => {
		const directory = temporaryDirectory(t);
		const earlier = { weight: 1, pid: 4700 };
		new Ledger(directory, (key) => `/run/track/${leaseName(key)}`).enter(lease, earlier);
		const { entries, bad } = new Ledger(directory).list();
		assert.deepEqual(bad, []);
		assert.deepEqual(entries, [{ lease, earlier, trackFile: `/run/track/${leaseName(lease)}` }]);
	});

	test('renews in place', (t) => {
		const ledger = new Ledger(temporaryDirectory(t));
		ledger.enter(lease);
		ledger.enter({ ...lease, untilMs: 2_000_000 });
		assert.deepEqual(
			ledger.list().entries.map((entry) => entry.lease.untilMs),
			[2_000_000],
		);
	});

	test('removes one lease and leaves the others; a file already gone is as good', (t) => {
		const ledger = new Ledger(temporaryDirectory(t));
		const other = { ...lease, destination: { ...server, address: '10.1.0.12' } };
		ledger.enter(lease);
		ledger.enter(other);
		ledger.remove(lease);
		ledger.remove(lease);
		assert.deepEqual(
			ledger.list().entries.map((entry) => entry.lease),
			[other],
		);
		assert.equal(ledger.read(lease), undefined);
	});

	test('carries the monitor’s file over a renewal by a daemon without that monitor, and removes it in the end', (t) => {
		const directory = temporaryDirectory(t);
		const track = join(directory, 'track');
		new Ledger(join(directory, 'leases'), () => track).enter(lease);
		writeFileSync(track, '1\n');
		const successor = new Ledger(join(directory, 'leases'));
		successor.enter({ ...lease, untilMs: 2_000_000 });
		assert.equal(successor.read(lease)?.trackFile, track);
		assert.ok(existsSync(track));
		successor.remove(lease);
		assert.equal(existsSync(track), false);
		assert.equal(successor.read(lease), undefined);
	});

	test('removes the file of a monitor that has moved to another directory', (t) => {
		const directory = temporaryDirectory(t);
		const [old, current] = ['old', 'current'].map((name) => join(directory, name)) as [string, string];
		for (const path of [old, current]) writeFileSync(path, '1\n');
		new Ledger(join(directory, 'leases'), () => old).enter(lease);
		const successor = new Ledger(join(directory, 'leases'), () => current);
		successor.enter(lease);
		assert.deepEqual([existsSync(old), existsSync(current)], [false, true]);
		assert.equal(successor.read(lease)?.trackFile, current);
	});

	test('ends a lease whose monitor’s file is gone already, and keeps one whose file cannot go', (t) => {
		const directory = temporaryDirectory(t);
		const track = join(directory, 'track');
		const ledger = new Ledger(join(directory, 'leases'), () => track);
		ledger.enter(lease);
		ledger.remove(lease);
		assert.equal(ledger.read(lease), undefined);
		ledger.enter(lease);
		mkdirSync(track);
		assert.throws(() => ledger.remove(lease));
		assert.deepEqual(ledger.read(lease)?.lease, lease);
	});

	test('tells bad files and leaves them where they are', (t) => {
		const directory = temporaryDirectory(t);
		const ledger = new Ledger(directory);
		ledger.enter(lease);
		const text = readFileSync(join(directory, leaseName(lease)), 'utf8');
		writeFileSync(join(directory, 'half'), text.slice(0, 100));
		writeFileSync(join(directory, 'huge'), 'x'.repeat(20_000));
		writeFileSync(join(directory, 'tcp_10.0.0.100_8080_10.1.0.99_8080'), text);
		const { entries, bad } = ledger.list();
		assert.equal(entries.length, 1);
		assert.deepEqual(
			bad.map(({ path }) => path.slice(directory.length + 1)),
			['half', 'huge', 'tcp_10.0.0.100_8080_10.1.0.99_8080'],
		);
		for (const { path } of bad) assert.ok(existsSync(path));
	});

	test('takes no notice of a file that was being written when its writer died', (t) => {
		const directory = temporaryDirectory(t);
		const ledger = new Ledger(directory);
		writeFileSync(join(directory, `.${leaseName(lease)}.new`), 'form');
		assert.deepEqual(ledger.list(), { entries: [], bad: [] });
		ledger.enter(lease);
		assert.deepEqual(readdirSync(directory), [leaseName(lease)]);
	});

	test('keeps the older entry where the new one cannot be written', (t) => {
		const ledger = new Ledger(temporaryDirectory(t));
		ledger.enter(lease);
		assert.throws(() => ledger.enter({ ...lease, count: -1 }), RangeError);
		assert.deepEqual(ledger.read(lease)?.lease, lease);
	});

	test('of a dry run lies where the give-back helper does not look', () => {
		assert.equal(ledgerDirectory('/run/ipvigil', false), '/run/ipvigil/leases');
		assert.notEqual(ledgerDirectory('/run/ipvigil', true), '/run/ipvigil/leases');
	});
});
