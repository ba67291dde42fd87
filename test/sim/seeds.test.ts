import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from './run.js';
import { Summary } from './summary.js';

const seeds = 2_000;

test(`everything holds in ${seeds} worlds, and nobody who is fit is taken out`, async (context) => {
	const directory = mkdtempSync(join(tmpdir(), 'ipvigil-sim-seeds-'));
	try {
		const summary = new Summary();
		const began = performance.now();
		for (let seed = 0; seed < seeds; seed++) {
			const outcome = await run(seed, { directory });
			summary.add(outcome);
			for (const { checker, detail } of outcome.violations) context.diagnostic(`SEED=${seed}: ${checker}: ${detail}`);
		}
		for (const line of summary.print(performance.now() - began).split('\n')) context.diagnostic(line);
		assert.deepEqual([...summary.violated], []);
		assert.equal(summary.falseEjections, 0);
	} finally {
		rmSync(directory, { recursive: true, force: true });
	}
});
