import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { defaultAsking } from '../../src/judge/asking.js';
import type { Route } from '../../src/netlink/route-lookup.js';
import { Probes } from '../../src/remedy/probes.js';
import { noTunnel } from '../../src/table/model.js';

/** A listener in DR whose server is this machine, and routes that say of what kind the way there is. */
async function setUp(t: TestContext, kind: Route['kind']) {
	// The probe resets what was accepted.
	const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
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
	return { probes, endpoint, vip };
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
