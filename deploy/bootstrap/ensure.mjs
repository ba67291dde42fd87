// Makes a fresh clone ready: Node's version, Debian packages, node_modules, the build, on demand the lab's kernels. It
// uses Node's own modules only, since it runs before anything is installed; where nothing is missing it takes a second.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensurePackages } from './packages.mjs';
import { stop, tell } from './say.mjs';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const oldestNode = [20, 19];

/** What a build is made from; a folder's own time tells of removed files. */
const sources = [
	'src',
	'bpf',
	'test',
	'binding.gyp',
	'package.json',
	'package-lock.json',
	'tsconfig.json',
	'deploy/build',
];
const compiled = /\.(ts|c|h|cc|gyp|json|mjs|sh)$/;

/** @param {{ kernels?: string[] }} wanted kernels to fetch beforehand, as the lab names them */
export function ensure({ kernels = [] } = {}) {
	ensureNode();
	ensurePackages();
	ensureModules();
	ensureBuild();
	if (kernels.length > 0) run('node', ['dist/test/lab/cli.js', 'kernels', ...kernels]);
}

export function ensureNode() {
	const [major, minor] = process.versions.node.split('.').map(Number);
	const fits = major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1]);
	if (!fits) stop(`Node ${oldestNode.join('.')} or newer is needed; this is ${process.versions.node}`);
}

/** npm writes node_modules/.package-lock.json at the end of an install: no file, no finished install. */
function ensureModules() {
	const installed = modified('node_modules/.package-lock.json');
	if (installed !== undefined && installed >= modified('package-lock.json')) return;
	tell('installing node_modules (npm ci)');
	run('npm', ['ci', '--no-audit', '--no-fund']);
}

/** The stamp carries the time at which the build began: what changes while it runs is built the next time. */
function ensureBuild() {
	const stamp = join(root, 'build/.built');
	const built = modified('build/.built');
	if (built !== undefined && existsSync(join(root, 'dist/src/bundle/cli.js')) && built >= newest()) return;
	const began = new Date();
	tell('building (npm run build)');
	run('npm', ['run', '--silent', 'build']);
	mkdirSync(join(root, 'build'), { recursive: true });
	writeFileSync(stamp, '');
	utimesSync(stamp, began, began);
	tell('built');
}

function newest() {
	return Math.max(...sources.flatMap((name) => (existsSync(join(root, name)) ? times(name) : [])));
}

function times(name) {
	const own = modified(name);
	if (!statSync(join(root, name)).isDirectory()) return [own];
	const inside = readdirSync(join(root, name), { recursive: true, withFileTypes: true });
	const counting = inside.filter((entry) => entry.isDirectory() || compiled.test(entry.name));
	return [own, ...counting.map((entry) => statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs)];
}

function modified(name) {
	return statSync(join(root, name), { throwIfNoEntry: false })?.mtimeMs;
}

function run(program, words) {
	const file = program === 'node' ? process.execPath : program;
	const { status, error } = spawnSync(file, words, { cwd: root, stdio: 'inherit' });
	if (status !== 0)
		stop(`${program} ${words.join(' ')} ${error ? `does not start: ${error.message}` : `ended with ${status}`}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	ensure({ kernels: process.argv.slice(2) });
	tell('everything is there');
}
