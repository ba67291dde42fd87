/**
 * Marked sockets on the loopback interface. That the mark is on the packets, a routing rule shows: it sends what is
 * marked nowhere. Needs root, iproute2 and util-linux; marked-socket-child.ts does that in a namespace of its own.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { MarkedConnection, openMarkedDatagramSocket } from '../../src/addon/index.js';
import { refusalOf } from './fixture.js';

const loopback = Uint8Array.of(127, 0, 0, 1);
const loopback6 = Uint8Array.of(...new Array(15).fill(0), 1);
const nobodys = Uint8Array.of(192, 0, 2, 1);
const mark = 0x1_0001;

function openSockets(): number {
	return readdirSync('/proc/self/fd').filter((fd) => {
		try {
			return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket');
		} catch {
			return false; // The descriptor of this very directory is closed by now.
		}
	}).length;
}

/** A server that says where its client comes from. */
async function listen(t: TestContext, host: string): Promise<number> {
	const server = createServer((socket) => socket.end(socket.remoteAddress ?? '')).listen(0, host);
	await once(server, 'listening');
	t.after(() => server.close());
	return (server.address() as AddressInfo).port;
}

interface Place {
	address: Uint8Array;
	port: number;
	source?: Uint8Array;
}

function connectMarked(place: Place): Promise<number> {
	return new Promise((resolve, reject) => {
		new MarkedConnection({ mark, ...place, onConnect: resolve, onError: reject });
	});
}

async function said(fd: number): Promise<string> {
	const socket = new Socket({ fd, readable: true, writable: true }).setEncoding('latin1');
	const [text] = await once(socket, 'data');
	socket.destroy();
	return text;
}

for (const [host, address, source] of [
	['127.0.0.1', loopback, Uint8Array.of(127, 0, 0, 9)],
	['::1', loopback6, loopback6],
] as const)
	test(`a connection to ${host} goes to Node once it stands, from the address that was asked for`, async (t) => {
		const port = await listen(t, host);
		assert.equal(await said(await connectMarked({ address, port })), host);
		assert.equal(await said(await connectMarked({ address, port, source })), host === '::1' ? '::1' : '127.0.0.9');
	});

test('a refusal is told once, as the kernel’s own error', async (t) => {
	const port = await listen(t, '127.0.0.1');
	const refused = connectMarked({ address: Uint8Array.of(127, 0, 0, 2), port });
	await assert.rejects(refused, { code: 'ECONNREFUSED', syscall: 'connect', errno: -111 });
});

test('an address that is not ours is refused at once', () => {
	assert.equal(
		refusalOf(() => openMarkedDatagramSocket({ mark, source: nobodys })),
		'EADDRNOTAVAIL bind',
	);
	const never = { onConnect: () => assert.fail(), onError: () => assert.fail() };
	const place = { mark, address: loopback, port: 9, source: nobodys };
	assert.equal(
		refusalOf(() => new MarkedConnection({ ...place, ...never })),
		'EADDRNOTAVAIL bind',
	);
});

for (const [type, source] of [
	['udp4', loopback],
	['udp6', loopback6],
] as const)
	test(`a datagram socket is Node’s, and bound, ${type}`, async () => {
		const address = type === 'udp4' ? '127.0.0.1' : '::1';
		const [server, client] = [createSocket(type), createSocket(type)];
		server.bind(0, address);
		await once(server, 'listening');
		client.bind({ fd: openMarkedDatagramSocket({ mark, source }) });
		client.connect(server.address().port, address);
		await once(client, 'connect');
		client.send('question');
		const [question, { address: from }] = await once(server, 'message');
		assert.deepEqual([String(question), from], ['question', address]);
		client.close();
		server.close();
	});

test('nothing stays open: of one that stood, one that failed, one that was refused and one that was given up', async (t) => {
	const port = await listen(t, '127.0.0.1');
	const before = openSockets();
	for (let round = 0; round < 20; round++) {
		await said(await connectMarked({ address: loopback, port }));
		await connectMarked({ address: Uint8Array.of(127, 0, 0, 2), port }).catch(() => undefined);
		refusalOf(() => openMarkedDatagramSocket({ mark, source: nobodys }));
		const connection = new MarkedConnection({
			...{ mark, address: loopback, port },
			onConnect: () => assert.fail('given up'),
			onError: () => assert.fail('given up'),
		});
		connection.close();
		connection.close();
	}
	// What the server still has of its ends goes with the next turns of the loop.
	for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
	assert.equal(openSockets(), before);
});

test('the mark is on the packets, and takes a right of its own', () => {
	const child = fileURLToPath(new URL('./marked-socket-child.js', import.meta.url));
	const result = spawnSync('unshare', ['--net', process.execPath, child], { encoding: 'utf8', timeout: 30_000 });
	assert.deepEqual(
		[result.stdout.trim().split('\n'), result.stderr],
		[
			['tcp 6: ENETUNREACH', 'tcp 7: ECONNREFUSED', 'udp 6: ENETUNREACH', 'udp 7: sent', 'without the right: EPERM'],
			'',
		],
	);
});
