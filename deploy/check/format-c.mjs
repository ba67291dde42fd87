// Holds the C and C++ of the tree to .clang-format: `node deploy/check/format-c.mjs` names the files that differ
// and fails; `--fix` rewrites them. It knows no rules of its own and touches nothing outside the folders below.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

const formatters = ['clang-format', 'clang-format-14', 'clang-format-16', 'clang-format-19'];
const folders = ['bpf', 'src/addon', 'test'];

/** The first formatter that answers. Its version matters little: .clang-format asks for nothing newer than 14. */
function findFormatter() {
	return formatters.find((name) => spawnSync(name, ['--version']).status === 0);
}

function sourcesIn(folder) {
	if (!existsSync(folder)) return [];
	return readdirSync(folder, { recursive: true })
		.filter((name) => /\.(c|h|cc)$/.test(name))
		.map((name) => `${folder}/${name}`)
		.sort();
}

const formatter = findFormatter();
if (formatter === undefined) {
	process.stderr.write(`None of ${formatters.join(', ')} was found. Install one: apt-get install clang-format\n`);
	process.exit(1);
}
const mode = process.argv.includes('--fix') ? ['-i'] : ['--dry-run', '--Werror'];
const sources = folders.flatMap(sourcesIn);
if (sources.length > 0) {
	process.exitCode = spawnSync(formatter, [...mode, ...sources], { stdio: 'inherit' }).status ?? 1;
}
