/** The daemon as its service manager meets it: a process, its standard output and its signals. It watches no interface. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../src/bundle/cli.js', import.meta.url));
const timeout = 30_000;

/** One that is free now. */
async function freePort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const address = server.address();
	server.close();
	return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

let folder: string;
let listen: string;
let daemon: ChildProcess | undefined;
beforeEach(async () => {
	folder = mkdtempSync(join(tmpdir(), 'ipvigil-daemon-'));
	listen = `127.0.0.1:${await freePort()}`;
	const rules = join(folder, 'servers.rules');
	writeFileSync(rules, '-A -t 10.0.0.100:80 -s wrr\n-a -t 10.0.0.100:80 -r 127.0.0.1:8080 -m -w 1\n');
	const directories = `runtimeDirectory: ${folder}/run\njournalDirectory: ${folder}/journal\n`;
	const sources = `attach: none\ntable: { rules: ${rules} }\nmetrics: { listen: "${listen}" }\n`;
	writeFileSync(join(folder, 'config.yaml'), directories + sources);
});
afterEach(() => {
	daemon?.kill('SIGKILL');
	rmSync(folder, { recursive: true });
});

function start(stdout: number | 'pipe', ...words: string[]): ChildProcess {
	const argv = [cli, 'run', '--config', join(folder, 'config.yaml'), ...words];
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

async function endsWith(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
	const exit = once(child, 'exit');
	child.kill(signal);
	assert.deepEqual(await exit, [0, null]);
}

describe('a daemon whose log cannot be written', { timeout: 120_000 }, () => {
	it('counts its lines where the device is full, and ends in order', { timeout }, async () => {
		const child = start(openSync('/dev/full', 'w'));
		assert.ok((await metric('ipvigil_lost_total{place="log"}')) > 0);
		await endsWith(child, 'SIGTERM');
	});

	it('counts its lines where their reader has gone, and ends in order', { timeout }, async () => {
		const child = start('pipe');
		child.stdout?.destroy();
		assert.ok((await metric('ipvigil_lost_total{place="log"}')) > 0);
		await endsWith(child, 'SIGTERM');
	});
});
