/**
 * link.bpf.c on the host's own kernel: neighbours that fail and come back, in namespaces made for it. Carriers and bonds
 * need fentry and the module bonding, which the lab has. Needs root and iproute2.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { LinkPartState } from '../../src/capture/link.js';
import type { NeighbourEvent } from '../../src/decode/event.js';

const child = fileURLToPath(new URL('link-child.js', import.meta.url));
const director = `ipvigil-${process.pid}-director`;
const server = `ipvigil-${process.pid}-server`;
const stranger = `ipvigil-${process.pid}-stranger`;

const watched = ['10.9.2.11', '10.9.2.12', 'fd00:2::11'];
/** NUD_* of linux/neighbour.h. */
const failed = 0x20;
const valid = 0xde;

function ip(namespace: string, line: string): string {
	return execFileSync('ip', ['-n', namespace, ...line.split(' ')], { encoding: 'utf8', timeout: 10_000 });
}

function run(namespace: string, script: string): void {
	execFileSync('ip', ['netns', 'exec', namespace, 'sh', '-euc', script], { timeout: 10_000, stdio: 'pipe' });
}

/** One solicitation 50 ms long instead of three seconds. */
function makeImpatient(namespace: string, name: string): void {
	for (const family of ['ipv4', 'ipv6']) {
		const directory = `/proc/sys/net/${family}/neigh/${name}`;
		run(namespace, `echo 1 >${directory}/mcast_solicit; echo 50 >${directory}/retrans_time_ms`);
	}
}

/** A datagram for the address, to the discard port: whatever comes of it, the neighbour is looked for. */
function ask(namespace: string, address: string): void {
	run(namespace, `bash -c 'echo >/dev/udp/${address}/9'; sleep 0.2`);
}

function makeNetwork(): void {
	for (const namespace of [director, server, stranger]) execFileSync('ip', ['netns', 'add', namespace]);
	ip(director, `link add near type veth peer name far netns ${server}`);
	ip(stranger, 'link add near type veth peer name far');
	ip(stranger, 'link set far up');
	for (const namespace of [director, stranger]) {
		ip(namespace, 'address add 10.9.2.1/24 dev near');
		ip(namespace, 'address add fd00:2::1/64 dev near nodad');
		makeImpatient(namespace, 'near');
		ip(namespace, 'link set near up');
	}
	ip(server, 'link set far up');
}

/** A watcher in the director's namespace; `next()` is its next line. */
class Watcher {
	readonly #process: ChildProcess;
	readonly #lines: AsyncIterator<string>;

	constructor() {
		const argv = ['netns', 'exec', director, process.execPath, child, ...watched];
		this.#process = spawn('ip', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
		this.#lines = createInterface({ input: this.#process.stdout ?? assert.fail() })[Symbol.asyncIterator]();
	}

	async next<T>(): Promise<T> {
		const { value, done } = await this.#lines.next();
		assert.ok(!done, 'the watcher has more to say');
		return JSON.parse(value) as T;
	}

	async neighbour(): Promise<Omit<NeighbourEvent, 'atUs'>> {
		const { atUs, ...event } = await this.next<NeighbourEvent>();
		assert.ok(Math.abs(Number(process.hrtime.bigint() / 1000n) - atUs) < 5e6, 'the time is now');
		return event;
	}

	/** What it still had to say, and its losses. */
	async end(): Promise<{ events: NeighbourEvent[]; losses: Record<string, number> }> {
		this.#process.stdin?.end();
		const lines: string[] = [];
		for (let line = await this.#lines.next(); !line.done; line = await this.#lines.next()) lines.push(line.value);
		const losses = JSON.parse(lines.pop() ?? '{}');
		return { events: lines.map((line) => JSON.parse(line)), losses };
	}
}

describe('the link hooks', { timeout: 60_000 }, () => {
	let watcher: Watcher;
	let parts: LinkPartState[];
	let interfaceIndex: number;
	before(async () => {
		makeNetwork();
		interfaceIndex = JSON.parse(ip(director, '-json link show dev near'))[0].ifindex;
		watcher = new Watcher();
		parts = await watcher.next();
	});
	after(() => {
		for (const namespace of [director, server, stranger]) execFileSync('ip', ['netns', 'delete', namespace]);
	});

	it('are attached part by part, and what is not says why', () => {
		assert.deepEqual(
			parts.map(({ part }) => part),
			['carrier', 'bond', 'neighbour'],
		);
		assert.deepEqual(parts[2], { part: 'neighbour', attached: true });
		for (const part of parts) assert.ok(part.attached || (part.reason && part.remedy && part.code));
		const bond = parts[1] ?? assert.fail();
		if (!existsSync('/sys/module/bonding')) assert.equal(!bond.attached && bond.code, 'NO_BONDING');
	});

	it('tell that a listed neighbour failed, and not an unlisted one or a stranger’s', async () => {
		ask(stranger, '10.9.2.11');
		ask(director, '10.9.2.99');
		ask(director, '10.9.2.11');
		const expected = { kind: 'neighbour', address: '10.9.2.11', interfaceIndex, state: failed };
		assert.deepEqual(await watcher.neighbour(), expected);
	});

	it('tell an IPv6 neighbour’s failure', async () => {
		ask(director, 'fd00:2::11');
		const expected = { kind: 'neighbour', address: 'fd00:2::11', interfaceIndex, state: failed };
		assert.deepEqual(await watcher.neighbour(), expected);
	});

	it('tell its return once, and nothing of one that never failed', async () => {
		ip(server, 'address add 10.9.2.11/24 dev far');
		ip(server, 'address add 10.9.2.12/24 dev far');
		ask(director, '10.9.2.12');
		ask(director, '10.9.2.11');
		const { address, state } = await watcher.neighbour();
		assert.equal(address, '10.9.2.11');
		assert.ok(state & valid, `state ${state}`);
	});

	it('tell a failure at most once in a second, though it happens again and again', async () => {
		run(server, 'ip address flush dev far scope global');
		for (let round = 0; round < 3; round++) {
			ip(director, 'neighbour flush dev near');
			ask(director, '10.9.2.12');
		}
		const { events, losses } = await watcher.end();
		assert.deepEqual(
			new Set(events.map(({ address, state }) => `${address} ${state}`)),
			new Set([`10.9.2.12 ${failed}`]),
		);
		const gapsUs = events.slice(1).map(({ atUs }, index) => atUs - (events[index]?.atUs ?? 0));
		assert.ok(
			gapsUs.every((gapUs) => gapUs >= 1e6),
			`${gapsUs}`,
		);
		assert.equal(losses.ringFull, 0);
	});
});
