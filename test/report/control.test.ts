import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, type TestContext, test } from 'node:test';
import { type ControlHandlers, controlSocket, Refusal, startControl } from '../../src/report/control.js';
import { temporaryDirectory } from '../remedy/example.js';

/** Handlers that answer with what they were asked. */
const echo: ControlHandlers = {
	destination: (name) => ({ name }),
	release: (asked) => ({ release: asked }),
	hold: (asked) => ({ hold: asked }),
	resume: (asked) => ({ resume: asked }),
};

async function start(t: TestContext, handlers: Partial<ControlHandlers> = {}) {
	const directory = temporaryDirectory(t);
	const errors: Error[] = [];
	const server = await startControl(directory, { ...echo, ...handlers }, (error) => errors.push(error));
	t.after(() => server.close());
	return { directory, server, errors };
}

async function ask(directory: string, method: string, path: string, body?: string) {
	const sent = request({ socketPath: controlSocket(directory), method, path, agent: false });
	sent.end(body);
	const [response] = await once(sent, 'response');
	return { status: response.statusCode, answer: JSON.parse(await text(response)) };
}

describe('the control API', () => {
	test('hands each request to its handler, read and checked', async (t) => {
		const { directory } = await start(t);
		const id = 'tcp [fd00::1]:80 > [fd00::11]:8080';
		assert.deepEqual(await ask(directory, 'GET', `/v1/destinations/${encodeURIComponent(id)}?x=1`), {
			status: 200,
			answer: { name: id },
		});
		const requests: [verb: string, body: object][] = [
			['release', { destination: 'all' }],
			['hold', { destination: id, forMs: 60_000, reason: 'a "new" disk' }],
			['hold', { destination: id }],
			['resume', { destination: id }],
		];
		for (const [verb, body] of requests)
			assert.deepEqual(await ask(directory, 'POST', `/v1/${verb}`, JSON.stringify(body)), {
				status: 200,
				answer: { [verb]: body },
			});
	});

	test('refuses what makes no sense, with what to do about it', async (t) => {
		const { directory, errors } = await start(t);
		const cases: [status: number, method: string, path: string, body: string | undefined, error: RegExp][] = [
			[404, 'GET', '/', undefined, /There is no \//],
			[404, 'GET', '/v1/destinations/a/b', undefined, /There is no/],
			[400, 'GET', '/v1/destinations/%zz', undefined, /not percent-encoded/],
			[405, 'POST', '/v1/destinations/x', '{}', /POST is not understood/],
			[405, 'GET', '/v1/release', undefined, /GET is not understood/],
			[400, 'POST', '/v1/release', '', /no JSON/],
			[400, 'POST', '/v1/release', '{}', /destination: /],
			[400, 'POST', '/v1/release', '{"destination":""}', /destination: /],
			[400, 'POST', '/v1/release', '{"destination":"all","forMs":1}', /forMs/],
			[400, 'POST', '/v1/hold', '{"destination":"all","forMs":0}', /forMs: /],
			[400, 'POST', '/v1/hold', '{"destination":"all","forMs":1e12}', /forMs: /],
			[400, 'POST', '/v1/hold', JSON.stringify({ destination: 'all', reason: 'x'.repeat(501) }), /reason: /],
			[400, 'POST', '/v1/hold', JSON.stringify({ destination: 'all', reason: 'a\nb' }), /reason: must be one line/],
			[413, 'POST', '/v1/hold', JSON.stringify({ destination: 'x'.repeat(100_000) }), /too long/],
		];
		for (const [status, method, path, body, error] of cases) {
			const refused = await ask(directory, method, path, body);
			assert.equal(refused.status, status, `${method} ${path}`);
			assert.match(refused.answer.error, error);
			assert.notEqual(refused.answer.next, '');
		}
		assert.deepEqual(errors, []);
	});

	test("gives a handler's refusal as it is, and of a mistake of ours only that there was one", async (t) => {
		const { directory, errors } = await start(t, {
			release: () => {
				throw new Refusal(409, 'It may mean two.', 'Name one.');
			},
			resume: () => {
				throw new Error('secret');
			},
		});
		const body = '{"destination":"all"}';
		assert.deepEqual(await ask(directory, 'POST', '/v1/release', body), {
			status: 409,
			answer: { error: 'It may mean two.', next: 'Name one.' },
		});
		const { status, answer } = await ask(directory, 'POST', '/v1/resume', body);
		assert.equal(status, 500);
		assert.ok(!JSON.stringify(answer).includes('secret'));
		assert.deepEqual(
			errors.map(({ message }) => message),
			['secret'],
		);
	});

	test('is for the owner alone, takes the place of a dead socket, and goes when it ends', async (t) => {
		const directory = temporaryDirectory(t);
		for (const name of ['control.sock', 'control.sock.new']) writeFileSync(join(directory, name), '');
		const server = await startControl(directory, echo, (error) => assert.fail(error));
		const status = statSync(controlSocket(directory));
		assert.deepEqual([status.isSocket(), status.mode & 0o777], [true, 0o600]);
		assert.deepEqual(readdirSync(directory), ['control.sock']);
		assert.equal((await ask(directory, 'GET', '/v1/destinations/x')).status, 200);
		await server.close();
		assert.equal(existsSync(controlSocket(directory)), false);
	});

	test('is for the owner alone from the moment it is made, whatever the mask', async (t) => {
		const directory = temporaryDirectory(t);
		const mask = process.umask(0);
		t.after(() => process.umask(mask));
		const starting = startControl(directory, echo, assert.fail);
		assert.equal(statSync(join(directory, 'control.sock.new')).mode & 0o777, 0o600);
		assert.equal(process.umask(), 0);
		await (await starting).close();
	});

	test('ends though a client holds its connection open and says nothing', async (t) => {
		const { directory, server } = await start(t);
		const silent = connect(controlSocket(directory));
		await once(silent, 'connect');
		const closed = once(silent, 'close');
		await server.close();
		await closed;
	});

	test('says which socket it is that cannot be offered', async (t) => {
		const nowhere = join(temporaryDirectory(t), 'nowhere');
		await assert.rejects(startControl(nowhere, echo, assert.fail), { name: 'ListenError', message: /nowhere/ });
	});
});
