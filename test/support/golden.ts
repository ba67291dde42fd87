/**
 * Golden files: what a command printed when a person last looked at it. A difference fails; UPDATE_GOLDEN=1 (`npm run
 * golden:update`) rewrites the file instead, and the change is then read in the diff.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The golden files lie in the source tree; this module runs from dist/test/support/. */
const folder = new URL('../../../test/golden/', import.meta.url);

/** Compares `actual` with test/golden/`name`. */
export function matchesGolden(name: string, actual: string): void {
	const file = fileURLToPath(new URL(name, folder));
	if (process.env.UPDATE_GOLDEN === '1') {
		mkdirSync(dirname(file), { recursive: true });
		writeFileSync(file, actual);
		return;
	}
	assert.ok(existsSync(file), `test/golden/${name} does not exist: npm run golden:update writes it`);
	assert.equal(
		actual,
		readFileSync(file, 'utf8'),
		`test/golden/${name} differs: npm run golden:update, then read the diff`,
	);
}
