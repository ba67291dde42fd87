import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { type HttpOptions, startHttp } from '../../src/report/http.js';

const metrics = { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: async () => 'ipvigil_leases 1\n' };

async function start(t: TestContext, options: Partial<HttpOptions> = {}) {
	const errors: Error[] = [];
	const server = await startHttp({
		listen: '127.0.0.1:0',
		metrics,
		health: () => ({ ok: true, detail: 'observing' }),
		onError: (error) => errors.push(error),
		...options,
	});
	t.after(() => server.close());
	return { server, errors, port: server.address.port };
}

async function ask(port: number, path: string, method = 'GET') {
	const sent = request({ host: '127.0.0.1', port, path, method, agent: false });
	sent.end();
	const [response] = await once(sent, 'response');
	let text = '';
	for await (const chunk of response) text += chunk;
	return { status: response.statusCode, headers: response.headers, text };
}

describe('the HTTP face', () => {
	test('gives the metrics', async (t) => {
		const { port } = await start(t);
		const { status, headers, text } = await ask(port, '/metrics?x=1');
		assert.deepEqual([status, headers['content-type'], text], [200, metrics.contentType, 'ipvigil_leases 1\n']);
	});

	test('says whether ipvigil is well', async (t) => {
		let ok = true;
		const { port } = await start(t, { health: () => ({ ok, detail: ok ? 'observing' : 'no IPVS' }) });
		assert.deepEqual([(await ask(port, '/healthz')).status, (await ask(port, '/healthz')).text], [200, 'observing\n']);
		ok = false;
		assert.deepEqual([(await ask(port, '/healthz')).status, (await ask(port, '/healthz')).text], [503, 'no IPVS\n']);
	});

	test('has nothing else, and nothing to write', async (t) => {
		const { port } = await start(t);
		for (const path of ['/', '/metrics/', '/healthz2', '/../metrics'])
			assert.equal((await ask(port, path)).status, 404);
		for (const method of ['POST', 'PUT', 'DELETE', 'HEAD']) {
			const { status, headers } = await ask(port, '/metrics', method);
			assert.deepEqual([status, headers.allow], [405, 'GET']);
		}
	});

	test('answers 500 to a scrape that fails, and tells the daemon why', async (t) => {
		const { port, errors } = await start(t, {
			metrics: { ...metrics, text: () => Promise.reject(new Error('secret')) },
		});
		const { status, text } = await ask(port, '/metrics');
		assert.equal(status, 500);
		assert.ok(!text.includes('secret'));
		assert.deepEqual(
			errors.map(({ message }) => message),
			['secret'],
		);
	});

	test('says what to do where its port is taken', async (t) => {
		const { port } = await start(t);
		await assert.rejects(start(t, { listen: `127.0.0.1:${port}` }), {
			name: 'ListenError',
			code: 'EADDRINUSE',
			message: /is taken.*set metrics\.listen/,
		});
	});

	test('refuses what is no address to listen on', async (t) => {
		for (const listen of ['9478', '127.0.0.1', '::1:9478', '127.0.0.1:65536', '[::1]']) {
			await assert.rejects(start(t, { listen }), { code: 'EINVAL' }, listen);
		}
		await assert.rejects(start(t, { listen: '192.0.2.1:0' }), { code: 'EADDRNOTAVAIL' });
	});

	test('listens on IPv6', async (t) => {
		const { server } = await start(t, { listen: '[::1]:0' });
		assert.equal(server.address.address, '::1');
	});

	test('ends idle and busy connections when it closes', async (t) => {
		const { server, port } = await start(t);
		const socket = connect(port, '127.0.0.1').on('error', () => {});
		await once(socket, 'connect');
		socket.write('GET /metrics HTTP/1.1\r\n');
		const closed = new Promise((resolve) => socket.once('close', resolve));
		await server.close();
		await closed;
	});
});
