import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { leaseName } from '../../src/remedy/lease-file.js';
import { parseConfig } from '../../src/shell/config.js';
import { openTargets } from '../../src/shell/targets.js';
import { lease, server, temporaryDirectory } from '../remedy/example.js';

const over = { ...lease, destination: { ...server, address: '10.1.0.12' } };

for (const dryRun of [false, true]) {
	test(`a start ${dryRun ? 'for a dry run leaves' : 'removes'} the track files of leases that are over`, (t) => {
		const trackDirectory = temporaryDirectory(t);
		const [stale, kept] = [over, lease].map((one) => join(trackDirectory, leaseName(one))) as [string, string];
		for (const path of [stale, kept]) writeFileSync(path, '1\n');
		const config = parseConfig(`monitors: { keepalived: { trackDirectory: ${trackDirectory} } }`, 'x.yaml');
		const targets = openTargets(config, pino({ level: 'silent' }), dryRun);
		targets.sweep([lease]);
		assert.deepEqual([existsSync(stale), existsSync(kept)], [dryRun, true]);
		assert.equal(targets.trackFile(lease), dryRun ? undefined : kept);
	});
}
