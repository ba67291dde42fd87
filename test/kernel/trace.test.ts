/**
 * `ipvigil trace` as a user meets it, on the wire of a namespace without IPVS: what is refused is printed at once,
 * filtered, captured and recorded, and the recording prints the same. Needs root.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { heldUp } from '../support/held-up.js';
import { clientAddress, closedPort, Row, serverAddress, serverSide } from './netns.js';

const cli = fileURLToPath(new URL('../../src/bundle/cli.js', import.meta.url));
const timeout = 30_000;

interface Line {
	at: string;
	signal: string;
	vantage: string;
	client: string;
	clientPort: number;
	endpoint: { address: string; port: number };
}

/** A trace in the router's namespace, which has no IPVS: its real servers come from a file of rules. */
class Trace {
	readonly #process;
	readonly #lines;
	readonly #told: Promise<string>;

	constructor(row: Row, ...words: string[]) {
		const inside = ['netns', 'exec', row.namespace('router'), process.execPath];
		this.#process = spawn('ip', [...inside, cli, 'trace', ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
		const { stdout, stderr } = this.#process;
		this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
		this.#told = text(stderr);
		this.ready = new Promise((resolve) => {
			stderr.on('data', (chunk) => String(chunk).includes('watching an interface') && resolve());
		});
	}

	/** It has said that it watches an interface. */
	readonly ready: Promise<void>;

	async next(): Promise<string> {
		const { value, done } = await this.#lines.next();
		assert.ok(!done, 'the trace has more to say');
		return value;
	}

	/** How it ends, after a SIGINT where `interrupt` is asked for. */
	async end(interrupt = false): Promise<{ code: number | null; told: string }> {
		// Of the namespace's `ip netns exec`, which becomes the command.
		if (interrupt) this.#process.kill('SIGINT');
		const [code] = this.#process.exitCode === null ? await once(this.#process, 'exit') : [this.#process.exitCode];
		return { code, told: await this.#told };
	}
}

describe('trace on the wire', { timeout: 120_000 }, () => {
	let row: Row;
	let folder: string;
	let rules: string;
	before(() => {
		row = new Row();
		folder = mkdtempSync(join(tmpdir(), 'ipvigil-'));
		rules = join(folder, 'servers.rules');
		const service = '-t 10.0.0.100:80';
		writeFileSync(rules, `-A ${service} -s wrr\n-a ${service} -r ${serverAddress}:${closedPort} -m -w 1\n`);
	});
	after(() => {
		row.remove();
		rmSync(folder, { recursive: true });
	});

	it('prints a refusal at once, and ends in order at SIGINT', { timeout }, async () => {
		const trace = new Trace(row, '--rules', rules);
		await trace.ready;
		row.connectRefused();
		const line = await trace.next();
		const [time, signal, rest] = [line.slice(0, 16), line.slice(18, 25), line.slice(25).trim()];
		assert.match(time, /^\d\d:\d\d:\d\d\.\d{6}Z$/);
		assert.equal(signal, 'refusal');
		assert.ok(rest.startsWith(`tcp ${serverAddress}:${closedPort} -> ${clientAddress}:`), rest);
		assert.ok(rest.includes(`RST to a SYN, on ${serverSide}`), rest);
		const { code, told } = await trace.end(true);
		assert.equal(code, 0);
		assert.match(told, /^ipvigil: 1 event \(1 refusal\)$/m);
	});

	it('ends in order at a SIGINT that comes while it begins, the recording whole', { timeout }, async () => {
		const [file, slow] = [join(folder, 'begun'), join(folder, 'slow.rules')];
		const held = heldUp(slow, readFileSync(rules, 'utf8'));
		const trace = new Trace(row, '--rules', slow, '--record', file);
		const goOn = await held;
		const ended = trace.end(true);
		await goOn();
		const { code, told } = await ended;
		assert.equal(code, 0);
		assert.match(told, /^ipvigil: 0 events$/m);
		const { stderr } = spawnSync(process.execPath, [cli, 'trace', '--read', file], { encoding: 'utf8' });
		assert.equal(stderr, 'ipvigil: 0 events\n');
	});

	it('filters by server, service, client and signal', { timeout }, async () => {
		const words = ['--rules', rules, '-o', 'json', '--server', '10.9.1.0/24', '--service', 'tcp 10.0.0.100:80'];
		const shown = new Trace(row, ...words, '--limit', '1');
		const hidden = new Trace(row, ...words, '--not', '--client', '10.9.0.0/16', '--duration', '4s');
		await Promise.all([shown.ready, hidden.ready]);
		row.connectRefused();
		const line = JSON.parse(await shown.next()) as Line;
		assert.deepEqual([line.signal, line.vantage, line.client], ['refusal', 'wire', clientAddress]);
		assert.deepEqual([line.endpoint.address, line.endpoint.port], [serverAddress, closedPort]);
		assert.ok(Math.abs(Date.parse(line.at) - Date.now()) < 20_000, line.at);
		assert.match((await shown.end()).told, /1 event \(1 refusal\)/);
		assert.match((await hidden.end()).told, /0 events, 1 filtered out/);
	});

	it('records what a replay prints the same, from a file and from standard input', { timeout }, async () => {
		const file = join(folder, 'recording');
		const trace = new Trace(row, '--rules', rules, '-o', 'json', '--record', file, '--limit', '2');
		await trace.ready;
		row.connectRefused();
		row.connectRefused();
		const lines = [await trace.next(), await trace.next()];
		assert.equal((await trace.end()).code, 0);
		const read = execFileSync(process.execPath, [cli, 'trace', '-o', 'json', '--read', file], {
			encoding: 'utf8',
			stdio: 'pipe',
		});
		assert.deepEqual(read.trimEnd().split('\n'), lines);
		const piped = `${process.execPath} ${cli} trace --read - --not --service 'tcp 10.0.0.100:80' < ${file}`;
		const { status, stdout, stderr } = spawnSync('sh', ['-c', piped], { encoding: 'utf8' });
		assert.deepEqual([status, stdout], [0, '']);
		assert.match(stderr, /0 events, 2 filtered out/);
	});

	it('writes the packets behind the events, as tshark reads them', { timeout }, async () => {
		const file = join(folder, 'x.pcapng');
		const trace = new Trace(row, '--rules', rules, '--write', file, '--limit', '1');
		await trace.ready;
		row.connectRefused();
		const line = await trace.next();
		await trace.end();
		const fields = ['ip.src', 'tcp.srcport', 'ip.dst', 'tcp.flags', 'frame.comment'];
		const words = ['-r', file, '-T', 'fields', ...fields.flatMap((name) => ['-e', name])];
		const { stdout, stderr } = spawnSync('tshark', words, { encoding: 'utf8' });
		const expected = [serverAddress, String(closedPort), clientAddress, '0x0014', line];
		assert.deepEqual(stdout.trimEnd().split('\t'), expected, stderr);
	});

	it('records what can be decided on again', { timeout }, () => {
		const words = [cli, 'replay', join(folder, 'recording'), '--mode', 'assist', '--probes', 'accepted', '-o', 'json'];
		const { status, stdout, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
		assert.equal(status, 0, stderr);
		const lines = stdout
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line) as { at: string; scenario: string });
		assert.deepEqual(
			lines
				.slice(0, 2)
				.map(({ scenario }) => scenario)
				.sort(),
			['suspect', 'would-probe'],
		);
		assert.ok(
			lines.every(({ at }) => Math.abs(Date.parse(at) - Date.now()) < 60_000),
			stdout,
		);
		assert.match(stderr, /^ipvigil: .*[1-9] would-probe, .*[1-9] acquitted/m);
	});

	it('prints what a daemon has recorded', { timeout }, async () => {
		const [file, config] = [join(folder, 'daemon'), join(folder, 'config.yaml')];
		const directories = `runtimeDirectory: ${folder}\njournalDirectory: ${folder}/journal\n`;
		writeFileSync(config, `${directories}metrics: off\ntable: { rules: ${rules} }\n`);
		const daemon = row.spawn('router', process.execPath, cli, 'run', '--config', config, '--record', file);
		const lines = createInterface({ input: daemon.stdout ?? assert.fail() })[Symbol.asyncIterator]();
		const said = async (word: string) => {
			for (let next = await lines.next(); !next.value?.includes(word); next = await lines.next())
				assert.ok(!next.done, word);
		};
		await said('observing 1 services');
		row.connectRefused();
		await said('"suspect"');
		daemon.kill('SIGTERM');
		await once(daemon, 'exit');
		const read = (...words: string[]) => spawnSync(process.execPath, [cli, ...words], { encoding: 'utf8' });
		assert.match(read('trace', '--read', file).stdout, /^\S+ {2}refusal /);
		const { stdout, stderr } = read('replay', file, '--config', config);
		assert.match(stdout, /^\S+ {2}suspect /m);
		assert.doesNotMatch(stderr, /torn/);
	});

	it('ends quietly where its reader has enough, its files closed', { timeout }, async () => {
		const file = join(folder, 'piped');
		const command = `${process.execPath} ${cli} trace --rules ${rules} --record ${file} | head -n 1`;
		const process_ = row.spawn('router', 'sh', '-c', command);
		const first = once(createInterface({ input: process_.stdout ?? assert.fail() }), 'line');
		for (let tries = 0; tries < 20 && !existsSync(file); tries++)
			await new Promise((resolve) => setTimeout(resolve, 200));
		const ended = once(process_, 'exit');
		let over = false;
		void ended.then(() => {
			over = true;
		});
		for (let tries = 0; tries < 50 && !over; tries++) {
			row.connectRefused();
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
		assert.match(String((await first)[0]), /refusal/);
		assert.equal((await ended)[0], 0);
		const { stderr } = spawnSync(process.execPath, [cli, 'trace', '--read', file], { encoding: 'utf8' });
		assert.doesNotMatch(stderr, /torn/);
	});
});
