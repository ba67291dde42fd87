/**
 * README.md and its companions against the code: every key, metric, scenario, code and file that they name exists, and
 * none is left out. What they say about them is for a reader to judge.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { defaultPolicy } from '../src/judge/policy.js';
import { scenarios } from '../src/judge/scenario.js';
import { leaseName } from '../src/remedy/lease-file.js';
import { createMetrics } from '../src/report/metrics.js';
import type { LossPlace } from '../src/report/view.js';
import { makeRunCommand } from '../src/shell/commands/run.js';
import { parseConfig } from '../src/shell/config.js';
import { exits, OperatorError } from '../src/shell/errors.js';
import { root, rootFiles, sources } from './support/sources.js';

const pages = [...rootFiles().filter(({ path }) => path.endsWith('.md')), ...sources('docs', /\.md$/)];
const readme = pages.find(({ path }) => path === 'README.md')?.text ?? '';

/** The rows of the table under this heading: its cells, without the backticks around a whole cell. */
function rowsUnder(...head: string[]): string[][] {
	const lines = readme.split('\n');
	const rows = lines.flatMap((line, index) =>
		cellsOf(line).join() === head.join() ? [tableFrom(index + 2, lines)] : [],
	);
	assert.ok(rows.length > 0, `README.md has a table of ${head.join(', ')}`);
	return rows.flat();
}

function tableFrom(start: number, lines: string[]): string[][] {
	const end = lines.findIndex((line, index) => index >= start && !line.startsWith('|'));
	return lines.slice(start, end).map(cellsOf);
}

function cellsOf(line: string): string[] {
	const cells = line.split('|').slice(1, -1);
	return cells.map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1'));
}

/** No key of ours is like this one, so the refusal lists those that there are. */
const stranger = 'qqqqqqqqqqqqqqqqqqqqqqqqqqqq';

/** The keys that the schema knows at a place, as its own refusal of a strange one says; none where no section is. */
function keysAt(place: string[]): string[] {
	const value = [...place, stranger].reduceRight<unknown>((inner, key) => ({ [key]: inner }), 1);
	try {
		parseConfig(JSON.stringify(value), 'x');
	} catch (error) {
		assert.ok(error instanceof OperatorError);
		return /known here: (.*)/.exec(error.message)?.[1]?.split(', ') ?? [];
	}
	return assert.fail(`${place.join('.')} takes any key`);
}

function leavesAt(place: string[]): string[] {
	const keys = keysAt(place);
	return keys.length === 0 ? [place.join('.')] : keys.flatMap((key) => leavesAt([...place, key]));
}

/** Sections that are not there by default are asked for, so that their own defaults show. */
const configuration: unknown = parseConfig(
	'monitors: { keepalived: {}, exec: { command: [/bin/true] } }\ntable: { rules: /rules }',
	'x',
);

function valueAt(key: string): unknown {
	return key.split('.').reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], configuration);
}

/** Keys without a default: the section that they stand in has to be written. */
const given = [
	'table.rules',
	'monitors.exec.command',
	...['address', 'port', 'sourceAddress', 'mark', 'request', 'expect', 'command'].map((key) => `probe.${key}`),
];

test('README.md names every key of the configuration with its default, and no other', () => {
	const expected = leavesAt([]).map((key) => [key, given.includes(key) ? 'none' : textOf(valueAt(key))]);
	const told = rowsUnder('key', 'default', 'meaning').map(([key, value]) => [key, value]);
	assert.ok(expected.length > 20, 'the schema was read');
	assert.deepEqual(told.sort(), expected.sort());
});

function textOf(value: unknown): string {
	return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

test('README.md names every metric with its type, and no other', async () => {
	const view = {
		mode: 'observe' as const,
		dryRun: false,
		destinations: [],
		services: [],
		watching: [],
		links: [],
		impairedHosts: 0,
		leases: 0,
		holds: 0,
		ejections: { detected: 0, enforced: 0, overflow: {} },
		probes: [],
		losses: {} as Record<LossPlace, number>,
		notifications: [],
	};
	const text = await createMetrics({ version: '0', commit: '0' }, () => view).text();
	const expected = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]);
	const told = rowsUnder('metric', 'type', 'further labels', 'meaning').map(([name, type]) => [name, type]);
	assert.ok(expected.length > 10, 'the exposition was read');
	assert.deepEqual(told.sort(), expected.sort());
});

test('README.md names every scenario, and no other', () => {
	const told = rowsUnder('scenario', 'said when', 'told to the hook').map(([name]) => name);
	assert.deepEqual(told.sort(), Object.keys(scenarios).sort());
});

test('README.md says of each scenario whether the hook is told', () => {
	const judge = sources('src/judge', /\.ts$/)
		.map(({ text }) => text)
		.join('\n');
	for (const [name, , told] of rowsUnder('scenario', 'said when', 'told to the hook')) {
		const onlyJournal = new RegExp(`\\bjournal\\(turn, '${name}'`).test(judge);
		assert.equal(told, onlyJournal ? 'no' : 'yes', name);
	}
});

test('README.md has the exit codes as the program has them', () => {
	const expected = Object.values(exits).map(({ code, meaning }) => [String(code), meaning]);
	assert.deepEqual(rowsUnder('code', 'meaning'), expected);
});

test('README.md shows the options of run as they are', () => {
	for (const { flags, description } of makeRunCommand().options) {
		const option = new RegExp(`${escaped(flags)}\\s+${escaped(description).replaceAll(' ', '\\s+')}`);
		assert.match(readme, option);
	}
});

function escaped(text: string): string {
	return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

test('the file names of the keepalived example are those that ipvigil gives', () => {
	const nameOf = (family: 'inet' | 'inet6', vip: string, address: string) => {
		const service = { kind: 'address', protocol: 'tcp', family, address: vip, port: 80 } as const;
		return leaseName({ service, destination: { address, port: 8080 } });
	};
	const plain = nameOf('inet', '10.0.0.100', '10.1.0.11');
	assert.ok(readme.includes(`file "/run/ipvigil/keepalived/${plain}"`));
	assert.ok(readme.includes(`\`${plain}\``));
	assert.ok(readme.includes(`\`${nameOf('inet6', 'fd00::100', 'fd00::11')}\``));
});

test('every file that a document names exists', () => {
	const named = pages.flatMap(({ path, text }) => [
		...[...text.matchAll(/\]\(([^)#:]+)[^)]*\)/g)].map(([, target = '']) => ({ path, target })),
		...[...text.matchAll(/`((?:src|bpf|test|deploy|docs)\/[\w./-]*)`/g)].map(([, target = '']) => ({ path, target })),
	]);
	const examples = /(NAME|VERB)\.|\/$/;
	const absent = named.filter(({ target }) => !examples.test(target) && !existsSync(join(root, target)));
	assert.ok(named.length > 50, 'the documents were read');
	assert.deepEqual(absent, []);
});

test('every function that ARCHITECTURE.md calls by name is in the sources', () => {
	const text = pages.find(({ path }) => path === 'ARCHITECTURE.md')?.text ?? '';
	const code = [...sources('src', /\.ts$/), ...sources('bpf', /\.[ch]$/)].map((source) => source.text).join('\n');
	const way = text.slice(text.indexOf('## From a RST'), text.indexOf('## Layers'));
	const names = [...way.matchAll(/`(?:[A-Z]\w+\.)?#?([a-z]\w+)`/g)].map(([, name = '']) => name);
	assert.ok(names.length > 30, 'the way of the data was read');
	const unknown = names.filter((name) => !new RegExp(`\\b${name}\\b`).test(code));
	assert.deepEqual(unknown, []);
});

test('every number of the policy has its reason written down', () => {
	const text = readFileSync(join(root, 'docs/decisions/0020-policy-defaults.md'), 'utf8');
	const told = [...text.matchAll(/^\| `(\w+)` \| `([\d.]+)` \| (.+) \|$/gm)].map(([, key, value]) => [key, value]);
	const expected = Object.entries(defaultPolicy).map(([key, value]) => [key, String(value)]);
	assert.deepEqual(told.sort(), expected.sort());
});
