/**
 * The VIP probe with a request, against the TCP of this kernel: what the server answers, and that nothing of the connection
 * is left there, whatever became of it. The bench is vip-bench.ts.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { exchangeOctetsMax } from '../../src/remedy/exchange.js';
import { Bench, families, target } from './vip-bench.js';

const timeout = 60_000;

/** The first word of what came says what the server does. "in two": the rest waits until the first octets are acknowledged. */
const obey = `socket.on('data', (data) => {
	const word = String(data).split(' ')[0];
	if (word === 'ping') socket.write('pong');
	if (word === 'busy') socket.write('no room');
	if (word === 'long') socket.write('pong'.repeat(50_000));
	if (word === 'in-two') { socket.setNoDelay(false); socket.write('po'); socket.write('ng'); }
	if (word === 'cut') socket.resetAndDestroy();
	if (word === 'close') socket.end();
	if (word === 'half') socket.end('po');
})`;

describe('the VIP probe with a request, on the wire', { timeout }, () => {
	let bench: Bench;
	before(() => {
		bench = new Bench();
	});
	after(() => bench.remove());

	/** What the server still has of our connections: half-open ones, and all others. */
	const left = () =>
		['syn-recv', 'connected'].map((state) => bench.row.run('server', 'ss', '-Htan', 'state', state)).join('');

	/** Its stack has had every frame of ours when it has answered a later one. */
	const assertNothingLeft = async () => {
		await bench.outcome(target('inet'));
		assert.equal(left(), '');
	};

	const answers: [request: string, outcome: string, detail: RegExp][] = [
		['ping', 'accepted', /^$/],
		['long', 'accepted', /^$/],
		['in-two', 'accepted', /^$/],
		['busy', 'refused', /^it answered "no room"$/],
		['close', 'refused', /^it closed without an answer$/],
		['half', 'refused', /^it answered "po" and closed$/],
		['cut', 'reset', /cut the connection off$/],
	];
	for (const family of families)
		for (const [request, expected, words] of answers)
			it(`${family}: is ${expected} where the request is “${request}”, and leaves nothing`, async (t) => {
				await bench.listen(t, obey);
				const { outcome, detail } = await bench.probe(target(family), 5_000, { request, expect: 'pong' });
				assert.equal(outcome, expected, detail);
				assert.match(detail, words);
				await assertNothingLeft();
			});

	for (const family of families)
		it(`${family}: hung is a process that is stopped: its kernel accepts and takes the request`, async (t) => {
			const server = await bench.listen(t, obey);
			server.process.kill('SIGSTOP');
			const { outcome, detail } = await bench.probe(target(family), 200, { request: 'ping' });
			assert.deepEqual([outcome, detail], ['hung', 'it accepted, and answered nothing within 200 ms']);
			await assertNothingLeft();
		});

	it('any answer is one where nothing is expected, and the longest request goes in one segment', async (t) => {
		await bench.listen(t, `socket.on('data', (data) => socket.write(String(data.length)))`);
		const request = 'x'.repeat(exchangeOctetsMax);
		assert.equal((await bench.probe(target('inet'), 5_000, { request })).outcome, 'accepted');
		const { outcome } = await bench.probe(target('inet6'), 5_000, { request, expect: String(exchangeOctetsMax) });
		assert.equal(outcome, 'accepted');
		const tooLong = await bench.probe(target('inet'), 5_000, { request: `${request}x` });
		assert.match(`${tooLong.outcome}: ${tooLong.detail}`, /^error: a request of more than 512 octets/);
		await assertNothingLeft();
	});

	it('who speaks first is listened to, without a request', async (t) => {
		await bench.listen(t, `socket.write('220 ready')`);
		assert.equal((await bench.probe(target('inet'), 5_000, { expect: '220' })).outcome, 'accepted');
		assert.equal((await bench.probe(target('inet'), 5_000, { expect: '250' })).outcome, 'refused');
		await assertNothingLeft();
	});

	it('is refused where nobody listens, as without a request', async (t) => {
		await (await bench.listen(t)).kill();
		assert.equal((await bench.probe(target('inet'), 5_000, { request: 'ping' })).outcome, 'refused');
	});

	it('leaves nothing behind after 200 requests that nobody answered in time', async (t) => {
		const server = await bench.listen(t, obey);
		server.process.kill('SIGSTOP');
		// As many as its queue of connections takes: the rest is silence.
		for (let count = 0; count < 200; count++) await bench.probe(target('inet'), 5, { request: 'ping' });
		server.process.kill('SIGCONT');
		await assertNothingLeft();
	});

	/** Too long for a cable of 400 octets, which takes all other segments of a probe. */
	const longRequest = `ping ${'x'.repeat(500)}`;

	it('leaves nothing where the request was lost on the way: a RST for either number', async (t) => {
		await bench.listen(t, obey);
		const { row } = bench;
		row.run('router', 'ip', 'link', 'add', 'switch', 'type', 'bridge');
		const peer = ['peer', 'name', 'eth1', 'netns', row.namespace('server')];
		row.run('router', 'ip', 'link', 'add', 'port1', 'master', 'switch', 'type', 'veth', ...peer);
		row.run('server', 'ip', 'link', 'set', 'eth1', 'mtu', '400', 'up');
		for (const name of ['port1', 'switch']) row.run('router', 'ip', 'link', 'set', name, 'up');
		row.run('router', 'ip', 'address', 'add', '10.9.3.1/24', 'dev', 'switch');
		row.run('server', 'ip', 'address', 'add', '10.9.3.11/24', 'dev', 'eth1');
		const asked = target('inet', { host: '10.9.3.11' });
		assert.equal((await bench.probe(asked, 5_000, { request: 'ping' })).outcome, 'accepted');
		assert.equal((await bench.probe(asked, 200, { request: longRequest })).outcome, 'hung');
		await assertNothingLeft();
	});

	// The last one: so small a cable has no IPv6 (RFC 8200 §5).
	it('is an error of ours where the request could not be sent, and leaves nothing', async (t) => {
		await bench.listen(t, obey);
		bench.row.run('server', 'ip', 'link', 'set', 'eth0', 'mtu', '400');
		const { outcome, detail } = await bench.probe(target('inet'), 5_000, { request: longRequest });
		assert.match(`${outcome}: ${detail}`, /^error: ENOBUFS/);
		await assertNothingLeft();
	});
});
