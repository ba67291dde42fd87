// Builds the BPF objects and the addon with node-gyp: `npm run build:native`. It configures only when binding.gyp or the
// list of headers is newer than the last configuration, so that a build with nothing to do takes a second. It does not
// compile TypeScript, and it knows no sources: binding.gyp does.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Node's own headers where they are installed (tarballs, Debian's libnode-dev); else node-gyp downloads them. */
function headerArguments() {
	const prefix = dirname(dirname(process.execPath));
	const nodedir = [prefix, '/usr'].find((directory) => existsSync(join(directory, 'include/node/node_api.h')));
	return nodedir === undefined ? [] : [`--nodedir=${nodedir}`];
}

/** What the configuration has read: binding.gyp, and which headers there are in bpf/, on which every object depends. */
function configurationIsStale() {
	const makefile = join(root, 'build/Makefile');
	if (!existsSync(makefile)) return true;
	const madeMs = statSync(makefile).mtimeMs;
	return ['binding.gyp', 'bpf'].some((input) => statSync(join(root, input)).mtimeMs > madeMs);
}

/** npm puts the node-gyp that it bundles on the PATH of its scripts. V=1 reaches make through the environment. */
function nodeGyp(verb) {
	const level = process.env.V ? '--loglevel=verbose' : '--loglevel=warn';
	const { status, error } = spawnSync('node-gyp', [verb, level, ...headerArguments()], { cwd: root, stdio: 'inherit' });
	if (error) process.stderr.write(`${error.message}: start this as "npm run build:native", npm brings node-gyp\n`);
	if (status !== 0) process.exit(status ?? 1);
}

if (configurationIsStale()) nodeGyp('configure');
nodeGyp('build');
