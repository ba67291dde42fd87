/**
 * Links, joined: notices bring looks, looks come at an interval too, and what a way costs is asked for sparingly. The
 * kernel's side is a stand-in that holds links, neighbours and routes as values.
 */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { missingModule } from '../../src/capture/availability.js';
import type { LinkPart } from '../../src/capture/link.js';
import type { KernelEvent } from '../../src/decode/event.js';
import { linkSentence } from '../../src/evidence/link-words.js';
import type { Link, Neighbour } from '../../src/netlink/route.js';
import type { ChangeHandlers } from '../../src/netlink/route-client.js';
import type { Route } from '../../src/netlink/route-lookup.js';
import { type LinkHooks, type LinkSources, Links } from '../../src/shell/links.js';
import { carrierEvent, linkOf, neighbourOf } from '../evidence/link-samples.js';

const host = '10.1.0.11';
const pollMs = 40;
/** Looks come within milliseconds; ten times that. */
const soonMs = 300;

class Kernel {
	links: Link[] = [linkOf({ index: 2, name: 'eth1' })];
	neighbours: Neighbour[] = [];
	looks = 0;
	neighbourLooks = 0;
	failing = false;
	wayFor: (host: string) => Partial<Route> | undefined = () => ({ kind: 'unicast', interfaceIndex: 2 });
	handlers: ChangeHandlers | undefined;
	tell: (events: KernelEvent[]) => void = () => assert.fail('no hooks');
	watched: readonly string[] = [];
	attached = new Set<LinkPart>(['carrier', 'neighbour']);
	closed = false;

	readonly routes = {
		links: async () => {
			this.looks += 1;
			if (this.failing) throw new Error('no links today');
			return this.links;
		},
		neighbours: async () => {
			this.neighbourLooks += 1;
			return this.neighbours;
		},
		routeTo: async (to: string) => this.wayFor(to) as Route | undefined,
		subscribe: (handlers: ChangeHandlers) => {
			this.handlers = handlers;
			return () => (this.handlers = undefined);
		},
	};

	readonly sources: LinkSources = {
		open: (onEvents) => {
			this.tell = onEvents;
			return this.hooks;
		},
		speedOf: async () => 10_000,
		nowUs: () => Number(process.hrtime.bigint() / 1_000n),
	};

	readonly hooks: LinkHooks = {
		parts: [
			{ part: 'carrier', attached: true },
			{ part: 'bond', attached: false, ...missingModule('bonding') },
			{ part: 'neighbour', attached: false, code: 'EPERM', reason: 'not permitted', remedy: 'be root' },
		],
		isAttached: (part) => this.attached.has(part),
		setHosts: (addresses) => {
			this.watched = addresses;
			return { refused: 0 };
		},
		retry: () => false,
		losses: () => assert.fail('nobody asks'),
		close: () => {
			this.closed = true;
		},
	};
}

let kernel: Kernel;
let links: Links;
let told: string[];
let waysAsked: number;

async function begin(intervalMs: number): Promise<void> {
	const onChange = (change: Parameters<typeof linkSentence>[0]) => void told.push(linkSentence(change));
	const options = { config: { linkIntervalMs: intervalMs }, routes: kernel.routes, log: pino({ level: 'silent' }) };
	links = new Links({ ...options, onChange, onWays: () => (waysAsked += 1) }, kernel.sources);
	await links.begin();
}

async function until(what: string, holds: () => boolean): Promise<void> {
	const endMs = Date.now() + soonMs * 10;
	while (!holds()) {
		assert.ok(Date.now() < endMs, `not in time: ${what}`);
		await sleep(2);
	}
}

describe('links', () => {
	beforeEach(() => {
		kernel = new Kernel();
		told = [];
		waysAsked = 0;
	});
	afterEach(() => links.close());

	it('tell nothing of what was so at start, and know it', async () => {
		kernel.links = [linkOf({ index: 2, name: 'eth1', carrier: false })];
		await begin(3_600_000);
		await links.setHosts([host]);
		assert.deepEqual([told, links.impairment(host)?.reason], [[], 'no-carrier']);
		assert.deepEqual(links.states(), [{ name: 'eth1', up: false }]);
	});

	it('show an interface that is gone as one that is not up', async () => {
		await begin(3_600_000);
		await links.setHosts([host]);
		assert.deepEqual(links.states(), [{ name: 'eth1', up: true }]);
		kernel.links = [];
		kernel.wayFor = () => undefined;
		kernel.handlers?.onLost();
		await until('the interface is missed', () => told.length > 0);
		await until('the ways are asked for anew', () => waysAsked > 1);
		assert.deepEqual(links.states(), [{ name: 'eth1', up: false }]);
	});

	it('say which hooks are attached, and ask for none on bonds where there are no bonds', async () => {
		await begin(3_600_000);
		assert.deepEqual(links.watching(), [
			{ vantage: 'link', hook: 'carrier', attached: true },
			{ vantage: 'link', hook: 'neighbour', attached: false },
		]);
	});

	it('say that no hook is attached where none could be opened', async () => {
		kernel.sources.open = () => undefined;
		await begin(3_600_000);
		assert.deepEqual(
			links.watching().map(({ attached }) => attached),
			[false, false, false],
		);
	});

	it('tell a hook’s word at once', async () => {
		await begin(3_600_000);
		kernel.tell([carrierEvent(2, 'down', 1, kernel.sources.nowUs())]);
		assert.deepEqual(told, ['eth1 lost its carrier']);
	});

	it('look when a notice says something new, and not when it says what is known', async () => {
		await begin(3_600_000);
		const [eth1 = assert.fail()] = kernel.links;
		kernel.handlers?.onChange({ kind: 'link', change: 'set', link: eth1 });
		await sleep(50);
		assert.equal(kernel.looks, 1);
		kernel.links = [{ ...eth1, name: 'lan' }];
		kernel.handlers?.onChange({ kind: 'link', change: 'set', link: { ...eth1, name: 'lan' } });
		await until('the new name', () => told.length > 0);
		assert.deepEqual(told, ['eth1 is now called lan']);
	});

	it('look at once after notices were lost', async () => {
		await begin(3_600_000);
		kernel.links = [];
		kernel.handlers?.onLost();
		await until('the interface is missed', () => told.length > 0);
		assert.deepEqual(told, ['eth1 is gone']);
	});

	it('look at their interval, and go on after a failure', async () => {
		await begin(pollMs);
		kernel.failing = true;
		await until('a failing look', () => kernel.looks > 1);
		kernel.failing = false;
		kernel.links = [];
		await until('the interface is missed', () => told.length > 0);
	});

	it('look once for many notices', async () => {
		await begin(3_600_000);
		kernel.links = [];
		const [removed] = [linkOf({ index: 2, name: 'eth1' })];
		for (let count = 0; count < 100; count++)
			kernel.handlers?.onChange({ kind: 'link', change: 'removed', link: removed ?? assert.fail() });
		await until('the interface is missed', () => told.length > 0);
		await sleep(100);
		assert.ok(kernel.looks <= 3, `${kernel.looks} looks`);
	});

	it('ask for neighbours only in polls where a hook tells of them, and else in each look', async () => {
		await begin(3_600_000);
		await links.setHosts([host]);
		assert.deepEqual(kernel.watched, [host]);
		kernel.handlers?.onLost();
		await until('a second look', () => kernel.looks === 2);
		assert.equal(kernel.neighbourLooks, 0);
		kernel.attached.delete('neighbour');
		kernel.neighbours = [neighbourOf(host, 'failed')];
		kernel.handlers?.onChange({ kind: 'neighbour', change: 'set', neighbour: neighbourOf(host, 'failed') });
		await until('the failed neighbour', () => told.length > 0);
		assert.deepEqual(told, [`neighbour ${host} on eth1 has failed`]);
		assert.equal(links.impairment(host)?.reason, 'neighbour-failed');
	});

	it('ask for the ways anew when an address changes', async () => {
		await begin(3_600_000);
		await links.setHosts([host]);
		kernel.wayFor = () => undefined;
		const address = { interfaceIndex: 2, family: 'inet', address: '10.1.0.1', prefixLength: 24 } as const;
		kernel.handlers?.onChange({ kind: 'address', change: 'removed', address });
		await until('no route', () => links.impairment(host)?.reason === 'no-route');
		assert.ok(waysAsked >= 2, 'it is said that the ways were asked for');
	});

	it('ask for the ways anew with the polls, because routes change by themselves', async () => {
		await begin(pollMs);
		await links.setHosts([host]);
		kernel.wayFor = () => undefined;
		await until('no route', () => links.impairment(host)?.reason === 'no-route');
	});

	it('let go of everything', async () => {
		await begin(pollMs);
		links.close();
		const { looks } = kernel;
		await sleep(pollMs * 2);
		assert.deepEqual([kernel.closed, kernel.handlers, kernel.looks], [true, undefined, looks]);
	});
});
