import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
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
		new Ledger(directory, (key) => `/run/track/${leaseName(key)}`).enter(lease, 1);
		const { entries, bad } = new Ledger(directory).list();
		assert.deepEqual(bad, []);
		assert.deepEqual(entries, [{ lease, earlier: 1, trackFile: `/run/track/${leaseName(lease)}` }]);
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
