/** Which way of asking is taken; what each of them finds is tested where it is. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type Asking, defaultAsking } from '../../src/judge/asking.js';
import type { Route } from '../../src/netlink/route-lookup.js';
import { Probes } from '../../src/remedy/probes.js';
import { noTunnel } from '../../src/table/model.js';

/** A listener in DR whose server is this machine, and routes that say of what kind the way there is. */
async function setUp(t: TestContext, kind: Route['kind']) {
	// The probe resets what was accepted.
	const server = createServer((socket) => socket.on('error', () => {}).end('ready')).listen(0, '127.0.0.1');
	await once(server, 'listening');
	const { port } = server.address() as AddressInfo;
	const route: Route = { kind, interfaceIndex: 1, source: '127.0.0.1', gateway: undefined };
	const probes = new Probes({ routeTo: async () => route, link: async () => undefined });
	const endpoint = { protocol: 'tcp', family: 'inet', address: '127.0.0.1', port } as const;
	const vip = { address: '10.0.0.100', port: 80, forwarding: 'droute', tunnel: noTunnel } as const;
	t.after(() => {
		probes.close();
		server.close();
	});
	return { probes, endpoint, vip, port };
}

test('a director that is the server too is asked by connecting', async (t) => {
	const { probes, endpoint, vip } = await setUp(t, 'local');
	assert.equal((await probes.probe({ endpoint, vip }, defaultAsking, 1_000)).outcome, 'accepted');
});

test('any other server in DR is asked on the VIP, which its own address does not answer for', async (t) => {
	const { probes, endpoint, vip } = await setUp(t, 'unicast');
	const { outcome, detail } = await probes.probe({ endpoint, vip }, defaultAsking, 1_000);
	assert.deepEqual([outcome, detail], ['error', 'interface 1 has no Ethernet address']);
	assert.equal((await probes.probe({ endpoint, vip: undefined }, defaultAsking, 1_000)).outcome, 'accepted');
});

test('in DR too it connects where that is asked, or where a frame cannot ask what is asked', async (t) => {
	const { probes, endpoint, vip, port } = await setUp(t, 'unicast');
	const askings: Asking[] = [
		{ method: 'connect' },
		{ method: 'connect', expect: 'ready' },
		{ method: 'auto', port },
		{ method: 'auto', address: '127.0.0.1' },
		{ method: 'auto', sourceAddress: '127.0.0.2' },
	];
	for (const asking of askings)
		assert.equal((await probes.probe({ endpoint, vip }, asking, 1_000)).outcome, 'accepted', JSON.stringify(asking));
});

test('a stand-in is asked in the server’s place', async (t) => {
	const { probes, endpoint, port } = await setUp(t, 'unicast');
	const elsewhere = { ...endpoint, address: '127.0.0.3', port: 9 };
	const ask = async (asking: Asking, of: typeof endpoint | { protocol: 'udp' } = endpoint) => {
		const listener = { endpoint: { ...elsewhere, ...('address' in of ? {} : of) }, vip: undefined };
		return (await probes.probe(listener, asking, 1_000)).outcome;
	};
	assert.equal(await ask({ method: 'connect' }), 'refused');
	assert.equal(await ask({ method: 'connect', port }), 'refused', 'it listens on another address');
	assert.equal(await ask({ method: 'connect', port, address: '127.0.0.1' }), 'accepted');
	// An agent by TCP beside a server by UDP.
	assert.equal(await ask({ method: 'connect', port, address: '127.0.0.1' }, { protocol: 'udp' }), 'accepted');
	assert.equal(await ask({ method: 'auto', port, address: '127.0.0.1' }, { protocol: 'udp' }), 'error');
});

test('a datagram and a program ask as they are told to', async (t) => {
	const { probes, endpoint, vip } = await setUp(t, 'unicast');
	const closed = await probes.probe({ endpoint, vip }, { method: 'udp' }, 1_000);
	assert.deepEqual([closed.outcome, closed.detail.includes('ECONNREFUSED')], ['refused', true]);
	const command = ['/bin/sh', '-c', `test "$IPVIGIL_PORT $IPVIGIL_VIP" = "${endpoint.port} ${vip.address}"`];
	assert.equal((await probes.probe({ endpoint, vip }, { method: 'command', command }, 5_000)).outcome, 'accepted');
	assert.equal((await probes.probe({ endpoint, vip }, { method: 'command' }, 1_000)).outcome, 'error');
});

test('one address and port is asked so many times at once, in whichever ways', async (t) => {
	const { probes, endpoint } = await setUp(t, 'unicast');
	const of = { endpoint, vip: undefined };
	const ask = (asking: Asking) => probes.probe(of, asking, 60_000);
	const open = ['1', '2', '3', '4'].map((word) => ask({ method: 'command', command: ['/bin/sleep', '60', word] }));
	let answered = false;
	const connected = ask({ method: 'connect' }).finally(() => {
		answered = true;
	});
	const elsewhere = { endpoint: { ...endpoint, address: '127.0.0.3' }, vip: undefined };
	assert.equal((await probes.probe(elsewhere, { method: 'connect' }, 5_000)).outcome, 'refused');
	assert.equal(answered, false);
	probes.close();
	for (const { outcome } of await Promise.all([...open, connected])) assert.equal(outcome, 'error');
});

test('what is open is answered when they are closed, of every kind', async (t) => {
	const { probes, endpoint, vip } = await setUp(t, 'unicast');
	const askings: Asking[] = [
		{ method: 'connect', expect: 'ready, and never more' },
		{ method: 'command', command: ['/bin/sleep', '60'] },
	];
	probes.close();
	for (const asking of [...askings, { method: 'udp' } as const, defaultAsking])
		assert.equal((await probes.probe({ endpoint, vip }, asking, 60_000)).outcome, 'error');
});
