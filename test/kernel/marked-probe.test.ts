/**
 * Probes with a firewall mark, on the loopback interface: asked as any other, and an error of ours without the right to set
 * one. That the mark is on the packets, test/addon/marked-socket.test.ts shows. Needs root and util-linux.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Prober } from '../../src/remedy/probe.js';
import { UdpProber } from '../../src/remedy/udp-probe.js';
import type { Endpoint } from '../../src/table/model.js';

/** A server by TCP and one by UDP, which answer with the address that they were asked from. */
async function serve(t: TestContext, address: string): Promise<Record<'tcp' | 'udp', Endpoint>> {
	const family = address.includes(':') ? 'inet6' : 'inet';
	const server = createServer((socket) => {
		socket.on('error', () => {});
		socket.on('data', () => socket.write(socket.remoteAddress ?? ''));
	}).listen(0, address);
	await once(server, 'listening');
	const datagrams = createSocket(family === 'inet6' ? 'udp6' : 'udp4').bind(0, address);
	await once(datagrams, 'listening');
	datagrams.on('message', (_, from) => datagrams.send(from.address, from.port, from.address));
	t.after(() => {
		server.close();
		datagrams.close();
	});
	const at = { family, address } as const;
	return {
		tcp: { protocol: 'tcp', ...at, port: (server.address() as AddressInfo).port },
		udp: { protocol: 'udp', ...at, port: datagrams.address().port },
	};
}

describe('a probe with a mark', () => {
	const places = [
		['127.0.0.1', undefined, '127.0.0.1'],
		['127.0.0.1', '127.0.0.9', '127.0.0.9'],
		['::1', undefined, '::1'],
		['::1', '::1', '::1'],
	] as const;
	for (const [address, sourceAddress, expect] of places)
		it(`asks ${address} from ${sourceAddress ?? 'the address that the kernel chooses'}`, async (t) => {
			const { tcp, udp } = await serve(t, address);
			const asking = { mark: 7, sourceAddress, request: 'who', expect };
			const connected = await new Prober().probe(tcp, { method: 'connect', ...asking }, 5_000);
			assert.deepEqual([connected.outcome, connected.detail], ['accepted', '']);
			const answered = await new UdpProber().probe(udp, { method: 'udp', ...asking }, 5_000);
			assert.deepEqual([answered.outcome, answered.detail], ['accepted', '']);
		});

	it('is refused, hung, out of time and closed as one without', async (t) => {
		const { tcp } = await serve(t, '127.0.0.1');
		const prober = new Prober();
		const ask = (endpoint: Endpoint, request: string | undefined) =>
			prober.probe(endpoint, { method: 'connect', mark: 7, request }, 60);
		assert.equal((await ask({ ...tcp, address: '127.0.0.2' }, undefined)).outcome, 'refused');
		assert.equal((await ask(tcp, undefined)).outcome, 'accepted');
		assert.equal((await ask(tcp, '')).outcome, 'hung');
		const open = prober.probe(tcp, { method: 'connect', mark: 7, request: '' }, 60_000);
		prober.close();
		assert.equal((await open).outcome, 'error');
	});

	it('is an error of ours from an address that we have not', async (t) => {
		const { tcp, udp } = await serve(t, '127.0.0.1');
		for (const sourceAddress of ['192.0.2.1', '::1']) {
			const asking = { method: 'connect', mark: 7, sourceAddress } as const;
			assert.equal((await new Prober().probe(tcp, asking, 1_000)).outcome, 'error');
			assert.equal((await new UdpProber().probe(udp, asking, 1_000)).outcome, 'error');
		}
	});

	it('is an error of ours without the right to set one, and says which right that is', () => {
		const child = fileURLToPath(new URL('./marked-probe-child.js', import.meta.url));
		const noRights = ['--bounding-set', '-all', '--inh-caps', '-all', process.execPath, child];
		const { stdout, stderr } = spawnSync('setpriv', noRights, { encoding: 'utf8', timeout: 30_000 });
		const sentence = 'error: a mark takes CAP_NET_ADMIN: EPERM: Operation not permitted, setsockopt SO_MARK';
		assert.deepEqual([stdout, stderr], [`${sentence}\n${sentence}\n`, '']);
	});
});
