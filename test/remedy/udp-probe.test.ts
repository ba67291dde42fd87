/** The UDP probe against sockets on the loopback interface, which says at once that a port is closed. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import type { Asking } from '../../src/judge/asking.js';
import { UdpProber } from '../../src/remedy/udp-probe.js';
import type { Endpoint } from '../../src/table/model.js';

interface Server {
	endpoint: Endpoint;
	heard: string[];
	clients: string[];
}

/** `answer`: what it says to a request; undefined says nothing. */
async function serve(t: TestContext, answer: (request: string) => string | undefined, address = '127.0.0.1') {
	const family = address.includes(':') ? 'inet6' : 'inet';
	const socket = createSocket(family === 'inet6' ? 'udp6' : 'udp4');
	const server: Server = { endpoint: { protocol: 'udp', family, address, port: 0 }, heard: [], clients: [] };
	socket.on('message', (data, from) => {
		server.heard.push(data.toString('latin1'));
		server.clients.push(from.address);
		const text = answer(data.toString('latin1'));
		if (text !== undefined) socket.send(Buffer.from(text, 'latin1'), from.port, from.address);
	});
	socket.bind(0, address);
	await once(socket, 'listening');
	server.endpoint.port = socket.address().port;
	t.after(() => socket.close());
	return server;
}

/** A port that nobody has: taken and let go. */
async function closedEndpoint(address: string): Promise<Endpoint> {
	const family = address.includes(':') ? 'inet6' : 'inet';
	const socket = createSocket(family === 'inet6' ? 'udp6' : 'udp4').bind(0, address);
	await once(socket, 'listening');
	const { port } = socket.address();
	socket.close();
	await once(socket, 'close');
	return { protocol: 'udp', family, address, port };
}

async function ask(endpoint: Endpoint, over: Partial<Asking>, timeoutMs = 5_000): Promise<string> {
	const { outcome, detail } = await new UdpProber().probe(endpoint, { method: 'udp', ...over }, timeoutMs);
	return detail === '' ? outcome : `${outcome}: ${detail}`;
}

describe('the UDP probe', () => {
	for (const address of ['127.0.0.1', '::1']) {
		test(`${address}: is accepted by an answer that begins as expected, and refused by another one`, async (t) => {
			const { endpoint, heard } = await serve(t, (request) => `${request} yes`, address);
			assert.equal(await ask(endpoint, { request: 'ping\xff', expect: 'ping\xff' }), 'accepted');
			assert.equal(await ask(endpoint, { request: 'ping' }), 'accepted');
			assert.equal(await ask(endpoint, { request: 'ping', expect: 'pong' }), 'refused: it answered "ping yes"');
			assert.deepEqual(heard, ['ping\xff', 'ping', 'ping']);
		});

		test(`${address}: is refused where the port is closed, whatever is expected`, async () => {
			const endpoint = await closedEndpoint(address);
			assert.match(await ask(endpoint, {}), /^refused: .*ECONNREFUSED/);
			assert.match(await ask(endpoint, { request: 'ping', expect: 'pong' }), /^refused: .*ECONNREFUSED/);
		});
	}

	test('takes silence for consent where nothing is expected, and for silence where something is', async (t) => {
		const { endpoint } = await serve(t, () => undefined);
		assert.equal(await ask(endpoint, {}, 60), 'accepted: nobody said within 60 ms that it is closed');
		assert.equal(await ask(endpoint, { expect: 'pong' }, 60), 'unanswered: no answer within 60 ms');
	});

	test('asks twice before silence is its answer, with an empty datagram where there is no request', async (t) => {
		const { endpoint, heard } = await serve(t, () => undefined);
		await ask(endpoint, {}, 60);
		assert.deepEqual(heard, ['', '']);
	});

	test('an empty answer is one, where nothing is expected', async (t) => {
		const { endpoint } = await serve(t, () => '');
		assert.equal(await ask(endpoint, { request: 'ping' }), 'accepted');
	});

	test('hears nobody but whom it asked', async (t) => {
		const stranger = createSocket('udp4');
		t.after(() => stranger.close());
		const asked = createSocket('udp4');
		asked.on('message', (_, from) => stranger.send('pong', from.port, from.address));
		asked.bind(0, '127.0.0.1');
		await once(asked, 'listening');
		t.after(() => asked.close());
		const endpoint: Endpoint = { protocol: 'udp', family: 'inet', address: '127.0.0.1', port: asked.address().port };
		assert.match(await ask(endpoint, { request: 'ping', expect: 'pong' }, 60), /^unanswered/);
	});

	test('goes from the address that it is told, and is an error of ours from one that we have not', async (t) => {
		const { endpoint, clients } = await serve(t, () => 'pong');
		assert.equal(await ask(endpoint, { sourceAddress: '127.0.0.9' }), 'accepted');
		assert.deepEqual(clients, ['127.0.0.9']);
		assert.match(await ask(endpoint, { sourceAddress: '192.0.2.1' }), /^error: .*EADDRNOTAVAIL/);
	});

	test('is an error of ours where the port is not known, or the datagram too long', async (t) => {
		const { endpoint } = await serve(t, () => 'pong');
		assert.match(await ask({ ...endpoint, port: 0 }, {}), /^error: the port is not known/);
		assert.match(await ask(endpoint, { request: 'x'.repeat(70_000) }), /^error: .*EMSGSIZE/);
	});

	test('the same question is shared, and all are answered when it is closed, and no socket is left', async (t) => {
		const { endpoint, heard } = await serve(t, () => undefined);
		const prober = new UdpProber();
		const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'UDPWrap').length;
		// Those of the tests before are closing.
		await new Promise((resolve) => setTimeout(resolve, 10));
		const before = sockets();
		const requests = ['one', 'one', 'two'];
		const open = requests.map((request) => prober.probe(endpoint, { method: 'udp', request }, 60_000));
		await new Promise((resolve) => setTimeout(resolve, 30));
		assert.deepEqual(heard.sort(), ['one', 'two']);
		assert.equal(sockets(), before + 2);
		prober.close();
		for (const { outcome, detail } of await Promise.all(open)) assert.match(`${outcome} ${detail}`, /^error .*closed/);
		assert.equal((await prober.probe(endpoint, { method: 'udp' }, 100)).outcome, 'error');
		await new Promise((resolve) => setTimeout(resolve, 10));
		assert.equal(sockets(), before);
	});
});
