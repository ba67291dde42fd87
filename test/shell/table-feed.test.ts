import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { TableFeed } from '../../src/shell/table-feed.js';
import type { Snapshot } from '../../src/table/model.js';

const empty: Snapshot = { services: [] };

function feedOf(read: () => Promise<Snapshot>, seen: unknown[], intervalMs = 60_000): TableFeed {
	return new TableFeed({
		read,
		intervalMs,
		nowMs: () => performance.now(),
		onSnapshot: (snapshot) => seen.push(snapshot),
		onFailure: (error) => seen.push(error.message),
	});
}

async function until(reached: () => boolean): Promise<void> {
	const endMs = performance.now() + 5_000;
	while (!reached() && performance.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 2));
	assert.ok(reached(), 'it did not happen in 5 s');
}

test('however often a reading is asked for while one is under way, one more follows', async () => {
	const seen: unknown[] = [];
	let reads = 0;
	let release = () => {};
	const feed = feedOf(() => {
		reads += 1;
		return reads > 1
			? Promise.resolve(empty)
			: new Promise((resolve) => {
					release = () => resolve(empty);
				});
	}, seen);
	for (let i = 0; i < 5; i++) feed.refresh();
	assert.equal(reads, 1);
	release();
	await until(() => seen.length === 2);
	feed.close();
	assert.equal(reads, 2);
});

test('a failed reading is told, and the next one is made', async () => {
	const seen: unknown[] = [];
	let reads = 0;
	const feed = feedOf(
		async () => {
			reads += 1;
			if (reads === 1) throw new Error('no buffer space');
			return empty;
		},
		seen,
		1,
	);
	feed.refresh();
	await until(() => seen.length >= 2);
	feed.close();
	assert.deepEqual(seen.slice(0, 2), ['no buffer space', empty]);
});

test('what arrives after closing is nobody’s business', async () => {
	const seen: unknown[] = [];
	let release = (_: Snapshot) => {};
	const feed = feedOf(
		() =>
			new Promise((resolve) => {
				release = resolve;
			}),
		seen,
	);
	feed.refresh();
	feed.close();
	release(empty);
	await new Promise((resolve) => setTimeout(resolve, 5));
	assert.deepEqual(seen, []);
});

test('a mistake of our own in judging a snapshot ends the process: it is no failure to read the table', () => {
	const program = `
		import { TableFeed } from ${JSON.stringify(new URL('../../src/shell/table-feed.js', import.meta.url).href)};
		new TableFeed({
			read: async () => ({ services: [] }),
			intervalMs: 1,
			nowMs: () => performance.now(),
			onSnapshot: () => { throw new Error('a broken judge'); },
			onFailure: () => console.log('told as a failed reading'),
		}).refresh();
	`;
	const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
		encoding: 'utf8',
		timeout: 10_000,
	});
	assert.deepEqual([status, stdout], [1, '']);
	assert.match(stderr, /a broken judge/);
});
