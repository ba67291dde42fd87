/** What of the director's links and neighbours reaches the judge. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import type { KernelEvent } from '../../src/decode/event.js';
import type { ChangeHandlers } from '../../src/netlink/route-client.js';
import type { LinkHooks, LinkRoutes } from '../../src/shell/links.js';
import type { Message } from '../../src/shell/loop.js';
import { Ways } from '../../src/shell/ways.js';
import { parseRules } from '../../src/table/rules.js';
import { carrierEvent, linkOf } from '../evidence/link-samples.js';

const parsed = parseRules(
	'-A -t 10.0.0.100:80 -s rr\n-a -t 10.0.0.100:80 -r 10.1.0.11:80 -m\n-a -t 10.0.0.100:80 -r 10.9.0.1:80 -m',
);
assert.ok(parsed.ok);
const { snapshot } = parsed;

/** 10.1.0.0/24 lies on eth1; everything else behind 10.1.0.254 there. */
const routes = {
	links: async () => [linkOf({ index: 2, name: 'eth1', carrierChanges: 4 })],
	neighbours: async () => [],
	routeTo: async (host: string) => ({
		kind: 'unicast',
		interfaceIndex: 2,
		gateway: host.startsWith('10.1.') ? undefined : '10.1.0.254',
		source: '10.1.0.1',
	}),
	subscribe: (_: ChangeHandlers) => () => {},
} as unknown as LinkRoutes;

/** By default no poll comes. */
async function begun(linkIntervalMs = 3_600_000, from = routes) {
	const fed: Message[] = [];
	const failed: string[] = [];
	let moves = 0;
	let hear: (events: KernelEvent[]) => void = () => {};
	const hooks = { isAttached: () => true, setHosts: () => ({ refused: 0 }), retry: () => false, close: () => {} };
	const ways = await Ways.open(
		{
			config: { linkIntervalMs },
			routes: from,
			log: pino({ level: 'silent' }),
			feed: (message) => fed.push(message),
			onMoved: () => (moves += 1),
			onNeighbourFailed: (address) => failed.push(address),
		},
		{
			open: (onEvents) => {
				hear = onEvents;
				return hooks as unknown as LinkHooks;
			},
			speedOf: async () => undefined,
			nowUs: () => 1_000,
		},
	);
	await ways.follow(snapshot);
	return { ways, fed, failed, moves: () => moves, hear: (event: KernelEvent) => hear([event]) };
}

function neighbour(address: string): KernelEvent {
	return { kind: 'neighbour', atUs: 2_000, address, interfaceIndex: 2, state: 0x20 };
}

const reasons = (message: Message | undefined) =>
	message?.kind === 'ways' ? Object.fromEntries(message.impaired) : {};

test('a lost carrier impairs every host behind it, and its return ends that', async (t) => {
	const { ways, fed, hear } = await begun();
	t.after(() => ways.close());
	hear(carrierEvent(2, 'down', 5, 2_000));
	const why = 'eth1 has no carrier';
	assert.deepEqual(reasons(fed.at(-1)), { '10.1.0.11': why, '10.9.0.1': why });
	hear(carrierEvent(2, 'up', 6, 3_000));
	assert.deepEqual([fed.length, reasons(fed.at(-1))], [2, {}]);
});

test('a server that vanished from its network speaks against itself', async (t) => {
	const { ways, fed, failed, hear } = await begun();
	t.after(() => ways.close());
	hear(neighbour('10.1.0.11'));
	assert.deepEqual([failed, fed], [['10.1.0.11'], []]);
});

test('a gateway that vanished impairs the hosts behind it and blames nobody', async (t) => {
	const { ways, fed, failed, hear } = await begun();
	t.after(() => ways.close());
	hear(neighbour('10.1.0.254'));
	assert.deepEqual(failed, []);
	assert.deepEqual(Object.keys(reasons(fed.at(-1))), ['10.9.0.1']);
});

test('the same state is fed once', async (t) => {
	const { ways, fed } = await begun();
	t.after(() => ways.close());
	await ways.follow(snapshot);
	assert.deepEqual(fed, []);
});

test('a route that moved by itself is told, once, and one that stays is not', async (t) => {
	let gateway = '10.1.0.254';
	let asked = 0;
	const routeTo = async () => {
		asked += 1;
		return { kind: 'unicast', interfaceIndex: 2, gateway } as never;
	};
	const { ways, moves } = await begun(10, { ...routes, routeTo });
	t.after(() => ways.close());
	const polled = async () => {
		for (const before = asked; asked < before + 3 * 2; ) await sleep(5);
	};
	await polled();
	assert.equal(moves(), 0);
	gateway = '10.1.0.253';
	await polled();
	assert.equal(moves(), 1);
});

test('a server that vanished brings no look at every way, a gateway does', async (t) => {
	const { ways, failed, hear } = await begun();
	t.after(() => ways.close());
	const looks = t.mock.method(ways.links ?? assert.fail(), 'impairment').mock;
	hear(neighbour('10.1.0.11'));
	assert.deepEqual([failed, looks.callCount()], [['10.1.0.11'], 0]);
	hear(neighbour('10.1.0.254'));
	assert.equal(looks.callCount(), 2);
});
