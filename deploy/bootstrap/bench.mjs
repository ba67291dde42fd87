// `npm run bench`: makes the tree ready, then measures. What is measured, and the options, are in test/bench/cli.ts.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ensure, root } from './ensure.mjs';

ensure();
const bench = spawn(process.execPath, [join(root, 'dist/test/bench/cli.js'), ...process.argv.slice(2)], {
	cwd: root,
	stdio: 'inherit',
});
// The terminal gives Ctrl-C to the benchmark too, which takes its namespaces down, and this waits for it.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => bench.kill('SIGTERM'));
bench.once('close', (code) => {
	process.exitCode = code ?? 1;
});
