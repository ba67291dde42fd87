/**
 * Habits that a reader relies on, held by a test: which folder may import which, what a pure folder may not know, how
 * long files and functions may get, and what every file begins with. Each failure says why the rule exists.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
	functionsOf,
	importsOf,
	opensWithComment,
	rootFiles,
	type Source,
	sources,
	withoutComments,
} from './support/sources.js';

/**
 * The layers, lowest first (ARCHITECTURE.md). `decode` lies below `capture`: it is a codec like `netlink`, and what
 * reads a ring hands on events instead of bytes.
 */
const layers = [
	'addon',
	'table',
	'netlink',
	'decode',
	'capture',
	'evidence',
	'judge',
	'remedy',
	'monitors',
	'report',
	'shell',
];

const pureFolders = ['table', 'netlink', 'decode', 'evidence', 'judge'];
/** The sockets of the netlink folder: all others there are codecs. */
const impureFiles = /^src\/netlink\/(([a-z]+-)?client|socket)\.ts$/;

const fileLinesMax = 350;
const functionLinesMax = 60;

const program = sources('src', /\.ts$/);
const tests = sources('test', /\.ts$/);
const native = [...sources('bpf', /\.[ch]$/), ...sources('src/addon', /\.(cc|h)$/), ...sources('test', /\.[ch]$/)];
const scripts = sources('deploy', /\.(mjs|sh)$/);
const prose = [
	...sources('docs', /\.md$/),
	...sources('deploy', /(?<!\.mjs|\.sh)$/),
	...sources('.ci', /./),
	...rootFiles(),
];
const handwritten = [...program, ...tests, ...native, ...scripts].filter(({ path }) => !path.includes('.generated.'));

/** One failure with every finding in it: the reason once, the places after it. */
function refuse(findings: string[], why: string): void {
	assert.equal(findings.length, 0, `${why}\n  ${findings.join('\n  ')}`);
}

function layerOf(path: string): number {
	return layers.indexOf(path.split('/')[1] ?? '');
}

function isPure({ path }: Source): boolean {
	return pureFolders.includes(path.split('/')[1] ?? '') && !impureFiles.test(path);
}

test('the sources were found at all', () => {
	assert.ok(program.length > 10 && tests.length > 3, `${program.length} sources, ${tests.length} tests`);
});

test('the reading is right: imports, functions and opening comments are seen', () => {
	const text = [
		'#!/usr/bin/env node',
		'/** A sample. */',
		'import {',
		'\ttype A,',
		"} from '../b/a.js';",
		"import 'node:fs';",
		"// import no from './no.js';",
		'export function f(',
		'\tone: string,',
		'): Promise<{ a: string; b: string }> {',
		'\tif (one) {',
		"\t\tawait import('./c.js');",
		'\t}',
		'}',
	].join('\n');
	const sample: Source = { path: 'src/x/s.ts', text, lines: text.split('\n') };
	assert.deepEqual(
		importsOf(sample).map(({ specifier, path }) => path ?? specifier),
		['src/b/a.ts', 'node:fs', 'src/x/c.ts'],
	);
	assert.deepEqual(functionsOf(sample), [{ name: 'export function f(', lines: 7 }]);
	assert.ok(opensWithComment(sample));
	assert.ok(!opensWithComment({ ...sample, lines: sample.lines.slice(2) }));
});

test('every folder of src is a layer', () => {
	const strangers = program.filter(({ path }) => layerOf(path) < 0).map(({ path }) => path);
	refuse(strangers, 'A folder without a place in the order of layers can import anything: give it one, here.');
});

test('imports point downwards, types included', () => {
	const upward = program.flatMap((source) =>
		importsOf(source)
			.filter(({ path }) => path?.startsWith('src/') && layerOf(path) > layerOf(source.path))
			.map(({ path }) => `${source.path} imports ${path}`),
	);
	refuse(upward, 'A lower layer that knows an upper one can no longer be read, tested or replaced without it.');
});

test('no source imports a test', () => {
	const wrong = program.filter((source) => importsOf(source).some(({ path }) => path?.startsWith('test/')));
	refuse(
		wrong.map(({ path }) => path),
		'What runs on a director must not depend on what only tests it.',
	);
});

test('pure folders import neither Node nor a package nor the addon', () => {
	const impure = program.filter(isPure).flatMap((source) =>
		importsOf(source)
			.filter(({ path }) => path === undefined || path.startsWith('src/addon/') || impureFiles.test(path))
			.map(({ specifier }) => `${source.path} imports ${specifier}`),
	);
	refuse(impure, 'Time, randomness and the table are inputs of a pure folder: that is why a seed replays a failure.');
});

test('pure folders read no clock, no randomness and no environment', () => {
	const world =
		/\b(Date\b|Math\.random|process\.|performance\.|setTimeout|setInterval|setImmediate|crypto\.|fetch\(|globalThis)/;
	const impure = program.filter(isPure).flatMap((source) => {
		const found = world.exec(withoutComments(source.text));
		return found ? [`${source.path} uses ${found[1]}`] : [];
	});
	refuse(impure, 'What a pure folder reads from the world, no test and no replay can give it.');
});

test('files fit in the head', () => {
	const long = handwritten.filter(({ lines }) => lines.length > fileLinesMax);
	refuse(
		long.map(({ path, lines }) => `${path}: ${lines.length} lines`),
		`A file of more than ${fileLinesMax} lines is two files: find the seam.`,
	);
});

test('functions fit on a screen', () => {
	const long = program.flatMap((source) =>
		functionsOf(source)
			.filter(({ lines }) => lines > functionLinesMax)
			.map(({ name, lines }) => `${source.path}: ${name}: ${lines} lines`),
	);
	refuse(
		long,
		`A function of more than ${functionLinesMax} lines hides its order of effects: cut it at its paragraphs.`,
	);
});

test('every file opens by saying what it is', () => {
	const spoken = new Set(handwritten.filter(opensWithComment).map(({ path }) => path));
	/** A .cc file is introduced by the header beside it, and a test by the names of its tests. */
	const silent = handwritten
		.map(({ path }) => path)
		.filter((path) => !path.endsWith('.test.ts'))
		.filter((path) => !spoken.has(path) && !spoken.has(path.replace(/\.cc$/, '.h')));
	refuse(silent, 'A reader should know from the first lines where a file stands in the way of the data.');
});

test('nothing is postponed in a comment and nothing is skipped', () => {
	const words =
		/\b(TODO|FIXME|XXX|HACK)\b|\b(test|it|describe)\.(skip|only|todo)\(|@ts-(ignore|nocheck)|biome-ignore-all/;
	const found = handwritten
		.filter(({ path }) => path !== 'test/tidy.test.ts')
		.flatMap((source) => places(source, words));
	refuse(found, 'What is not done is not in the tree; what is in the tree is done.');
});

test('no path or word of a workplace is in the tree', () => {
	const words = /(^|[\s'"`(=])\/(work|farm|home\/\w+|tmp\/w)\//;
	const found = [...handwritten, ...prose]
		.filter(({ path }) => path !== 'test/tidy.test.ts')
		.flatMap((source) => places(source, words));
	refuse(found, 'A path of one machine means nothing on the next.');
});

test('only the shell and the log write to the console', () => {
	const found = program
		.filter(({ path }) => !path.startsWith('src/shell/') && !path.startsWith('src/report/'))
		.flatMap((source) => places(source, /\bconsole\.|process\.std(out|err)\b/));
	refuse(found, 'A layer that prints decides for its caller where messages go: return the text, or throw it.');
});

function places(source: Source, pattern: RegExp): string[] {
	return source.lines.flatMap((line, index) =>
		pattern.test(line) ? [`${source.path}:${index + 1}: ${line.trim()}`] : [],
	);
}
