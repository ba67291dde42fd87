import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { broken } from './mutations.js';
import { type Outcome, run } from './run.js';

const directory = mkdtempSync(join(tmpdir(), 'ipvigil-sim-test-'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** As many as take some seconds; `seeds.test.ts` runs more. */
const seeds = 150;
/** In which a broken rule must have shown. */
const seedsMax = 60;

function told({ seed, violations }: Outcome): string {
	return violations.map(({ checker, detail }) => `SEED=${seed}: ${checker}: ${detail}`).join('\n');
}

test(`everything holds in ${seeds} worlds`, async () => {
	let ejections = 0;
	for (let seed = 0; seed < seeds; seed++) {
		const outcome = await run(seed, { directory });
		assert.equal(told(outcome), '');
		ejections += outcome.samples.ejections;
	}
	assert.ok(ejections > seeds, `${ejections} servers were taken out at all`);
});

test('the same seed tells the same story and writes the same journal, another one another', async () => {
	const [first, again, other] = [
		await run(7, { directory, told: true }),
		await run(7, { directory, told: true }),
		await run(8, { directory, told: true }),
	];
	assert.ok(first.journal.length > 10 && first.story.length > first.journal.length);
	assert.deepEqual(again.journal, first.journal);
	assert.deepEqual(again.story, first.story);
	assert.notDeepEqual(other.journal, first.journal);
});

test('every checker has a broken rule to show that it sees something', async () => {
	const { checkers } = await run(0, { directory });
	const shown = new Set(broken.map(({ checker }) => checker));
	assert.deepEqual(
		checkers.map(({ name }) => name).filter((name) => !shown.has(name)),
		[],
	);
});

for (const { checker, sentence, mutation, adapt } of broken)
	test(`${checker} catches an ipvigil that ${sentence}`, async (context) => {
		const options = { directory, ...(adapt && { adapt }) };
		for (let seed = 0; seed < seedsMax; seed++) {
			const outcome = await run(seed, { ...options, mutation });
			if (!outcome.violations.some((one) => one.checker === checker)) continue;
			context.diagnostic(`caught with seed ${seed}`);
			const sound = await run(seed, options);
			assert.equal(told(sound), '', 'the same world without the broken rule');
			return;
		}
		assert.fail(`not caught in ${seedsMax} worlds`);
	});

test('the command replays the story of one seed, or sums many up', () => {
	const cli = fileURLToPath(new URL('./cli.js', import.meta.url));
	const command = (words: string[], SEED?: string) =>
		spawnSync(process.execPath, [cli, ...words], { encoding: 'utf8', env: { ...process.env, ...(SEED && { SEED }) } });
	const one = command([], '7');
	assert.equal(one.status, 0);
	assert.match(one.stdout, /ipvigil 4711 starts/);
	const three = command(['--seeds', '3', '--from', '7']);
	assert.equal(three.status, 0, three.stderr);
	assert.match(three.stdout, /false ejections +│ 0 /);
});
