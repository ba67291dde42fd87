/** The program as a user meets it: help, version, exit codes, one sentence for each thing that is missing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withOptions } from '../../src/shell/commands/run.js';
import { parseConfig } from '../../src/shell/config.js';
import { makeProgram } from '../../src/shell/program.js';
import { version } from '../../src/shell/version.js';
import { matchesGolden } from '../support/golden.js';

const cli = fileURLToPath(new URL('../../src/shell/cli.js', import.meta.url));

function ipvigil(...words: string[]): { code: number | null; out: string; err: string } {
	const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...words], {
		encoding: 'utf8',
		timeout: 30_000,
	});
	return { code: status, out: stdout, err: stderr };
}

test('help of the program and of every verb', () => {
	const program = makeProgram();
	for (const command of [program, ...program.commands]) {
		const parts: string[] = [];
		command.configureOutput({ writeOut: (part) => parts.push(part) });
		command.outputHelp();
		matchesGolden(`help/${command.name()}.txt`, parts.join(''));
	}
});

test('the version is the one of package.json', () => {
	assert.deepEqual(ipvigil('--version'), { code: 0, out: `${version()}\n`, err: '' });
});

test('help that was asked for is a success, none given is a mistake', () => {
	assert.equal(ipvigil('--help').code, 0);
	assert.equal(ipvigil('table', '--help').code, 0);
	assert.equal(ipvigil().code, 2);
});

test('wrong arguments end with 2 and say what is wrong', () => {
	for (const words of [
		['nonsense'],
		['table', '-o', 'xml'],
		['run', '--mode', 'x'],
		['run', '--nonsense'],
		['table', 'x'],
	]) {
		const { code, out, err } = ipvigil(...words);
		assert.equal(code, 2, words.join(' '));
		assert.equal(out, '');
		assert.notEqual(err, '');
	}
});

test('a wrong configuration ends with 2 before anything is started', (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'ipvigil-'));
	t.after(() => rmSync(folder, { recursive: true }));
	const file = join(folder, 'x.yaml');
	writeFileSync(file, 'moode: observe\n');
	for (const verb of ['run', 'doctor']) {
		const { code, err } = ipvigil(verb, '--config', file);
		assert.equal(code, 2);
		assert.ok(err.startsWith(`ipvigil: ${file}:1: moode: unknown key, did you mean mode?\n`), err);
	}
});

test('what is said on the command line counts more than the file', () => {
	const config = parseConfig('mode: observe\nlog: { level: warn }', 'x.yaml');
	assert.deepEqual(withOptions(config, {}), config);
	assert.deepEqual(withOptions(config, { mode: 'assist', logLevel: 'debug' }), {
		...config,
		mode: 'assist',
		log: { level: 'debug' },
	});
});
