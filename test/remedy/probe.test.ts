import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer, type Server, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { defaultAsking } from '../../src/judge/asking.js';
import { outcomeOf, Prober } from '../../src/remedy/probe.js';
import type { Endpoint } from '../../src/table/model.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const endpoint = (port: number, address = '127.0.0.1'): Endpoint => ({
	protocol: 'tcp',
	family: address.includes(':') ? 'inet6' : 'inet',
	address,
	port,
});

async function listen(t: TestContext, host = '127.0.0.1'): Promise<{ server: Server; port: number }> {
	const server = createServer();
	// The probe's reset is an error of the accepted socket.
	server.on('connection', (socket) => socket.on('error', () => {}));
	server.listen(0, host);
	await once(server, 'listening');
	t.after(() => server.close());
	return { server, port: (server.address() as AddressInfo).port };
}

/** A port that nobody listens on: taken and let go. */
async function closedPort(): Promise<number> {
	const server = createServer().listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, 'close');
	return port;
}

/** A listener whose queue is full: listen(2) drops further SYNs then, and who probes it hears nothing. */
async function fullListener(t: TestContext): Promise<number> {
	const port = await stoppedListener(t);
	for (let i = 0; i < 4; i += 1) {
		const socket = createConnection(port, '127.0.0.1').on('error', () => {});
		t.after(() => socket.destroy());
	}
	await pause(50);
	return port;
}

/** A process of its own with room for one connection, stopped, so that nothing accepts. */
async function stoppedListener(t: TestContext): Promise<number> {
	const program = `const server = require('node:net').createServer();
		server.listen({ host: '0.0.0.0', port: 0, backlog: 1 }, () => console.log(server.address().port));`;
	const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
	t.after(() => child.kill('SIGKILL'));
	const [text] = await once(child.stdout, 'data');
	child.kill('SIGSTOP');
	return Number(String(text));
}

/** The system's own list: local port, state; 06 is TIME_WAIT (include/net/tcp_states.h). */
function timeWaitsOn(port: number): number {
	const hex = port.toString(16).toUpperCase().padStart(4, '0');
	return readFileSync('/proc/net/tcp', 'utf8')
		.split('\n')
		.filter((line) => line.includes(`:${hex} 06 `)).length;
}

describe('the probe', () => {
	test('is accepted where something listens, and says how long that took', async (t) => {
		const { port } = await listen(t);
		const { outcome, latencyMs } = await new Prober().probe(endpoint(port), defaultAsking, 1_000);
		assert.equal(outcome, 'accepted');
		assert.ok(latencyMs > 0 && latencyMs < 1_000);
	});

	test('speaks IPv6', async (t) => {
		const { port } = await listen(t, '::1');
		assert.equal((await new Prober().probe(endpoint(port, '::1'), defaultAsking, 1_000)).outcome, 'accepted');
	});

	test('is refused where nothing listens', async () => {
		assert.equal((await new Prober().probe(endpoint(await closedPort()), defaultAsking, 1_000)).outcome, 'refused');
	});

	test('is unanswered when its time is over, and lets go of its socket then', async (t) => {
		const port = await fullListener(t);
		const open = process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length;
		const { outcome, latencyMs } = await new Prober().probe(endpoint(port), defaultAsking, 100);
		assert.equal(outcome, 'unanswered');
		assert.ok(latencyMs >= 95 && latencyMs < 900, `${latencyMs} ms`);
		await pause(10);
		assert.equal(process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length, open);
	});

	test('tells silence, refusal, no way there and our own failures apart', () => {
		const codes = [
			'ECONNREFUSED',
			'ETIMEDOUT',
			'EHOSTUNREACH',
			'ENETUNREACH',
			'EMFILE',
			'EACCES',
			'ECONNRESET',
			undefined,
		];
		assert.deepEqual(codes.map(outcomeOf), [
			'refused',
			'unanswered',
			'unreachable',
			'unreachable',
			'error',
			'error',
			'error',
			'error',
		]);
	});

	test('does not pretend to probe what it cannot', async () => {
		const prober = new Prober();
		assert.equal((await prober.probe({ ...endpoint(53), protocol: 'udp' }, defaultAsking, 100)).outcome, 'error');
		assert.equal((await prober.probe(endpoint(0), defaultAsking, 100)).outcome, 'error');
	});

	test('closes by a reset: no TIME_WAIT is left on either side', async (t) => {
		const { server, port } = await listen(t);
		const accepted = once(server, 'connection') as Promise<[Socket]>;
		await new Prober().probe(endpoint(port), defaultAsking, 1_000);
		const [socket] = await accepted;
		const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
		assert.equal(error.code, 'ECONNRESET');
		assert.equal(timeWaitsOn(port), 0);
	});

	test('goes to one endpoint once at a time; who asks meanwhile shares the answer', async (t) => {
		const { server, port } = await listen(t);
		let connections = 0;
		server.on('connection', () => {
			connections += 1;
		});
		const prober = new Prober();
		const answers = await Promise.all([1, 2, 3].map(() => prober.probe(endpoint(port), defaultAsking, 1_000)));
		assert.deepEqual(
			answers.map(({ outcome }) => outcome),
			['accepted', 'accepted', 'accepted'],
		);
		await pause(20);
		assert.equal(connections, 1);
		await prober.probe(endpoint(port), defaultAsking, 1_000);
		await pause(20);
		assert.equal(connections, 2);
	});

	test('waits its turn, and is turned away where too many wait', async (t) => {
		const silent = await fullListener(t);
		const { port } = await listen(t);
		const prober = new Prober({ underWayMax: 1, waitingMax: 1 });
		const first = prober.probe(endpoint(silent), defaultAsking, 150);
		const second = prober.probe(endpoint(port), defaultAsking, 1_000);
		const third = await prober.probe(endpoint(port, '127.0.0.2'), defaultAsking, 1_000);
		assert.equal(third.outcome, 'error');
		assert.match(third.detail, /waiting already/);
		assert.equal((await first).outcome, 'unanswered');
		assert.equal((await second).outcome, 'accepted');
	});

	test('answers everybody when it is closed', async (t) => {
		const silent = await fullListener(t);
		const prober = new Prober({ underWayMax: 1 });
		const open = [
			prober.probe(endpoint(silent), defaultAsking, 60_000),
			prober.probe(endpoint(silent, '127.0.0.2'), defaultAsking, 60_000),
		];
		prober.close();
		for (const { outcome } of await Promise.all(open)) assert.equal(outcome, 'error');
		assert.equal((await prober.probe(endpoint(silent), defaultAsking, 100)).outcome, 'error');
	});
});
