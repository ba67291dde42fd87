/** What a request on the control socket means to the judge: a real socket, a real judge, a table that is only told of. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { pino } from 'pino';
import { holdsMax } from '../../src/judge/hold.js';
import { defaultPolicy } from '../../src/judge/policy.js';
import { createState } from '../../src/judge/state.js';
import { termsForAll } from '../../src/judge/terms.js';
import { HoldFile } from '../../src/remedy/hold-file.js';
import { controlSocket } from '../../src/report/control.js';
import { bootMs } from '../../src/shell/clock.js';
import { Control } from '../../src/shell/control.js';
import { askDestination, command } from '../../src/shell/control-client.js';
import { Loop } from '../../src/shell/loop.js';
import { parseRules } from '../../src/table/rules.js';
import { temporaryDirectory } from '../remedy/example.js';

const table = `-A -t 10.0.0.100:80 -s wrr -p 300
-a -t 10.0.0.100:80 -r 10.1.0.11:80 -m -w 5
-a -t 10.0.0.100:80 -r 10.1.0.12:80 -m -w 5
-a -t 10.0.0.100:80 -r 10.1.0.13:80 -m -w 5
`;
const parsed = parseRules(table);
assert.ok(parsed.ok);
const { snapshot } = parsed;
const [one, two] = ['tcp 10.0.0.100:80 > 10.1.0.11:80', 'tcp 10.0.0.100:80 > 10.1.0.12:80'];

/** A judge whose probes meet `refusing` servers or accept, and whose writes are done at once. */
function createDirector(t: TestContext, directory: string) {
	const refusing = new Set<string>();
	const log = pino({ level: 'silent' });
	const control = new Control(directory, log);
	const policy = { ...defaultPolicy, leaseJitter: 0, graceMs: 0, frozenShare: 1 };
	const terms = termsForAll({ mode: 'assist', policy });
	const state = createState({ terms, pid: 1, dryRun: false, binding: false, seed: 1 });
	const nothing = () => {};
	const loop: Loop = new Loop(state, bootMs, {
		probe: ({ id, listener, purpose }) => {
			const outcome = refusing.has(listener.endpoint.address) ? 'refused' : 'accepted';
			loop.take({ kind: 'probe', listener: id, purpose, outcome, latencyMs: 0, detail: '' });
		},
		setWeight: ({ id }) => loop.take({ kind: 'outcome', action: id, result: 'done', detail: '' }),
		giveBack: ({ id }) => loop.take({ kind: 'outcome', action: id, result: 'done', detail: '' }),
		keepHolds: ({ holds }) => control.holds.keep(holds),
		ledger: nothing,
		forget: nothing,
		bind: nothing,
		tell: nothing,
		journal: nothing,
		remember: nothing,
	});
	t.after(() => loop.close());
	return {
		loop,
		control,
		log,
		begin: async () => {
			for (const message of control.recall()) loop.take(message);
			loop.take({ kind: 'table', snapshot, sinceMs: bootMs() });
			await control.open(loop);
			t.after(() => control.close());
		},
		fail: (address: string) => {
			refusing.add(address);
			const endpoint = { protocol: 'tcp', family: 'inet', address, port: 80 } as const;
			const nowMs = bootMs();
			loop.take({
				kind: 'evidence',
				edge: {
					signal: 'refusal',
					scope: { kind: 'endpoint', endpoint },
					verified: true,
					count: 1,
					clientPrefixes: 1,
					verifiedCount: 1,
					verifiedPrefixes: 1,
					client: '10.9.1.7',
					detail: '',
					firstMs: nowMs,
					lastMs: nowMs,
				},
			});
		},
	};
}

async function start(t: TestContext, directory = temporaryDirectory(t)) {
	const director = createDirector(t, directory);
	await director.begin();
	return { directory, ...director };
}

describe('a destination', () => {
	test('stands as the judge has it', async (t) => {
		const { directory, fail } = await start(t);
		fail('10.1.0.11');
		const { format, mode, verdict, weight, lease, hold, asked, signal, caveats } = await askDestination(
			directory,
			'10.1.0.11',
		);
		assert.deepEqual([format, mode, verdict, weight, hold], [1, 'assist', 'failed', 0, null]);
		assert.deepEqual([lease?.state, lease?.written, lease?.owed, lease?.count], ['held', 0, 5, 1]);
		assert.equal(Date.parse(lease?.until ?? '') - Date.parse(lease?.since ?? ''), 30_000);
		assert.deepEqual([asked?.listener, asked?.calibrated], ['tcp 10.1.0.11:80', true]);
		assert.equal(signal?.name, 'refusal');
		assert.equal(caveats.length, 1);
		assert.match(caveats[0] ?? '', /^Persistence: .*expire_quiescent_template/);
		const well = await askDestination(directory, two);
		assert.deepEqual([well.verdict, well.weight, well.lease, well.signal], ['healthy', 5, null, null]);
	});

	test('that is not known, or may be several, is refused with those that are like it', async (t) => {
		const { directory } = await start(t);
		await assert.rejects(askDestination(directory, '10.1.0.19:80'), {
			kind: 'not-found',
			message: 'No destination is named "10.1.0.19:80".',
			remedy: /10\.1\.0\.1\d:80/,
		});
		for (const verb of ['release', 'hold', 'resume'] as const) {
			await assert.rejects(command(directory, verb, { destination: '10.9.9.9' }), { kind: 'not-found' });
			await assert.rejects(command(directory, verb, { destination: '10.0.0.100' }), {
				kind: 'usage',
				message: /may mean 3 destinations/,
				remedy: new RegExp(one),
			});
		}
	});
});

describe('a release', () => {
	test('ends the lease and says whose and what is owed', async (t) => {
		const { directory, fail } = await start(t);
		fail('10.1.0.11');
		assert.deepEqual(await command(directory, 'release', { destination: '10.1.0.11:80' }), {
			format: 1,
			destination: one,
			leases: [{ destination: one, owed: 5, written: 0, state: 'held', rehearsed: false, handsOffMs: 60_000 }],
		});
		const { lease, weight, handsOffMs, verdict } = await askDestination(directory, one);
		assert.deepEqual([lease, weight, verdict], [null, 5, 'failed']);
		assert.ok(handsOffMs !== null && handsOffMs > 0 && handsOffMs <= 60_000);
		assert.deepEqual((await command(directory, 'release', { destination: one })).leases, []);
	});

	test('of all ends every lease', async (t) => {
		const { directory, fail, loop } = await start(t);
		loop.state.terms.others.policy.takenShareMax = 1;
		fail('10.1.0.11');
		fail('10.1.0.12');
		const { destination, leases } = await command(directory, 'release', { destination: 'all' });
		assert.equal(destination, 'all');
		assert.deepEqual(
			leases.map(({ destination: id }) => id),
			[one, two],
		);
		assert.equal((await askDestination(directory, two)).lease, null);
	});
});

describe('a hold', () => {
	test('keeps a server in until it is resumed', async (t) => {
		const { directory, fail } = await start(t);
		assert.deepEqual(await command(directory, 'hold', { destination: one, reason: 'disk' }), {
			format: 1,
			destination: one,
			until: null,
			reason: 'disk',
			leases: [],
			remembered: true,
		});
		fail('10.1.0.11');
		const { verdict, lease, hold } = await askDestination(directory, one);
		assert.deepEqual([verdict, lease], ['failed', null]);
		assert.deepEqual(hold, { scope: one, reason: 'disk', until: null, leftMs: null });
		assert.deepEqual(await command(directory, 'resume', { destination: one }), {
			format: 1,
			destination: one,
			ended: [one],
			stillHeld: false,
			remembered: true,
		});
		assert.equal((await askDestination(directory, one)).lease?.state, 'held');
	});

	test('on all stands for each, and resuming one says that it goes on', async (t) => {
		const { directory, fail } = await start(t);
		fail('10.1.0.11');
		const beforeMs = Date.now();
		const { leases, until, reason } = await command(directory, 'hold', {
			destination: 'all',
			forMs: 60_000,
			reason: ' ',
		});
		assert.deepEqual([leases, reason], [[one], 'no reason was given']);
		const sinceMs = Date.parse(until ?? '') - 60_000;
		assert.ok(sinceMs >= beforeMs && sinceMs <= Date.now());
		const { hold } = await askDestination(directory, two);
		assert.equal(hold?.scope, 'all');
		assert.ok(hold.leftMs !== null && hold.leftMs > 0 && hold.leftMs <= 60_000);
		const resumed = await command(directory, 'resume', { destination: two });
		assert.deepEqual([resumed.ended, resumed.stillHeld], [[], true]);
		await command(directory, 'hold', { destination: two });
		const ended = await command(directory, 'resume', { destination: 'all' });
		assert.deepEqual([ended.ended, ended.stillHeld], [['all', two], false]);
	});

	test('of its own and one on all: a destination stands under the one that ends last', async (t) => {
		const { directory } = await start(t);
		const scopeNow = async () => (await askDestination(directory, one)).hold?.scope;
		await command(directory, 'hold', { destination: 'all', reason: 'a switch' });
		await command(directory, 'hold', { destination: one, forMs: 60_000 });
		assert.equal(await scopeNow(), 'all');
		await command(directory, 'hold', { destination: one });
		assert.equal(await scopeNow(), one);
		await command(directory, 'hold', { destination: 'all', forMs: 60_000 });
		await command(directory, 'hold', { destination: one, forMs: 3_600_000 });
		assert.equal(await scopeNow(), one);
		await command(directory, 'hold', { destination: 'all', forMs: 7_200_000 });
		assert.equal(await scopeNow(), 'all');
	});

	test('outlives a restart with its end and its reason', async (t) => {
		const first = await start(t);
		await command(first.directory, 'hold', { destination: one, forMs: 3_600_000, reason: 'disk' });
		const { hold: before } = await askDestination(first.directory, one);
		await first.control.close();
		first.loop.close();
		const second = await start(t, first.directory);
		const { hold } = await askDestination(first.directory, one);
		assert.deepEqual([hold?.scope, hold?.reason], [one, 'disk']);
		assert.ok((hold?.leftMs ?? 0) <= (before?.leftMs ?? 0) && (hold?.leftMs ?? 0) > 0);
		second.fail('10.1.0.11');
		assert.equal((await askDestination(first.directory, one)).lease, null);
		await command(first.directory, 'resume', { destination: one });
		assert.deepEqual(new HoldFile(first.directory, assert.fail).recall(), []);
	});

	test('is still written down with all others while they are recalled one by one', (t) => {
		const directory = temporaryDirectory(t);
		const file = new HoldFile(directory, assert.fail);
		const kept = [one, two].map((destination) => ({ destination, untilMs: bootMs() + 3_600_000, reason: 'disk' }));
		file.keep(kept);
		const { loop, control } = createDirector(t, directory);
		for (const message of control.recall()) {
			loop.take(message);
			assert.deepEqual(file.recall(), kept);
		}
		assert.equal(loop.state.holds.size, 2);
	});

	test('whose time was over before a restart is over', async (t) => {
		const directory = temporaryDirectory(t);
		new HoldFile(directory, assert.fail).keep([{ destination: one, untilMs: bootMs() - 1, reason: 'disk' }]);
		const { loop } = await start(t, directory);
		loop.take({ kind: 'tick' });
		assert.equal((await askDestination(directory, one)).hold, null);
	});

	test('whose end could not be written down is not said to be over for good', async (t) => {
		const { directory } = await start(t);
		await command(directory, 'hold', { destination: one });
		mkdirSync(join(directory, 'holds.json.new'));
		const { ended, remembered } = await command(directory, 'resume', { destination: one });
		assert.deepEqual([ended, remembered], [[one], false]);
	});

	test('of a destination that has left the table can be resumed', async (t) => {
		const { directory, loop } = await start(t);
		await command(directory, 'hold', { destination: one });
		const services = snapshot.services.map((service) => ({ ...service, destinations: service.destinations.slice(1) }));
		loop.take({ kind: 'table', snapshot: { services }, sinceMs: bootMs() });
		await assert.rejects(askDestination(directory, one), { kind: 'not-found' });
		assert.deepEqual((await command(directory, 'resume', { destination: one })).ended, [one]);
	});

	test('beyond the bound is refused, and the one on all is offered and taken', async (t) => {
		const { directory, loop } = await start(t);
		for (let index = 0; index < holdsMax; index += 1)
			loop.state.holds.set(`gone ${index}`, { destination: `gone ${index}`, untilMs: undefined, reason: '' });
		await assert.rejects(command(directory, 'hold', { destination: one }), { kind: 'usage', remedy: /--all/ });
		assert.equal((await command(directory, 'hold', { destination: 'all' })).remembered, true);
		assert.equal((await askDestination(directory, one)).hold?.scope, 'all');
		await assert.rejects(command(directory, 'hold', { destination: one }), { kind: 'usage' });
		loop.state.holds.delete('gone 0');
		assert.equal((await command(directory, 'hold', { destination: one })).destination, one);
		assert.equal(new HoldFile(directory, assert.fail).recall().length, holdsMax + 1);
	});
});

test('an ipvigil that hangs is not waited for longer than one is told to', async (t) => {
	const directory = temporaryDirectory(t);
	const open = new Set<Socket>();
	const hanging = createServer((socket) => open.add(socket)).listen(controlSocket(directory));
	t.after(() => hanging.close());
	t.after(() => {
		for (const socket of open) socket.destroy();
	});
	await once(hanging, 'listening');
	await assert.rejects(askDestination(directory, one, 100), {
		kind: 'failure',
		message: /it has not answered within 0\.1 s/,
	});
});

test('a name that no request has room for is wrong usage', async (t) => {
	const { directory } = await start(t);
	await assert.rejects(askDestination(directory, 'x'.repeat(10_000)), { kind: 'usage', message: /431 Request Header/ });
});

test('without an ipvigil there is nobody to ask', async (t) => {
	const directory = temporaryDirectory(t);
	await assert.rejects(askDestination(directory, one), { kind: 'not-running' });
	const { control } = await start(t, directory);
	await control.close();
	await assert.rejects(command(directory, 'resume', { destination: 'all' }), { kind: 'not-running' });
});
