/** The program as a user meets it: help, version, exit codes, one sentence for each thing that is missing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withOptions } from '../../src/shell/commands/run.js';
import { parseConfig } from '../../src/shell/config.js';
import { exits } from '../../src/shell/errors.js';
import { makeProgram } from '../../src/shell/program.js';
import { version } from '../../src/shell/version.js';
import { matchesGolden } from '../support/golden.js';

const cli = fileURLToPath(new URL('../../src/bundle/cli.js', import.meta.url));

interface Ending {
	code: number | null;
	out: string;
	err: string;
}

function run(words: string[], user: { uid?: number; gid?: number } = {}): Ending {
	const options = { encoding: 'utf8', timeout: 30_000, ...user } as const;
	const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...words], options);
	return { code: status, out: stdout, err: stderr };
}

function ipvigil(...words: string[]): Ending {
	return run(words);
}

/** As nobody, whoever runs the tests: only root can become, and needs to become, somebody else. */
function ipvigilUnprivileged(...words: string[]): Ending {
	return run(words, process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {});
}

const hasIpvs = existsSync('/proc/net/ip_vs');

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

test('the table of a file of rules is read without privileges and without IPVS', (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'ipvigil-'));
	t.after(() => rmSync(folder, { recursive: true }));
	chmodSync(folder, 0o755);
	const file = join(folder, 'x.rules');
	writeFileSync(file, '-A -t 10.0.0.100:80 -s wrr\n-a -t 10.0.0.100:80 -r 10.1.0.11:8080 -m -w 5\n-A -f 7 -s rr\n');
	const whole = ipvigilUnprivileged('table', '--rules', file);
	assert.equal(whole.code, 0, whole.err);
	assert.match(whole.out, /^tcp 10\.0\.0\.100:80 +wrr +10\.1\.0\.11:8080 +masq +5 /m);
	const one = ipvigilUnprivileged('table', '-o', 'json', '--rules', file, 'fwmark', '7');
	assert.deepEqual(
		JSON.parse(one.out).services.map(({ id }: { id: string }) => id),
		['fwmark 7'],
	);
	assert.deepEqual(ipvigilUnprivileged('table', '--rules', file, 'fwmark', '8'), {
		code: 7,
		out: '',
		err: 'ipvigil: The service fwmark 8 is not in the table.\nSee ipvigil table.\n',
	});
	writeFileSync(file, '-A -t 10.0.0.100:80\n-A -t\n');
	const wrong = ipvigilUnprivileged('table', '--rules', file);
	assert.equal(wrong.code, 2);
	assert.match(wrong.err, /x\.rules:2: found .*, expected /);
});

test('the table without privileges, or without IPVS, is one sentence with a remedy', () => {
	const { code, out, err } = ipvigilUnprivileged('table');
	assert.equal(code, hasIpvs ? exits.privileges.code : exits['no-ipvs'].code);
	assert.equal(out, '');
	assert.match(err, hasIpvs ? /^ipvigil: [^\n]*run as root[^\n]*\n$/ : /^ipvigil: [^\n]*modprobe ip_vs\n$/);
});

test('doctor without privileges says so first and ends with 3', () => {
	const { code, out } = ipvigilUnprivileged('doctor');
	assert.equal(code, exits.privileges.code);
	assert.match(out, /^privileges +missing +uid \d+ lacks CAP_NET_ADMIN/m);
	assert.match(out, /ipvigil run would end with 3: /);
});

test('run without privileges is one sentence and ends with 3', (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'ipvigil-'));
	t.after(() => rmSync(folder, { recursive: true }));
	chmodSync(folder, 0o755);
	const file = join(folder, 'x.yaml');
	writeFileSync(file, 'runtimeDirectory: /sys/ipvigil\n');
	const { code, out, err } = ipvigilUnprivileged('run', '--config', file);
	assert.equal(code, exits.privileges.code);
	assert.equal(out, '');
	assert.match(err, /^ipvigil: [^\n]*\/sys\/ipvigil[^\n]*\nRun ipvigil as root, [^\n]*\n$/);
});

test("doctor's JSON and its exit code say the same", () => {
	const { code, out } = ipvigil('doctor', '-o', 'json');
	const { format, exit, checks } = JSON.parse(out) as { format: number; exit: number; checks: { status: string }[] };
	assert.equal(format, 1);
	assert.equal(exit, code);
	assert.ok(checks.length > 8);
	assert.equal(
		checks.some(({ status }) => status === 'missing'),
		code !== 0,
	);
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
