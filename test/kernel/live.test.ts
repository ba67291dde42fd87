/**
 * The wire on real interfaces: a connect to a closed port, forwarded by a router namespace, is refused, and every way
 * of attaching sees the RST. Needs root.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, afterEach, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { clientAddress, closedPort, Row, serverAddress, serverSide } from './netns.js';
import { ipv4, refusal4, refusalFlags, tcp } from './packets.js';

const child = fileURLToPath(new URL('live-child.js', import.meta.url));
type Line = Record<string, unknown>;

/** A watcher in the router's namespace; `next()` is its next line. */
class Watcher {
	/** Those that a failing test left at work: they would keep this process from ending. */
	static readonly #all = new Set<ChildProcess>();
	readonly #process: ChildProcess;
	readonly #lines: AsyncIterator<string>;

	static endAll(): void {
		for (const left of Watcher.#all) left.kill();
		Watcher.#all.clear();
	}

	constructor(row: Row, how: string, interfaceName = serverSide) {
		this.#process = row.spawn('router', process.execPath, child, interfaceName, how);
		Watcher.#all.add(this.#process);
		this.#lines = createInterface({ input: this.#process.stdout ?? assert.fail() })[Symbol.asyncIterator]();
	}

	async next(): Promise<Line> {
		const { value, done } = await this.#lines.next();
		assert.ok(!done, 'the watcher has more to say');
		return JSON.parse(value) as Line;
	}

	/** Lets it look for its interface again; how it is attached then. */
	again(): Promise<Line> {
		this.#process.stdin?.write('again\n');
		return this.next();
	}

	/** Ends the watcher in good order; what it says last are its losses. */
	async end(): Promise<Line> {
		this.#process.stdin?.end();
		const losses = await this.next();
		await once(this.#process, 'exit');
		return losses;
	}
}

/** A frame in pages, of which the kernel holds only the Ethernet header in line: an AF_PACKET socket and a jumbo frame do it. */
function sendFrame(row: Row, frame: Uint8Array): void {
	const hex = Buffer.from(frame).toString('hex');
	const index = row.run('server', 'cat', '/sys/class/net/eth0/ifindex').trim();
	const address = `pack("SnlSCCa8", 17, 0x0800, ${index}, 0, 0, 6, "")`;
	const script = `socket($s, 17, 3, 0) && send($s, pack("H*", "${hex}"), 0, ${address}) or die $!`;
	row.run('server', 'perl', '-e', script);
}

/** A packet that comes out of a tunnel device: whoever holds it writes it there (Documentation/networking/tuntap.rst). */
function sendFromTunnel(row: Row, name: string, packet: Uint8Array): void {
	const request = `$r = pack("a16 S x22", "${name}", 0x1001); ioctl($t, 0x400454ca, $r)`;
	const write = `syswrite($t, pack("H*", "${Buffer.from(packet).toString('hex')}"))`;
	row.run('router', 'perl', '-e', `open($t, "+<", "/dev/net/tun") or die $!; ${request} && ${write} or die $!`);
}

describe('the wire on an interface', () => {
	let row: Row;
	before(() => {
		row = new Row();
	});
	afterEach(() => Watcher.endAll());
	after(() => row.remove());

	const ways: [how: string, method: string | undefined][] = [
		['auto', 'tcx'],
		['tcx', undefined],
		['clsact', undefined],
		['xdp', 'xdp'],
		['xdp-generic', 'xdp-generic'],
	];
	for (const [how, method] of ways) {
		it(`sees a refusal pass, attached by ${how}`, { timeout: 30_000 }, async () => {
			const watcher = new Watcher(row, how);
			const { available, interfaces } = await watcher.next();
			assert.equal(available, true);
			if (method) assert.deepEqual(interfaces, [{ interfaceName: serverSide, attached: true, method, times: 1 }]);
			row.connectRefused();
			const { atUs: _, clientPort: __, interfaceIndex, ...rest } = await watcher.next();
			const endpoint = { protocol: 'tcp', family: 'inet', address: serverAddress, port: closedPort };
			assert.deepEqual(rest, {
				kind: 'refusal',
				endpoint,
				client: clientAddress,
				answersSyn: true,
				sender: 'unlearned',
				suppressed: 0,
			});
			const index = row.run('router', 'cat', `/sys/class/net/${serverSide}/ifindex`).trim();
			assert.equal(interfaceIndex, Number(index));
			assert.equal((await watcher.end()).truncated, 0);
		});
	}

	it('refuses an interface where another XDP program stands, and says what to do', { timeout: 30_000 }, async () => {
		const first = new Watcher(row, 'xdp');
		await first.next();
		const second = await new Watcher(row, 'xdp').next();
		assert.equal(second.available, false);
		assert.equal(second.code, 'EBUSY');
		assert.match(String(second.reason), /another program is already attached/);
		await first.end();
	});

	it('says that an interface does not exist', { timeout: 30_000 }, async () => {
		const line = createInterface({
			input: row.spawn('router', process.execPath, child, 'eth-none', 'tc').stdout ?? assert.fail(),
		});
		const [text] = (await once(line, 'line')) as [string];
		assert.equal((JSON.parse(text) as Line).code, 'ENODEV');
	});

	for (const how of ['auto', 'xdp', 'xdp-generic']) {
		it(`goes to an interface that was made again under its name, attached by ${how}`, { timeout: 30_000 }, async () => {
			const watcher = new Watcher(row, how);
			const [before] = (await watcher.next()).interfaces as Line[];
			row.renewServerSide();
			assert.deepEqual((await watcher.again()).interfaces, [{ ...before, times: 2 }]);
			row.connectRefused();
			assert.equal((await watcher.next()).kind, 'refusal');
			row.run('router', 'ip', 'link', 'set', serverSide, 'down', 'name', 'eth-other');
			const [gone] = (await watcher.again()).interfaces as Line[];
			assert.deepEqual([gone?.attached, gone?.code], [false, 'ENODEV']);
			row.run('router', 'ip', 'link', 'set', 'eth-other', 'up', 'name', serverSide);
			assert.deepEqual((await watcher.again()).interfaces, [{ ...before, times: 3 }]);
			assert.deepEqual((await watcher.again()).interfaces, [{ ...before, times: 3 }]);
			await watcher.end();
		});
	}

	for (const how of ['auto', 'clsact']) {
		it(`sees what a filter behind it has the last word on, attached by ${how}`, { timeout: 30_000 }, async () => {
			const add = 'tc qdisc add dev eth-server clsact; tc filter add dev eth-server ingress prio 10 protocol all';
			row.run('router', 'sh', '-c', `${add} u32 match u32 0 0 flowid 1:1`);
			const watcher = new Watcher(row, how);
			await watcher.next();
			row.connectRefused();
			assert.equal((await watcher.next()).kind, 'refusal');
			await watcher.end();
			assert.match(row.run('router', 'tc', 'filter', 'show', 'dev', serverSide, 'ingress'), /pref 10 u32/);
			row.run('router', 'tc', 'qdisc', 'delete', 'dev', serverSide, 'clsact');
		});
	}

	it('sees on, by clsact, while another watches beside it and after', { timeout: 30_000 }, async () => {
		const daemon = new Watcher(row, 'clsact');
		await daemon.next();
		const trace = new Watcher(row, 'clsact-beside');
		await trace.next();
		row.connectRefused();
		assert.deepEqual([(await daemon.next()).kind, (await trace.next()).kind], ['refusal', 'refusal']);
		await trace.end();
		row.connectRefused();
		assert.equal((await daemon.next()).kind, 'refusal');
		await daemon.end();
	});

	for (const how of ['auto', 'clsact', 'xdp-generic']) {
		it(`reads a device without Ethernet from the IP header on, attached by ${how}`, { timeout: 30_000 }, async () => {
			row.run('router', 'ip', 'tuntap', 'add', 'dev', 'tunnel0', 'mode', 'tun');
			row.run('router', 'ip', 'link', 'set', 'tunnel0', 'up');
			const watcher = new Watcher(row, how, 'tunnel0');
			await watcher.next();
			const header = { source: serverAddress, destination: clientAddress };
			sendFromTunnel(row, 'tunnel0', ipv4(header, tcp({ flags: refusalFlags })));
			const { kind, sender } = await watcher.next();
			assert.deepEqual([kind, sender], ['refusal', 'unlearned']);
			await watcher.end();
			row.run('router', 'ip', 'link', 'delete', 'tunnel0');
		});
	}

	it('leaves nothing behind on the interface', () => {
		assert.doesNotMatch(row.run('router', 'ip', '-details', 'link', 'show', serverSide), /xdp/);
		assert.equal(row.run('router', 'tc', 'filter', 'show', 'dev', serverSide, 'ingress').trim(), '');
	});

	for (const how of ['tcx', 'xdp', 'xdp-generic']) {
		it(`reads headers that are not in the linear part of a packet, attached by ${how}`, {
			timeout: 30_000,
		}, async () => {
			const watcher = new Watcher(row, how);
			await watcher.next();
			const padded = new Uint8Array(6000);
			padded.set(refusal4({ source: serverAddress, destination: clientAddress }));
			padded.fill(0xff, 0, 6);
			sendFrame(row, padded);
			assert.equal((await watcher.next()).kind, 'refusal');
			assert.equal((await watcher.end()).truncated, 0);
		});
	}
});
