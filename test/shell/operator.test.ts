/** The operator's commands against an ipvigil that runs: processes, a socket, a journal. It watches no interface. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ledger } from '../../src/remedy/ledger.js';
import { bootMs } from '../../src/shell/clock.js';
import { lease, server } from '../remedy/example.js';

const cli = fileURLToPath(new URL('../../src/bundle/cli.js', import.meta.url));
const timeout = 60_000;

/** One that is free now: our server is a port on which nobody listens. */
async function freePort(): Promise<number> {
	const listener = createServer().listen(0, '127.0.0.1');
	await once(listener, 'listening');
	const address = listener.address();
	listener.close();
	return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

const closed = { ...server, address: '127.0.0.1', port: await freePort() };
const table = `-A -t 10.0.0.100:8080 -s wrr\n-a -t 10.0.0.100:8080 -r 127.0.0.1:${closed.port} -m -w 3\n`;
const id = `tcp 10.0.0.100:8080 > 127.0.0.1:${closed.port}`;

let folder: string;
let daemon: ChildProcess | undefined;
const at = (name: string) => join(folder, name);

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), 'ipvigil-operator-'));
	writeFileSync(at('rules'), table);
	const lines = [
		'mode: notify',
		'attach: none',
		`runtimeDirectory: ${at('run')}`,
		`journalDirectory: ${at('journal')}`,
		`table: { rules: ${at('rules')} }`,
		'metrics: off',
		`monitors: { keepalived: { trackDirectory: ${at('track')} } }`,
	];
	writeFileSync(at('config.yaml'), lines.join('\n'));
});
afterEach(async () => {
	await kill();
	rmSync(folder, { recursive: true });
});

/** Runs the daemon until it can be asked. */
async function start(): Promise<void> {
	daemon = spawn(process.execPath, [cli, 'run', '--config', at('config.yaml')], { stdio: 'ignore' });
	for (let tries = 0; tries < 600; tries++) {
		if (ipvigil('explain', id).out.includes('mode notify')) return;
		await new Promise((resolve) => setTimeout(resolve, 25));
	}
	assert.fail('the daemon cannot be asked');
}

async function kill(): Promise<void> {
	if (!daemon || daemon.exitCode !== null || daemon.signalCode !== null) return;
	const gone = once(daemon, 'exit');
	daemon.kill('SIGKILL');
	await gone;
}

function ipvigil(verb: string, ...words: string[]) {
	const argv = [cli, verb, '--config', at('config.yaml'), ...words];
	const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', timeout: 30_000 });
	return { code: status, out: stdout, err: stderr };
}

/** A lease of mode `notify` is the monitor's track file alone: no IPVS is needed to give it back. */
function enterLease(): void {
	const [sinceMs, untilMs] = [bootMs(), bootMs() + 60_000];
	new Ledger(at('run/leases')).enter({ ...lease, destination: closed, written: undefined, sinceMs, untilMs });
}

describe('the operator', { timeout: 180_000 }, () => {
	it('releases a lease, and the monitor judges alone again', { timeout }, async () => {
		enterLease();
		await start();
		assert.match(ipvigil('explain', '127.0.0.1').out, /\nLease 1 since .*: the monitor was asked to take it out\.\n/);
		assert.equal(readdirSync(at('track')).length, 1);
		const { code, out } = ipvigil('release', ...id.split(' '));
		assert.equal(code, 0);
		assert.equal(out.split('\n')[1], `  ${id}: the monitor will judge alone again; hands off for 1 min`);
		assert.deepEqual([readdirSync(at('track')), readdirSync(at('run/leases'))], [[], []]);
		assert.equal(ipvigil('release', '--all').out, 'No lease stands.\n');
		assert.match(ipvigil('explain', id).out, /returned-to-monitor: Returned to the monitor\n/);
	});

	it('holds a destination over a crash, and resumes it', { timeout }, async () => {
		await start();
		const held = ipvigil('hold', id, '--for', '2h', '--reason', 'a new disk');
		assert.match(held.out, new RegExp(`^${id} is held until \\d{4}-.*Z\\.\\n$`));
		await kill();
		assert.ok(existsSync(at('run/control.sock')), 'what a dead daemon left behind');
		const stopped = ipvigil('explain', id);
		assert.match(
			stopped.out,
			/^.*\n\nNo ipvigil runs here; what follows is history\. It was left at: Held by the operator\./,
		);
		await start();
		assert.match(ipvigil('explain', id).out, /\nHeld until .* left\): a new disk\.\n/);
		const whole = JSON.parse(ipvigil('explain', id, '-o', 'json').out);
		assert.deepEqual([whole.running, whole.standing.hold.reason], [true, 'a new disk']);
		assert.equal(ipvigil('resume', id).out, `${id} is no longer held.\n`);
		assert.equal(ipvigil('resume', id).out, `${id} was not held by a hold of its own.\n`);
		await kill();
		await start();
		assert.equal(JSON.parse(ipvigil('explain', id, '-o', 'json').out).standing.hold, null);
	});

	it('hears what is wrong with a request, and how to put it right', { timeout }, async () => {
		const none = ipvigil('hold', '--all');
		assert.deepEqual([none.code, none.out], [9, '']);
		assert.match(none.err, /^ipvigil: No ipvigil runs with the runtime directory .*\nStart ipvigil run, /);
		await start();
		const unknown = ipvigil('release', '127.0.0.1:0');
		assert.equal(unknown.code, 7);
		assert.equal(unknown.err, `ipvigil: No destination is named "127.0.0.1:0".\nDo you mean "${id}"?\n`);
		for (const words of [[], ['--all', id]])
			for (const verb of ['release', 'hold', 'resume'])
				assert.equal(ipvigil(verb, ...words).code, 2, `${verb} ${words}`);
		assert.equal(ipvigil('hold', '--all', '--for', 'ever').code, 2);
		assert.equal(ipvigil('explain', '10.9.9.9').code, 7);
	});
});
