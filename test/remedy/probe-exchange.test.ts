/** The connect probe with a request, an expectation, and an address of its own, on the loopback interface. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type { Asking } from '../../src/judge/asking.js';
import { Prober } from '../../src/remedy/probe.js';
import type { Endpoint } from '../../src/table/model.js';

interface Server {
	endpoint: Endpoint;
	/** Where its clients came from. */
	clients: (string | undefined)[];
	/** What they said. */
	heard: string[];
}

async function serve(t: TestContext, answer: (socket: Socket, request: string) => void): Promise<Server> {
	const clients: Server['clients'] = [];
	const heard: string[] = [];
	const server = createServer((socket) => {
		clients.push(socket.remoteAddress);
		// The probe's reset is an error of the accepted socket.
		socket.on('error', () => {});
		socket.on('data', (data) => {
			heard.push(data.toString('latin1'));
			answer(socket, data.toString('latin1'));
		});
	}).listen(0, '127.0.0.1');
	await once(server, 'listening');
	t.after(() => server.close());
	const { port } = server.address() as AddressInfo;
	return { endpoint: { protocol: 'tcp', family: 'inet', address: '127.0.0.1', port }, clients, heard };
}

const asking = (over: Partial<Asking>): Asking => ({ method: 'connect', ...over });

/** The outcome and its detail of one probe. */
async function ask(endpoint: Endpoint, over: Partial<Asking>, timeoutMs = 5_000): Promise<string> {
	const { outcome, detail } = await new Prober().probe(endpoint, asking(over), timeoutMs);
	return detail === '' ? outcome : `${outcome}: ${detail}`;
}

describe('the connect probe with a request', () => {
	test('is accepted by an answer that begins as expected, or by any where nothing is expected', async (t) => {
		const { endpoint, heard } = await serve(t, (socket) => socket.write('HTTP/1.1 200 OK\r\n'));
		const request = 'HEAD / HTTP/1.0\r\n\r\n';
		assert.equal(await ask(endpoint, { request, expect: 'HTTP/1.1 200' }), 'accepted');
		assert.equal(await ask(endpoint, { request }), 'accepted');
		assert.deepEqual(heard, [request, request]);
	});

	test('puts an answer together that comes in pieces', async (t) => {
		const { endpoint } = await serve(t, (socket) => {
			socket.setNoDelay().write('po');
			setTimeout(() => socket.write('ng'), 30);
		});
		assert.equal(await ask(endpoint, { request: 'ping', expect: 'pong' }), 'accepted');
	});

	test('is refused by another answer, and by a good-bye without one', async (t) => {
		const other = await serve(t, (socket) => socket.write('503 no\n'));
		assert.equal(await ask(other.endpoint, { request: 'ping', expect: '200' }), 'refused: it answered "503 no\\n"');
		const none = await serve(t, (socket) => socket.end());
		assert.equal(await ask(none.endpoint, { request: 'ping' }), 'refused: it closed without an answer');
		const half = await serve(t, (socket) => socket.end('po'));
		assert.equal(await ask(half.endpoint, { request: '?', expect: 'pong' }), 'refused: it answered "po" and closed');
	});

	test('is hung where nothing comes, or not enough, within its time', async (t) => {
		const { endpoint } = await serve(t, (socket, request) => socket.write(request === 'half' ? 'po' : ''));
		const begin = 'hung: it accepted, and answered';
		assert.equal(await ask(endpoint, { request: 'ping' }, 60), `${begin} nothing within 60 ms`);
		const half = await ask(endpoint, { request: 'half', expect: 'pong' }, 60);
		assert.equal(half, `${begin} no more than "po" within 60 ms`);
	});

	test('is reset where the connection is cut off', async (t) => {
		const { endpoint } = await serve(t, (socket) => socket.resetAndDestroy());
		assert.match(await ask(endpoint, { request: 'ping' }), /^reset: .*ECONNRESET/);
	});

	test('carries octets as they are, in both directions', async (t) => {
		const { endpoint, heard } = await serve(t, (socket) => socket.write(Uint8Array.of(0, 0xff, 0x80)));
		assert.equal(await ask(endpoint, { request: '\x00\xff\n', expect: '\x00\xff' }), 'accepted');
		assert.deepEqual(heard, ['\x00\xff\n']);
	});

	test('shows no control character of the answer as it is', async (t) => {
		const { endpoint } = await serve(t, (socket) => socket.write('\x1b[2J\x7f\x9b2J\xa0\xe9', 'latin1'));
		const shown = '"\\u001b[2J\\u007f\\u009b2J\xa0\xe9"';
		assert.equal(await ask(endpoint, { request: 'ping', expect: 'pong' }), `refused: it answered ${shown}`);
	});

	test('goes from the address that it is told, and is an error of ours from one that we have not', async (t) => {
		const { endpoint, clients } = await serve(t, () => {});
		assert.equal(await ask(endpoint, { sourceAddress: '127.0.0.9' }), 'accepted');
		assert.deepEqual(clients, ['127.0.0.9']);
		assert.match(await ask(endpoint, { sourceAddress: '192.0.2.1' }), /^error: .*EADDRNOTAVAIL/);
		assert.match(await ask(endpoint, { sourceAddress: '::1' }), /^error: /);
		assert.equal(clients.length, 1);
	});

	test('another question is another probe, and the same one is shared', async (t) => {
		const { endpoint, heard } = await serve(t, (socket, request) => socket.write(request));
		const prober = new Prober();
		const requests = ['one', 'one', 'two'];
		const answers = await Promise.all(requests.map((request) => prober.probe(endpoint, asking({ request }), 5_000)));
		assert.deepEqual(new Set(answers.map(({ outcome }) => outcome)), new Set(['accepted']));
		assert.deepEqual(heard.sort(), ['one', 'two']);
	});

	test('leaves no connection: the server sees a reset', async (t) => {
		const resets: unknown[] = [];
		const { endpoint } = await serve(t, (socket) => {
			socket.once('error', (error: NodeJS.ErrnoException) => resets.push(error.code));
			socket.write('pong');
		});
		assert.equal(await ask(endpoint, { request: 'ping' }), 'accepted');
		await new Promise((resolve) => setTimeout(resolve, 20));
		assert.deepEqual(resets, ['ECONNRESET']);
	});
});
