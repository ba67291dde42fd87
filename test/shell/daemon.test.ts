/** The daemon as its service manager meets it: a process, its standard output and its signals. It watches no interface. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Ledger } from '../../src/remedy/ledger.js';
import { bootMs } from '../../src/shell/clock.js';
import { lease, server } from '../remedy/example.js';
import { heldUp } from '../support/held-up.js';

const cli = fileURLToPath(new URL('../../src/bundle/cli.js', import.meta.url));
const timeout = 30_000;

/** One that is free now. */
async function freePort(): Promise<number> {
	const listener = createServer().listen(0, '127.0.0.1');
	await once(listener, 'listening');
	const address = listener.address();
	listener.close();
	return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

/** The example's service; its server is a port of ours on which nobody listens. */
const closed = { ...server, address: '127.0.0.1', port: await freePort() };
const table = `-A -t 10.0.0.100:8080 -s wrr\n-a -t 10.0.0.100:8080 -r 127.0.0.1:${closed.port} -m -w 3\n`;

let folder: string;
let listen: string;
let daemon: ChildProcess | undefined;
const at = (name: string) => join(folder, name);

beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), 'ipvigil-daemon-'));
	listen = `127.0.0.1:${await freePort()}`;
	writeFileSync(at('rules'), table);
	const lines = [
		'mode: notify',
		'attach: none',
		`runtimeDirectory: ${at('run')}`,
		`journalDirectory: ${at('journal')}`,
		`table: { rules: ${at('rules')} }`,
		`metrics: { listen: "${listen}" }`,
		`monitors: { keepalived: { trackDirectory: ${at('track')} } }`,
	];
	writeFileSync(at('config.yaml'), lines.join('\n'));
});
afterEach(() => {
	daemon?.kill('SIGKILL');
	rmSync(folder, { recursive: true });
});

function start(stdout: number | 'pipe' | 'ignore', ...words: string[]): ChildProcess {
	const argv = [cli, 'run', '--config', at('config.yaml'), ...words];
	daemon = spawn(process.execPath, argv, { stdio: ['ignore', stdout, 'inherit'] });
	return daemon;
}

/** A sample of the metrics, asked for until it can be had. */
async function metric(name: string): Promise<number> {
	for (let tries = 0; tries < 300; tries++) {
		const text = await fetch(`http://${listen}/metrics`).then(
			(answer) => answer.text(),
			() => '',
		);
		const line = text.split('\n').find((one) => one.startsWith(`${name} `));
		if (line) return Number(line.slice(name.length));
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	assert.fail(`no ${name}`);
}

/** A daemon that is told to end does so in order, whatever the signal. */
async function endsBy(signal: NodeJS.Signals, child: ChildProcess, meanwhile?: () => Promise<void>): Promise<void> {
	const exit = once(child, 'exit');
	child.kill(signal);
	await meanwhile?.();
	assert.deepEqual(await exit, [0, null]);
}

describe('a daemon whose log cannot be written', { timeout: 120_000 }, () => {
	it('counts its lines where the device is full, and ends in order', { timeout }, async () => {
		const child = start(openSync('/dev/full', 'w'));
		assert.ok((await metric('ipvigil_lost_total{place="log"}')) > 0);
		await endsBy('SIGTERM', child);
	});

	it('counts its lines where their reader has gone, and ends in order', { timeout }, async () => {
		const child = start('pipe');
		child.stdout?.destroy();
		assert.ok((await metric('ipvigil_lost_total{place="log"}')) > 0);
		await endsBy('SIGTERM', child);
	});
});

/** A lease of mode `notify` is the monitor's track file alone: no IPVS is needed to give it back. */
function enterLease(): void {
	const [sinceMs, untilMs] = [bootMs(), bootMs() + 60_000];
	new Ledger(at('run/leases')).enter({ ...lease, destination: closed, written: undefined, sinceMs, untilMs });
}

describe('a signal that comes while the daemon starts', { timeout: 120_000 }, () => {
	const ways: [signal: NodeJS.Signals, what: string, leases: number][] = [
		['SIGTERM', 'gives back', 0],
		['SIGINT', 'gives back', 0],
		['SIGUSR2', 'leaves', 1],
	];
	for (const [signal, what, leases] of ways)
		it(`ends it in order: ${signal} ${what} what was resumed, and the recording is whole`, { timeout }, async () => {
			enterLease();
			const held = heldUp(at('rules'), table);
			const child = start('ignore', '--record', at('recording'));
			await endsBy(signal, child, await held);
			assert.deepEqual([readdirSync(at('run/leases')).length, readdirSync(at('track')).length], [leases, leases]);
			const words = [cli, 'trace', '--read', at('recording')];
			assert.equal(spawnSync(process.execPath, words, { encoding: 'utf8' }).stderr, 'ipvigil: 0 events\n');
		});
});
