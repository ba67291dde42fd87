/**
 * The tree as the tidy test reads it: files as text, their imports, their functions. Plain reading, no compiler: the
 * formatter has put every function's closing brace on a line with the indentation of its first.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The root of the source tree; this module runs from dist/test/support/. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

export interface Source {
	/** From the root, e.g. `src/table/model.ts`. */
	path: string;
	text: string;
	lines: string[];
}

export function sources(folder: string, pattern: RegExp): Source[] {
	if (!existsSync(`${root}${folder}`)) return [];
	return readdirSync(`${root}${folder}`, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile() && pattern.test(entry.name))
		.map((entry) => read(`${entry.parentPath}/${entry.name}`.slice(root.length)))
		.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function read(path: string): Source {
	const text = readFileSync(`${root}${path}`, 'utf8');
	return { path, text, lines: text.trimEnd().split('\n') };
}

/** The pages and settings beside src/, the lock file and hidden files apart. */
export function rootFiles(): Source[] {
	return readdirSync(root, { withFileTypes: true })
		.filter(
			(entry) =>
				entry.isFile() && /^[^.].*\.(md|json|gyp|yaml)$/.test(entry.name) && entry.name !== 'package-lock.json',
		)
		.map(({ name }) => read(name));
}

export interface Import {
	specifier: string;
	/** The source that is imported; undefined for Node's modules and packages. */
	path: string | undefined;
}

/** Static, re-exporting and dynamic imports, types included. */
export function importsOf({ path, text }: Source): Import[] {
	const pattern =
		/^(?:import|export)\b[^;'"]*?\bfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm;
	return [...withoutComments(text).matchAll(pattern)].map((match) => {
		const specifier = match[1] ?? match[2] ?? match[3] ?? '';
		return { specifier, path: specifier.startsWith('.') ? resolve(path, specifier) : undefined };
	});
}

function resolve(from: string, specifier: string): string {
	return posix.join(posix.dirname(from), specifier).replace(/\.js$/, '.ts');
}

/** Comments become blanks. A `//` inside a string is left alone where no quote or slash stands right before it. */
export function withoutComments(text: string): string {
	return text.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/(^|[\s;{}(,])\/\/.*$/gm, '$1');
}

/** What stands before the opening brace of a function: a closing parenthesis, perhaps a type, perhaps an arrow. */
const functionHead = /(\)|\)\s*:\s*[^=]+|=>)\s*\{$/;
const statement = /^\s*(if|for|while|switch|case|catch|else|do|try|\}|with)\b/;

/** Functions and methods of more than one line: how they begin, and their length with the closing brace. */
export function functionsOf({ lines }: Source): { name: string; lines: number }[] {
	return lines.flatMap((line, index) => {
		if (!functionHead.test(line) || statement.test(line)) return [];
		const indent = /^\t*/.exec(line)?.[0] ?? '';
		const first = line.trim().startsWith(')') ? openingLine(lines, index, indent) : index;
		const end = lines.findIndex((other, at) => at > index && other.startsWith(`${indent}}`));
		return [{ name: lines[first]?.trim() ?? '', lines: end - first + 1 }];
	});
}

/** Where a signature of several lines began: the line above with the same indentation. */
function openingLine(lines: string[], index: number, indent: string): number {
	const above = lines.slice(0, index).findLastIndex((line) => line.startsWith(indent) && line[indent.length] !== '\t');
	return above < 0 ? index : above;
}

/** A comment before anything else but a `#!` line and the licence. */
export function opensWithComment({ lines }: Source): boolean {
	const first = lines.find(
		(line) => !line.startsWith('#!') && !line.includes('SPDX-License-Identifier') && line.trim() !== '',
	);
	return first !== undefined && /^(\/\*|\/\/|#(?!include|define|if|pragma))/.test(first.trim());
}
