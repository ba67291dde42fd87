// `npm test`: makes the tree ready, then runs every test there is, the lab's virtual machines included; the runner's
// summary comes last. `--unit` leaves out what boots machines, measures, or needs root (`npm run test:unit` after a
// build). The files are listed by their sources, so that what a removed test left in dist/ does not run.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ensure, root } from './ensure.mjs';
import { tell } from './say.mjs';

/** What is more than a few seconds of plain Node. */
const heavy = ['lab/lab.test.ts', 'sim/seeds.test.ts', 'kernel/', 'addon/', 'bench/'];

const unitOnly = process.argv.includes('--unit');
/** Kernels that lab.test.ts boots, fetched before so that its time limits are about tests. */
const kernels = ['6.1', '7'];

function testFiles() {
	const names = readdirSync(join(root, 'test'), { recursive: true }).filter((name) => name.endsWith('.test.ts'));
	const chosen = unitOnly ? names.filter((name) => !heavy.some((start) => name.startsWith(start))) : names;
	return chosen.sort().map((name) => join('dist/test', name.replace(/\.ts$/, '.js')));
}

if (!unitOnly) ensure({ kernels });
const files = testFiles();
tell(`${files.length} test files`);
// One file at a time: timing is part of what many of them show, and a virtual machine takes all there is.
const words = ['--test', '--test-reporter=spec', ...(unitOnly ? [] : ['--test-concurrency=1']), ...files];
process.exitCode = spawnSync(process.execPath, words, { cwd: root, stdio: 'inherit' }).status ?? 1;
