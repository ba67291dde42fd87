/**
 * A connection that meets itself, which the kernel makes of any connect() to a port that it hands out and nobody listens
 * on: self-connect-child.ts leaves it no other. Needs root, iproute2 and util-linux.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('a probe that meets itself is refused, with a mark and without, and leaves no connection', () => {
	const child = fileURLToPath(new URL('./self-connect-child.js', import.meta.url));
	const { stdout, stderr } = spawnSync('unshare', ['--net', process.execPath, child], {
		encoding: 'utf8',
		timeout: 30_000,
	});
	const refused = 'refused it met itself: nobody listens there\n';
	assert.deepEqual([stdout, stderr], [`${refused.repeat(4)}0 stand\naccepted \n`, '']);
});
