/**
 * The wire on real interfaces: a connect to a closed port, forwarded by a router namespace, is refused, and every way
 * of attaching sees the RST. Needs root.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { clientAddress, closedPort, Row, serverAddress, serverSide } from './netns.js';
import { refusal4 } from './packets.js';

const child = fileURLToPath(new URL('live-child.js', import.meta.url));
type Line = Record<string, unknown>;

/** A watcher in the router's namespace; `next()` is its next line. */
class Watcher {
	readonly #process: ChildProcess;
	readonly #lines: AsyncIterator<string>;

	constructor(row: Row, how: string) {
		this.#process = row.spawn('router', process.execPath, child, serverSide, how);
		this.#lines = createInterface({ input: this.#process.stdout ?? assert.fail() })[Symbol.asyncIterator]();
	}

	async next(): Promise<Line> {
		const { value, done } = await this.#lines.next();
		assert.ok(!done, 'the watcher has more to say');
		return JSON.parse(value) as Line;
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

describe('the wire on an interface', () => {
	let row: Row;
	before(() => {
		row = new Row();
	});
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
			if (method) assert.deepEqual(interfaces, [{ interfaceName: serverSide, attached: true, method }]);
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
