/**
 * Bundles the program: dist/src/shell/cli.js with all that it imports becomes a handful of files, split where the
 * source imports lazily. Reading three hundred small files was most of the time from start to first observation.
 *
 * The bundle lies in dist/src/bundle because what it looks for (the addon, the BPF objects, package.json) it finds
 * relative to itself, and every folder of dist/src is equally deep. Functions keep their names, so
 * that a stack trace in a log can be read.
 */
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const outdir = join(root, 'dist/src/bundle');

rmSync(outdir, { recursive: true, force: true });
await build({
	entryPoints: [join(root, 'dist/src/shell/cli.js')],
	outdir,
	bundle: true,
	splitting: true,
	platform: 'node',
	format: 'esm',
	target: 'node20.19',
	minifyWhitespace: true,
	minifySyntax: true,
	logLevel: 'warning',
	// Packages that are CommonJS ask for `require`, which an ES module has not.
	banner: { js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);" },
});
