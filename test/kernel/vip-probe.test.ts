/**
 * The VIP probe against the TCP of this kernel: a director and a real server in network namespaces, the VIP on both, as in
 * DR. The prober has CAP_NET_RAW and no other capability. This kernel need not have tunnels: in TUN the server is a program
 * (vip-tunnel-child.ts), and what a kernel without tunnels says to a packet in one. Needs root, iproute2 and util-linux.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { noTunnel, type Tunnel } from '../../src/table/model.js';
import { Bench, Child, families, own, port, script, target, vips } from './vip-bench.js';

const timeout = 60_000;

describe('the VIP probe, on the wire', { timeout }, () => {
	let bench: Bench;
	before(() => {
		bench = new Bench();
	});
	after(() => bench.remove());

	for (const family of families) {
		it(`${family}: is accepted where a process listens on the VIP, and refused when it is killed`, async (t) => {
			const server = await bench.listen(t);
			assert.equal(await bench.outcome(target(family)), 'accepted');
			assert.equal(await bench.outcome(target(family, { port: port + 1 })), 'refused');
			await server.kill();
			assert.equal(await bench.outcome(target(family)), 'refused');
		});

		it(`${family}: leaves nothing behind on the server after 200 probes, and no neighbour on the director`, async (t) => {
			const server = await bench.listen(t);
			bench.row.run('router', 'ip', 'neighbour', 'flush', 'all');
			const outcomes: string[] = [];
			for (let count = 0; count < 200; count++) outcomes.push(await bench.outcome(target(family)));
			assert.deepEqual([...new Set(outcomes)], ['accepted']);
			assert.equal(bench.row.run('server', 'ss', '-Htan', 'state', 'syn-recv'), '');
			assert.equal(bench.row.run('server', 'ss', '-Htan', 'state', 'connected'), '');
			assert.equal(bench.row.run('router', 'ip', 'neighbour', 'show', 'to', own[family]), '');
			await server.kill();
			assert.equal(await server.line(), 'the end', 'nothing was accepted by the process');
		});

		it(`${family}: is unanswered where the server has no such VIP`, async (t) => {
			await bench.listen(t);
			bench.row.run('server', 'ip', 'address', 'flush', 'dev', 'lo', 'to', vips[family]);
			assert.equal(await bench.outcome(target(family), 200), 'unanswered');
			bench.row.run('server', 'ip', 'address', 'flush', 'dev', 'lo', 'scope', 'global');
			bench.addVips('server');
			assert.equal(await bench.outcome(target(family)), 'accepted');
		});

		it(`${family}: is unanswered where nobody has the server's address`, async () => {
			const host = family === 'inet' ? '10.9.1.99' : 'fd00:9:1::99';
			const { outcome, detail } = await bench.probe(target(family, { host }), 200);
			assert.equal(`${outcome}, ${detail}`, `unanswered, nobody says to have ${host} within 200 ms`);
		});
	}

	it('is accepted for a process that hangs: its kernel accepts, and the probe asks for no more', async (t) => {
		const server = await bench.listen(t);
		server.process.kill('SIGSTOP');
		assert.equal(await bench.outcome(target('inet')), 'accepted');
	});

	it('is unanswered while the server’s cable is out, and accepted when it is back', async (t) => {
		await bench.listen(t);
		assert.equal(await bench.outcome(target('inet')), 'accepted');
		bench.row.run('server', 'ip', 'link', 'set', 'eth0', 'down');
		assert.equal(await bench.outcome(target('inet'), 200), 'unanswered');
		bench.row.run('server', 'ip', 'link', 'set', 'eth0', 'up');
		bench.row.run('server', 'ip', 'route', 'replace', 'default', 'via', '10.9.1.1');
		assert.equal(await bench.outcome(target('inet')), 'accepted');
	});

	it('is an error of ours while the director’s own interface is down', async () => {
		bench.row.run('router', 'ip', 'link', 'set', 'eth-server', 'down');
		const { outcome, detail } = await bench.probe(target('inet'), 200);
		bench.row.run('router', 'ip', 'link', 'set', 'eth-server', 'up');
		assert.match(`${outcome} ${detail}`, /^error (ENETDOWN|there is no route)/);
	});

	it('is not answered by another machine’s link address', async (t) => {
		await bench.listen(t);
		const { row } = bench;
		row.run('router', 'ip', 'link', 'add', 'switch', 'type', 'bridge');
		for (const [inside, outside] of [['port1', 'eth1'] as const, ['port2', 'eth2'] as const]) {
			const peer = ['peer', 'name', outside, 'netns', row.namespace('server')];
			row.run('router', 'ip', 'link', 'add', inside, 'master', 'switch', 'type', 'veth', ...peer);
			row.run('router', 'ip', 'link', 'set', inside, 'up');
			row.run('server', 'ip', 'link', 'set', outside, 'up');
		}
		row.run('router', 'ip', 'address', 'add', '10.9.3.1/24', 'dev', 'switch');
		row.run('router', 'ip', 'link', 'set', 'switch', 'up');
		row.run('server', 'ip', 'address', 'add', '10.9.3.11/24', 'dev', 'eth1');
		// The server asks for the director from this address there; without one it would ask from the VIP.
		row.run('server', 'ip', 'address', 'add', '10.9.4.11/24', 'dev', 'eth2');
		row.run('server', 'ip', 'route', 'add', '10.9.3.1', 'dev', 'eth2');
		assert.equal(await bench.outcome(target('inet', { host: '10.9.3.11' }), 500), 'unanswered');
		row.run('server', 'ip', 'route', 'delete', '10.9.3.1', 'dev', 'eth2');
		assert.equal(await bench.outcome(target('inet', { host: '10.9.3.11' })), 'accepted');
	});

	it('is unreachable in TUN where the server has no tunnel, by the server’s own word', async () => {
		for (const family of families) {
			const { outcome, detail } = await bench.probe(target(family, { forwarding: 'tunnel' }), 1_000);
			assert.match(`${outcome}, ${detail}`, new RegExp(`^unreachable, ${own[family]} says: `));
		}
	});

	const tunnels: [Tunnel, number][] = [
		[noTunnel, 4],
		[{ type: 'gre', port: 0, flags: 1 }, 47],
		[{ type: 'gue', port: 6080, flags: 1 }, 17],
	];
	for (const [tunnel, protocol] of tunnels)
		it(`goes to the server inside its tunnel, ${tunnel.type}, and the RST too`, async (t) => {
			const host = '10.9.1.77';
			const server = new Child(bench.row, 'server', process.execPath, script('vip-tunnel-child'), host);
			t.after(() => server.kill());
			assert.equal(await server.line(), 'ready');
			assert.equal(await bench.outcome(target('inet', { host, forwarding: 'tunnel', tunnel })), 'accepted');
			const begin = `${protocol} 10.9.1.1 10.9.1.1 ${vips.inet}`;
			assert.deepEqual([await server.line(), await server.line()], [`${begin} 2`, `${begin} 4`]);
		});
});
