/** The VIP prober's bounds, wires and errors, with a socket of the test's own; on the wire: test/kernel/vip-probe.test.ts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PacketSocketOptions } from '../../src/addon/index.js';
import type { Link } from '../../src/netlink/route.js';
import type { Route } from '../../src/netlink/route-lookup.js';
import { readFrame, readPacket, readSegment, tcpFlag } from '../../src/remedy/vip-packet.js';
import { VipProber, type VipProberOptions } from '../../src/remedy/vip-probe.js';
import type { Routes, VipTarget } from '../../src/remedy/vip-way.js';
import { linkOf } from '../evidence/link-samples.js';
import {
	acceptance,
	directorMac,
	inet,
	inet6,
	neighbourFrame,
	refusal,
	segmentFrame,
	tunnelled,
} from './vip-samples.js';

const route: Route = { kind: 'unicast', interfaceIndex: 2, gateway: undefined, source: inet.way.source };
const link = linkOf({ linkAddress: directorMac });

function routes(over: Partial<Route> = {}, answer: Link | undefined = link): Routes {
	return { routeTo: async () => ({ ...route, ...over }), link: async () => answer };
}

/** A real server behind a socket that is none: answers a neighbour question, and each SYN by `flags`. */
class Server {
	readonly opened: PacketSocketOptions[] = [];
	readonly sent: Uint8Array[] = [];
	openNow = 0;
	/** 0: it says nothing. */
	flags = acceptance;
	isThere = true;
	sendError: Error | undefined;

	prober(options: VipProberOptions = {}, ways = routes()): VipProber {
		const openSocket: VipProberOptions['openSocket'] = (socket) => {
			this.opened.push(socket);
			this.openNow += 1;
			// What is there at once comes in one batch.
			const answers: Uint8Array[] = [];
			const say = (answer: Uint8Array) => {
				if (answers.push(answer) === 1) setImmediate(() => socket.onBatch(answers.splice(0)));
			};
			return {
				send: (frame) => this.#hear(frame, say),
				close: () => {
					this.openNow -= 1;
				},
			};
		};
		return new VipProber(ways, { openSocket, ...options });
	}

	get resets(): number {
		return this.sent.filter((frame) => segmentOf(frame)?.flags === tcpFlag.rst).length;
	}

	#hear(frame: Uint8Array, say: (answer: Uint8Array) => void): void {
		if (this.sendError) throw this.sendError;
		this.sent.push(frame);
		const segment = segmentOf(frame);
		if (!segment && this.isThere) say(neighbourFrame(inet));
		if (!segment || segment.flags !== tcpFlag.syn || this.flags === 0) return;
		const { sourcePort: destinationPort, destinationPort: sourcePort, sequence } = segment;
		const acknowledgement = (sequence + 1) >>> 0;
		say(segmentFrame(inet, { flags: this.flags, sourcePort, destinationPort, acknowledgement }));
	}
}

function segmentOf(frame: Uint8Array) {
	const packet = readPacket(readFrame(frame)?.payload ?? new Uint8Array());
	return packet && readSegment(packet.payload);
}

/** What is done at once, by promises and by the server above, is done. */
async function turns(): Promise<void> {
	for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** No request, no expectation. */
const nothingMore = {};
const other: VipTarget = { ...inet.target, port: 443 };

describe('the VIP probe', () => {
	test('says what the server says, and how long that took', async () => {
		const server = new Server();
		const prober = server.prober();
		const { outcome, latencyMs } = await prober.probe(inet.target, nothingMore, 1_000);
		assert.equal(outcome, 'accepted');
		assert.ok(latencyMs > 0 && latencyMs < 1_000);
		server.flags = refusal;
		assert.equal((await prober.probe(inet.target, nothingMore, 1_000)).outcome, 'refused');
		prober.close();
	});

	test('asks twice before silence is its answer, the second time after half of the time', async () => {
		const server = new Server();
		server.flags = 0;
		const prober = server.prober();
		const { outcome, latencyMs } = await prober.probe(inet.target, nothingMore, 100);
		assert.equal(outcome, 'unanswered');
		assert.ok(latencyMs >= 95 && latencyMs < 900, `${latencyMs} ms`);
		const flags = server.sent.map((frame) => segmentOf(frame)?.flags);
		assert.deepEqual(flags, [undefined, tcpFlag.syn, tcpFlag.syn, tcpFlag.rst]);
		server.isThere = false;
		assert.equal((await prober.probe(inet.target, nothingMore, 20)).outcome, 'unanswered');
		prober.close();
	});

	test('opens one wire for all questions on it, and closes it some time after the last', async (t) => {
		t.mock.timers.enable({ apis: ['setTimeout'] });
		const server = new Server();
		const prober = server.prober({ lingerMs: 40 });
		await Promise.all([prober.probe(inet.target, nothingMore, 1_000), prober.probe(other, nothingMore, 1_000)]);
		t.mock.timers.tick(39);
		await prober.probe(inet.target, nothingMore, 1_000);
		t.mock.timers.tick(39);
		assert.deepEqual([server.opened.length, server.openNow], [1, 1]);
		t.mock.timers.tick(1);
		assert.equal(server.openNow, 0);
		assert.equal((await prober.probe(inet.target, nothingMore, 1_000)).outcome, 'accepted');
		assert.deepEqual([server.opened.length, server.openNow], [2, 1]);
		prober.close();
		assert.equal(server.openNow, 0);
	});

	test('questions that one batch settles leave one end of the wire behind, which the next question puts off', async (t) => {
		t.mock.timers.enable({ apis: ['setTimeout'] });
		const server = new Server();
		const prober = server.prober({ lingerMs: 40 });
		await Promise.all([prober.probe(inet.target, nothingMore, 1_000), prober.probe(other, nothingMore, 1_000)]);
		server.flags = 0;
		const asked = prober.probe(inet.target, nothingMore, 100);
		await turns();
		t.mock.timers.tick(99);
		assert.equal(server.openNow, 1);
		t.mock.timers.tick(1);
		assert.equal((await asked).outcome, 'unanswered');
		assert.deepEqual([server.opened.length, server.openNow], [1, 1]);
		prober.close();
		assert.equal(server.openNow, 0);
	});

	test('a wire that is gone takes no newer one with it', async () => {
		const server = new Server();
		const prober = server.prober();
		await prober.probe(inet.target, nothingMore, 1_000);
		server.opened[0]?.onError(new Error('ENETDOWN: recv AF_PACKET'));
		await prober.probe(inet.target, nothingMore, 1_000);
		server.opened[0]?.onError(new Error('ENETDOWN: recv AF_PACKET'));
		await prober.probe(other, nothingMore, 1_000);
		assert.equal(server.opened.length, 2);
		prober.close();
	});

	test('does not close a wire under a question', async (t) => {
		t.mock.timers.enable({ apis: ['setTimeout'] });
		const server = new Server();
		const prober = server.prober({ lingerMs: 40 });
		await prober.probe(inet.target, nothingMore, 1_000);
		server.flags = 0;
		const asked = prober.probe(inet.target, nothingMore, 100);
		await turns();
		t.mock.timers.tick(100);
		assert.equal((await asked).outcome, 'unanswered');
		prober.close();
	});

	test('goes to one target once at a time, by a port and a number of its own', async () => {
		const server = new Server();
		const prober = server.prober();
		const [first, second] = [
			prober.probe(inet.target, nothingMore, 1_000),
			prober.probe(inet.target, nothingMore, 1_000),
		];
		await Promise.all([first, second, prober.probe(other, nothingMore, 1_000)]);
		const syns = server.sent.map(segmentOf).filter((segment) => segment?.flags === tcpFlag.syn);
		assert.equal(syns.length, 2);
		assert.equal(new Set(syns.map((segment) => segment?.sourcePort)).size, 2);
		assert.equal(new Set(syns.map((segment) => segment?.sequence)).size, 2);
		assert.ok(syns.every((segment) => (segment?.sourcePort ?? 0) >= 61_000));
		prober.close();
	});

	test('waits its turn, and is turned away where too many wait', async () => {
		const server = new Server();
		server.flags = 0;
		const prober = server.prober({ underWayMax: 1, waitingMax: 1 });
		const first = prober.probe(inet.target, nothingMore, 60);
		const second = prober.probe(other, nothingMore, 60);
		const third = await prober.probe({ ...inet.target, port: 22 }, nothingMore, 60);
		assert.match(`${third.outcome} ${third.detail}`, /error .*waiting already/);
		assert.deepEqual([(await first).outcome, (await second).outcome], ['unanswered', 'unanswered']);
		prober.close();
		assert.throws(() => server.prober({ underWayMax: 4_537 }), RangeError);
	});

	test('answers everybody when it is closed, and leaves nothing half-open', async () => {
		const server = new Server();
		server.flags = 0;
		const prober = server.prober({ underWayMax: 1 });
		const open = [prober.probe(inet.target, nothingMore, 60_000), prober.probe(other, nothingMore, 60_000)];
		await turns();
		prober.close();
		for (const { outcome, detail } of await Promise.all(open)) assert.match(`${outcome} ${detail}`, /error .*closed/);
		assert.deepEqual([server.resets, server.openNow], [1, 0]);
		assert.equal((await prober.probe(inet.target, nothingMore, 100)).outcome, 'error');
	});

	test('has an error of ours where there is no way, and proves nothing then', async () => {
		const reasons: [Routes, VipTarget, RegExp][] = [
			[{ ...routes(), routeTo: async () => undefined }, inet.target, /no route to 10\.1\.0\.11/],
			[routes({ kind: 'local' }), inet.target, /of the kind local/],
			[routes({ source: undefined }), inet.target, /no address of ours/],
			[routes({ source: inet.target.vip }), inet.target, /the service's own/],
			[routes({ gateway: 'fe80::1' }), inet.target, /another family/],
			[routes({}, linkOf({ name: 'tun0', linkAddress: undefined })), inet.target, /tun0 has no Ethernet address/],
			[routes(), { ...inet.target, port: 0 }, /port is not known/],
			[routes(), { ...inet.target, host: inet6.target.host }, /two families/],
			[routes(), tunnelled(inet, { type: 'gue', port: 6080, flags: 2 }).target, /remote checksum/],
			[{ ...routes(), routeTo: () => Promise.reject(new Error('EPERM')) }, inet.target, /EPERM/],
		];
		for (const [ways, target, reason] of reasons) {
			const server = new Server();
			const { outcome, latencyMs, detail } = await server.prober({}, ways).probe(target, nothingMore, 100);
			assert.deepEqual([outcome, latencyMs, server.opened.length], ['error', 0, 0]);
			assert.match(detail, reason);
		}
	});

	test('has an error of ours where the socket fails, when it opens, sends or lives, and opens another one then', async () => {
		const refused = new VipProber(routes(), {
			openSocket: () => {
				throw new Error('EPERM: socket AF_PACKET');
			},
		});
		assert.match((await refused.probe(inet.target, nothingMore, 100)).detail, /EPERM/);
		const server = new Server();
		server.sendError = new Error('ENETDOWN: send AF_PACKET');
		const prober = server.prober();
		assert.match((await prober.probe(inet.target, nothingMore, 100)).detail, /ENETDOWN/);
		server.sendError = undefined;
		server.flags = 0;
		const asked = prober.probe(inet.target, nothingMore, 60_000);
		await turns();
		server.opened[0]?.onError(new Error('ENETDOWN: recv AF_PACKET'));
		assert.match((await asked).detail, /ENETDOWN/);
		assert.equal(server.openNow, 0);
		server.flags = acceptance;
		assert.equal((await prober.probe(inet.target, nothingMore, 1_000)).outcome, 'accepted');
		assert.equal(server.opened.length, 2);
		prober.close();
	});
});
