/**
 * A director and a real server in network namespaces, the VIP on both, as in DR, and the VIP prober on the director, with
 * CAP_NET_RAW and no other capability. Needs root, iproute2 and util-linux.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Exchange } from '../../src/remedy/exchange.js';
import type { ProbeResult } from '../../src/remedy/probe-queue.js';
import type { VipTarget } from '../../src/remedy/vip-way.js';
import { noTunnel } from '../../src/table/model.js';
import { Row, serverAddress } from './netns.js';

export const port = 8080;
export const vips = { inet: '10.9.9.100', inet6: 'fd00:9:9::100' };
export const own = { inet: serverAddress, inet6: 'fd00:9:1::11' };
export const families = ['inet', 'inet6'] as const;

export const target = (family: 'inet' | 'inet6', over: Partial<VipTarget> = {}): VipTarget => ({
	vip: vips[family],
	port,
	host: own[family],
	forwarding: 'droute',
	tunnel: noTunnel,
	...over,
});

/** A program that reads lines and writes lines, in a namespace. */
export class Child {
	readonly process: ChildProcess;
	readonly #lines: AsyncIterator<string>;

	constructor(row: Row, name: string, ...command: string[]) {
		this.process = row.spawn(name, ...command);
		assert.ok(this.process.stdout);
		this.#lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
	}

	async line(): Promise<string> {
		return (await this.#lines.next()).value ?? 'the end';
	}

	async kill(): Promise<void> {
		const exited = once(this.process, 'exit');
		this.process.kill('SIGKILL');
		await exited;
	}
}

export const script = (name: string) => fileURLToPath(new URL(`./${name}.js`, import.meta.url));
const onlyRaw = ['setpriv', '--bounding-set', '-all,+net_raw', '--inh-caps', '-all'];

export class Bench {
	readonly row = new Row();
	readonly #prober = new Child(this.row, 'router', ...onlyRaw, process.execPath, script('vip-child'));

	constructor() {
		const { row } = this;
		row.run('server', 'sysctl', '-qw', 'net.ipv4.conf.all.arp_ignore=1', 'net.ipv4.conf.all.arp_announce=2');
		for (const name of ['router', 'server']) row.run(name, 'sysctl', '-qw', 'net.ipv6.conf.all.keep_addr_on_down=1');
		row.run('router', 'ip', 'address', 'add', 'fd00:9:1::1/64', 'dev', 'eth-server', 'nodad');
		row.run('server', 'ip', 'address', 'add', `${own.inet6}/64`, 'dev', 'eth0', 'nodad');
		row.run('server', 'ip', 'route', 'add', 'default', 'via', 'fd00:9:1::1');
		for (const name of ['router', 'server']) this.addVips(name);
	}

	addVips(name: string): void {
		this.row.run(name, 'ip', 'address', 'add', `${vips.inet}/32`, 'dev', 'lo');
		this.row.run(name, 'ip', 'address', 'add', `${vips.inet6}/128`, 'dev', 'lo', 'nodad');
	}

	/** A process that listens on the VIPs, and nowhere else; `onConnection` is what it does with each `socket`. */
	async listen(t: TestContext, onConnection = "console.log('connection')"): Promise<Child> {
		const listens = families.map((family) => `listen('${vips[family]}')`).join('; ');
		const program = `const listen = (host) => require('node:net').createServer((socket) => {
			socket.on('error', () => {});
			${onConnection};
		}).listen(${port}, host, () => console.log('listening')); ${listens}`;
		const child = new Child(this.row, 'server', process.execPath, '-e', program);
		t.after(() => child.process.kill('SIGKILL'));
		assert.deepEqual([await child.line(), await child.line()], ['listening', 'listening']);
		return child;
	}

	async probe(asked: VipTarget, timeoutMs = 5_000, exchange: Exchange = {}): Promise<ProbeResult> {
		this.#prober.process.stdin?.write(`${JSON.stringify({ target: asked, exchange, timeoutMs })}\n`);
		return JSON.parse(await this.#prober.line());
	}

	async outcome(asked: VipTarget, timeoutMs?: number): Promise<string> {
		const { outcome, detail } = await this.probe(asked, timeoutMs);
		return outcome === 'error' ? `error: ${detail}` : outcome;
	}

	async remove(): Promise<void> {
		const exited = once(this.#prober.process, 'exit');
		this.#prober.process.stdin?.end();
		await exited;
		this.row.remove();
	}
}
