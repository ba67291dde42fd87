import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { KeepalivedTarget } from '../../src/monitors/keepalived.js';
import { lease, server, temporaryDirectory, web } from '../remedy/example.js';

const name = 'tcp_10.0.0.100_8080_10.1.0.11_8080';

describe('the keepalived target', () => {
	test('puts a fault into the track file, and takes the file away again', async (t) => {
		const directory = temporaryDirectory(t);
		const target = new KeepalivedTarget(directory);
		assert.deepEqual(await target.bind(web, server, 'down'), { ok: true });
		assert.deepEqual(readdirSync(directory), [name]);
		assert.equal(readFileSync(join(directory, name), 'utf8'), '1\n');
		assert.deepEqual(await target.bind(web, server, 'up'), { ok: true });
		assert.deepEqual(readdirSync(directory), []);
	});

	test('may be told the same twice', async (t) => {
		const target = new KeepalivedTarget(temporaryDirectory(t));
		for (const state of ['up', 'down', 'down', 'up', 'up'] as const) {
			assert.deepEqual(await target.bind(web, server, state), { ok: true });
		}
	});

	test('keeps the order of "down" and "up" that nobody waited for', async (t) => {
		const directory = temporaryDirectory(t);
		const target = new KeepalivedTarget(directory);
		await Promise.all((['down', 'up', 'down', 'up'] as const).map((state) => target.bind(web, server, state)));
		assert.deepEqual(readdirSync(directory), []);
	});

	test('renames the file into place, which keepalived’s inotify mask hears', async (t) => {
		const directory = temporaryDirectory(t);
		const target = new KeepalivedTarget(directory);
		const events: string[] = [];
		// Node tells IN_MOVED_TO and IN_DELETE as "rename"; a file written in place would end with "change".
		const watcher = watch(directory, (event, file) => file === name && events.push(event));
		t.after(() => watcher.close());
		await target.bind(web, server, 'down');
		await new Promise((resolve) => setTimeout(resolve, 50));
		assert.deepEqual(events, ['rename']);
	});

	test('names the very file that the ledger hands to the give-back helper', (t) => {
		const directory = temporaryDirectory(t);
		assert.equal(new KeepalivedTarget(directory).file(web, server), join(directory, name));
	});

	test('says nothing where the directory stood before, and what to do where it had to be made', (t) => {
		const directory = join(temporaryDirectory(t), 'keepalived');
		const made = new KeepalivedTarget(directory);
		assert.match(made.notice ?? '', /reload keepalived.*tmpfiles/);
		assert.ok(existsSync(directory));
		assert.equal(new KeepalivedTarget(directory).notice, undefined);
	});

	test('answers with the remedy, and makes nothing, where the directory has been removed', async (t) => {
		const directory = join(temporaryDirectory(t), 'keepalived');
		const target = new KeepalivedTarget(directory);
		rmSync(directory, { recursive: true });
		const delivery = await target.bind(web, server, 'down');
		assert.ok(!delivery.ok);
		assert.match(delivery.reason, /systemd-tmpfiles --create/);
		assert.equal(existsSync(directory), false);
	});

	test('answers where the file cannot be written', async (t) => {
		const directory = temporaryDirectory(t);
		mkdirSync(join(directory, name));
		assert.equal((await new KeepalivedTarget(directory).bind(web, server, 'down')).ok, false);
	});

	test('sweeps the files of leases that are over, and nothing else', (t) => {
		const directory = temporaryDirectory(t);
		const stale = 'tcp_10.0.0.100_8080_10.1.0.12_8080';
		for (const file of [name, stale, `.${stale}.new`, 'uplink', '.hidden']) writeFileSync(join(directory, file), '1\n');
		assert.deepEqual(new KeepalivedTarget(directory).sweep([lease]).sort(), [`.${stale}.new`, stale]);
		assert.deepEqual(readdirSync(directory).sort(), ['.hidden', name, 'uplink']);
	});
});
