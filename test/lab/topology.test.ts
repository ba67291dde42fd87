import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moduleOrder } from './initramfs.js';
import { parseWeights } from './parts.js';
import { natIpv4 } from './topologies.js';
import { namespacesOf, render } from './topology.js';

const topology = natIpv4({ servers: 2, scheduler: 'wlc', weight: 7, prefixes: 3 });

function scriptOf(namespace: string | undefined): string {
	return render(topology).find((each) => each.namespace === namespace)?.script ?? '';
}

test('every node and every switch has a namespace of its own', () => {
	assert.deepEqual(namespacesOf(topology), ['cl', 'di', 'r1', 'r2', 'sw-front', 'sw-back']);
	for (const name of namespacesOf(topology)) assert.match(scriptOf(undefined), new RegExp(`^netns add ${name}$`, 'm'));
});

test('a port is a veth from its switch to its node', () => {
	assert.match(scriptOf(undefined), /^link add name r2-back0 netns sw-back type veth peer name back0 netns r2$/m);
	assert.match(scriptOf('sw-back'), /^link set dev r2-back0 master br up$/m);
});

test('the director forwards, has the VIP and the table, and knows the way to every client', () => {
	const script = scriptOf('di');
	assert.match(script, /^echo '1' >\/proc\/sys\/net\/ipv4\/ip_forward$/m);
	assert.match(script, /^address add 10\.0\.0\.100\/32 dev front0$/m);
	assert.match(script, /^-A -t 10\.0\.0\.100:80 -s wlc$/m);
	assert.match(script, /^-a -t 10\.0\.0\.100:80 -r 10\.1\.0\.12:8080 -m -w 7$/m);
	assert.match(script, /^route add 10\.64\.0\.0\/16 via 10\.0\.0\.2$/m);
});

test('servers answer through the director, which is what makes it NAT', () => {
	assert.match(scriptOf('r1'), /^route add default via 10\.1\.0\.1$/m);
});

test('clients come from as many prefixes as asked for', () => {
	assert.deepEqual(topology.clients.addresses, ['10.64.1.2', '10.64.2.2', '10.64.3.2']);
});

test('an IPv6 address is usable at once and a bonded port joins its bond', () => {
	const bonded = render({
		...topology,
		networks: [{ name: 'n', ports: [{ node: 'di', interface: 's0', master: 'bond0' }] }],
		nodes: [
			{ name: 'di', addresses: { bond0: ['fd00::1/64'] }, links: ['link add bond0 type bond mode active-backup'] },
		],
	});
	const script = bonded.find(({ namespace }) => namespace === 'di')?.script ?? '';
	assert.match(script, /^address add fd00::1\/64 dev bond0 nodad$/m);
	assert.match(script, /^echo '0' >\/proc\/sys\/net\/ipv6\/conf\/s0\/accept_dad$/m);
	const order = ['type bond', 'link set dev s0 master bond0\n', 'link set dev s0 up\n'].map((line) =>
		script.indexOf(line),
	);
	assert.ok(order[0] !== -1, script);
	assert.deepEqual(
		order,
		[...order].sort((a, b) => a - b),
		'the bond is made, joined, and only then the port set up',
	);
});

test('weights are read from what ipvsadm saves, both families', () => {
	const rules = [
		'-A -t 10.0.0.100:80 -s wrr',
		'-a -t 10.0.0.100:80 -r 10.1.0.11:8080 -m -w 0',
		'-a -t [fd00::64]:80 -r [fd00::11]:8080 -g -w 100',
	].join('\n');
	assert.deepEqual(
		[...parseWeights(rules)],
		[
			['10.1.0.11:8080', 0],
			['[fd00::11]:8080', 100],
		],
	);
});

test('modules are loaded after those they need, each once, and built-in ones are passed over', () => {
	const modulesDep = [
		'kernel/net/9p/9pnet.ko: kernel/fs/netfs/netfs.ko',
		'kernel/fs/9p/9p.ko.xz: kernel/net/9p/9pnet.ko kernel/fs/netfs/netfs.ko',
		'kernel/fs/netfs/netfs.ko:',
		'kernel/net/9p/9pnet-virtio.ko: kernel/net/9p/9pnet.ko kernel/fs/netfs/netfs.ko',
	].join('\n');
	assert.deepEqual(moduleOrder(modulesDep, ['virtio_pci', '9pnet_virtio', '9p']), [
		'kernel/fs/netfs/netfs.ko',
		'kernel/net/9p/9pnet.ko',
		'kernel/net/9p/9pnet-virtio.ko',
		'kernel/fs/9p/9p.ko.xz',
	]);
});
