import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { JournalEntry } from '../../src/judge/action.js';
import { ExecTarget } from '../../src/monitors/exec.js';
import { temporaryDirectory } from '../remedy/example.js';

const entry: JournalEntry = {
	scenario: 'failed',
	service: 'tcp 10.0.0.100:8080',
	destination: 'tcp 10.0.0.100:8080 > 10.1.0.11:8080',
	sentence: 'it has failed; $(touch /nowhere) `x`\nand more',
	facts: { refusals: 2 },
};

const shell = (script: string, ...args: string[]) => ['/bin/sh', '-c', script, 'hook', ...args];
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe('the exec hook', () => {
	test('hands the entry over as one JSON line on standard input', async (t) => {
		const file = join(temporaryDirectory(t), 'out');
		const target = new ExecTarget({ command: shell('cat > "$1"', file), timeoutMs: 5_000 });
		assert.deepEqual(await target.tell(entry), { ok: true });
		const text = readFileSync(file, 'utf8');
		assert.equal(text.split('\n').length, 2);
		assert.deepEqual(JSON.parse(text), entry);
	});

	test('passes arguments as they are: no shell reads them', async (t) => {
		const file = join(temporaryDirectory(t), 'no $(such) ; thing');
		const target = new ExecTarget({ command: ['/usr/bin/touch', file], timeoutMs: 5_000 });
		assert.deepEqual(await target.tell(entry), { ok: true });
		assert.ok(existsSync(file));
	});

	test('does not mind a hook that reads nothing', async () => {
		const big = { ...entry, sentence: 'x'.repeat(500_000) };
		assert.deepEqual(await new ExecTarget({ command: ['/bin/true'], timeoutMs: 5_000 }).tell(big), { ok: true });
	});

	test('answers with the exit code and what the hook complained of', async () => {
		const target = new ExecTarget({ command: shell('echo "no mail server" >&2; exit 3'), timeoutMs: 5_000 });
		assert.deepEqual(await target.tell(entry), { ok: false, reason: '/bin/sh exited with 3: no mail server' });
	});

	test('answers where the command cannot be run at all', async () => {
		for (const command of [['/nowhere/hook'], ['/etc'], ['/bin/true', 'a\0b']]) {
			const delivery = await new ExecTarget({ command, timeoutMs: 5_000 }).tell(entry);
			assert.ok(!delivery.ok);
			assert.match(delivery.reason, /cannot be run/);
		}
	});

	test('kills a hook that is late, and what the hook started', async (t) => {
		const file = join(temporaryDirectory(t), 'alive');
		const target = new ExecTarget({ command: shell('(sleep 0.6; touch "$1") & wait', file), timeoutMs: 150 });
		assert.deepEqual(await target.tell(entry), { ok: false, reason: '/bin/sh was killed after 150 ms' });
		await pause(700);
		assert.equal(existsSync(file), false);
	});

	test('does not wait for what a hook left behind holding its standard error', async () => {
		const target = new ExecTarget({ command: shell('sleep 3 & exit 0'), timeoutMs: 10_000 });
		const startMs = performance.now();
		assert.deepEqual(await target.tell(entry), { ok: true });
		assert.ok(performance.now() - startMs < 2_000);
	});

	test('runs so many at once, keeps so many waiting, and counts the rest', async (t) => {
		const directory = temporaryDirectory(t);
		// Each hook notes how many hooks it finds running.
		const command = shell('mkdir "$1/$$"; ls -d "$1"/*/ | wc -l >> "$1/seen"; sleep 0.2; rmdir "$1/$$"', directory);
		const target = new ExecTarget({ command, timeoutMs: 5_000, runningMax: 2, waitingMax: 2 });
		const deliveries = await Promise.all([1, 2, 3, 4, 5].map(() => target.tell(entry)));
		assert.deepEqual(
			deliveries.map(({ ok }) => ok),
			[true, true, true, true, false],
		);
		assert.equal(target.overflow, 1);
		const seen = readFileSync(join(directory, 'seen'), 'utf8').trim().split('\n').map(Number);
		assert.equal(seen.length, 4);
		assert.equal(Math.max(...seen), 2);
	});

	test('closes within its time-out: what runs may end, what waits is given up', async () => {
		const target = new ExecTarget({ command: shell('sleep 0.2'), timeoutMs: 1_000, runningMax: 1 });
		const running = target.tell(entry);
		const waiting = target.tell(entry);
		await target.close();
		assert.deepEqual(await running, { ok: true });
		assert.equal((await waiting).ok, false);
		assert.equal((await target.tell(entry)).ok, false);
		await target.close();
	});
});
