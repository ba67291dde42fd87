import assert from 'node:assert/strict';
import { test } from 'node:test';
import { direct, nat, natFwmark, tunnel } from './topologies.js';
import { namespacesOf, render, type Topology } from './topology.js';

const scriptOf = (topology: Topology, namespace: string) =>
	render(topology).find((each) => each.namespace === namespace)?.script ?? '';

test('in DR a server hides the VIP, listens on both addresses and answers over a way of its own', () => {
	const topology = direct({ servers: 2 });
	const script = scriptOf(topology, 'r2');
	assert.match(script, /^echo '1' >\/proc\/sys\/net\/ipv4\/conf\/all\/arp_ignore$/m);
	assert.match(script, /^address add 10\.0\.0\.100\/32 dev lo$/m);
	assert.match(script, /^route add 10\.64\.0\.0\/16 via 10\.2\.0\.2$/m);
	assert.doesNotMatch(script, /via 10\.1\.0\.1/);
	assert.match(scriptOf(topology, 'di'), /^-a -t 10\.0\.0\.100:80 -r 10\.1\.0\.12:80 -g -w 100$/m);
	assert.deepEqual(topology.servers[1], {
		node: 'r2',
		address: '10.1.0.12',
		port: 80,
		listen: { address: '0.0.0.0', ports: [80] },
	});
});

test('with the director as gateway DR has no other way, and the director lets its own address come in', () => {
	const topology = direct({ gateway: true });
	assert.deepEqual(namespacesOf(topology), ['cl', 'di', 'r1', 'r2', 'r3', 'sw-front', 'sw-back']);
	assert.match(scriptOf(topology, 'r1'), /^route add default via 10\.1\.0\.1$/m);
	assert.match(scriptOf(topology, 'di'), /^echo '1' >\/proc\/sys\/net\/ipv4\/conf\/back0\/accept_local$/m);
});

test('in TUN the VIP is on the tunnel, which is up before it gets the address', () => {
	const topology = tunnel();
	const script = scriptOf(topology, 'r1');
	assert.ok(topology.modules.includes('ipip'));
	assert.match(script, /^link set dev tunl0 up$[\s\S]*^address add 10\.0\.0\.100\/32 dev tunl0$/m);
	assert.match(scriptOf(topology, 'di'), /^-a -t 10\.0\.0\.100:80 -r 10\.1\.0\.11:80 -i -w 100$/m);
});

test('IPv6 is the same network in other addresses', () => {
	const director = scriptOf(nat({ family: 'ipv6' }), 'di');
	assert.match(director, /^echo '1' >\/proc\/sys\/net\/ipv6\/conf\/all\/forwarding$/m);
	assert.match(director, /^-a -t \[fd00::100\]:80 -r \[fd01::11\]:8080 -m -w 100$/m);
	assert.match(scriptOf(direct({ family: 'ipv6' }), 'r1'), /^route add fd64::\/32 via fd02::2$/m);
});

test('a firewall mark joins two ports to one service, whose servers keep the port', () => {
	const topology = natFwmark({ servers: 1, scheduler: 'rr' });
	const director = scriptOf(topology, 'di');
	assert.match(director, /tcp dport \{ 80, 8081 \} meta mark set 7;/);
	assert.match(director, /^-A -f 7 -s rr\n-a -f 7 -r 10\.1\.0\.11:0 -m -w 100$/m);
	assert.deepEqual(topology.servers, [
		{ node: 'r1', address: '10.1.0.11', port: 0, listen: { address: '10.1.0.11', ports: [80, 8081] } },
	]);
});

test('in two boxes the director is a server too, and not a host behind itself', () => {
	const topology = direct({ servers: 1, localnode: true });
	assert.deepEqual(
		topology.servers.map(({ node, address }) => [node, address]),
		[
			['di', '10.1.0.1'],
			['r1', '10.1.0.11'],
		],
	);
	assert.equal(namespacesOf(topology).filter((name) => name === 'di').length, 1);
	assert.match(scriptOf(topology, 'r1'), /^address add 10\.1\.0\.11\/24 dev back0$/m);
});

test('a persistent service, a scheduler’s flag, a UDP service and a stranger are words of the same network', () => {
	assert.match(scriptOf(nat({ persistentS: 300 }), 'di'), /^-A -t 10\.0\.0\.100:80 -s wrr -p 300$/m);
	const hashing = nat({ scheduler: 'sh', schedulerFlags: 'sh-fallback' });
	assert.ok(hashing.modules.includes('ip_vs_sh'));
	assert.match(scriptOf(hashing, 'di'), /^-A -t 10\.0\.0\.100:80 -s sh -b sh-fallback$/m);
	const udp = nat({ protocol: 'udp' });
	assert.equal(udp.protocol, 'udp');
	assert.match(scriptOf(udp, 'di'), /^-A -u 10\.0\.0\.100:80 -s wrr$/m);
	assert.match(scriptOf(nat({ stranger: true }), 'st'), /^address add 10\.1\.0\.66\/24 dev back0$/m);
});
