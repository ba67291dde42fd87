// `npm run bench`: makes the tree ready, then measures. What is measured, and the options, are in test/bench/cli.ts.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './ensure.mjs';

const standardError = 2;

// Standard output is the benchmark's alone, because with `-o json` a program reads it.
const ensured = spawnSync(process.execPath, [join(root, 'deploy/bootstrap/ensure.mjs')], {
	stdio: ['inherit', standardError, 'inherit'],
});
if (ensured.status !== 0) process.exit(ensured.status ?? 1);

const words = [join(root, 'dist/test/bench/cli.js'), ...process.argv.slice(2)];
const bench = spawn(process.execPath, words, { cwd: root, stdio: 'inherit' });
// The terminal gives Ctrl-C to the benchmark too, which takes its namespaces down, and this waits for it.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => bench.kill('SIGTERM'));
bench.once('close', (code) => {
	process.exitCode = code ?? 1;
});
