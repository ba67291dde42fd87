/** Runs the tests that need interfaces of their own (interfaces.ts) in a network namespace that ends with them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('everything in interfaces.ts holds inside a network namespace', () => {
	const script = fileURLToPath(new URL('./interfaces.js', import.meta.url));
	// Without this the inner process would report in the runner's own binary format.
	const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
	const result = spawnSync('unshare', ['--net', process.execPath, script], {
		encoding: 'utf8',
		env: environment,
		timeout: 60_000,
	});
	assert.equal(result.status, 0, `${result.stdout}${result.stderr}`);
	assert.match(result.stdout, /# fail 0/);
});
