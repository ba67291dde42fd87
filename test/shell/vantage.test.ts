import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pino } from 'pino';
import type { HostSenders } from '../../src/capture/watch-list.js';
import type { InterfaceState } from '../../src/capture/wire.js';
import type { ChangeHandlers } from '../../src/netlink/route-client.js';
import { Follower, type Watch, type Ways } from '../../src/shell/vantage.js';
import type { Endpoint, Snapshot } from '../../src/table/model.js';
import { linkOf } from '../evidence/link-samples.js';
import { server, serviceOf } from '../remedy/example.js';

const dns = { kind: 'address', protocol: 'udp', family: 'inet', address: '10.0.0.100', port: 53 } as const;
/** Promises that are ready have run by then. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

const snapshot: Snapshot = { services: [serviceOf(server)] };

/** A wire that can be put on the interfaces that are there, and that takes endpoints unless it is full. */
class FakeWire implements Watch {
	interfaces: readonly InterfaceState[] = [];
	present = new Set<string>();
	full = false;
	times = 1;
	endpoints: readonly Endpoint[] = [];
	hosts: readonly string[] = [];

	setEndpoints(endpoints: readonly Endpoint[], hosts: readonly string[]) {
		this.hosts = hosts;
		if (this.full) throw new Error('no memory');
		const added = endpoints.length - this.endpoints.length;
		this.endpoints = endpoints;
		return { added, removed: 0, refused: [] };
	}

	senders: readonly HostSenders[] = [];
	tunnelPorts: readonly number[] = [];

	setSenders(list: readonly HostSenders[]): HostSenders[] {
		this.senders = list;
		return [];
	}

	setTunnelPorts(ports: readonly number[]): void {
		this.tunnelPorts = ports;
	}

	setLocalAddresses(): void {}

	setInterfaces(names: readonly string[]): readonly InterfaceState[] {
		this.interfaces = names.map((interfaceName) =>
			this.present.has(interfaceName)
				? { interfaceName, attached: true, method: 'tcx', times: this.times }
				: {
						interfaceName,
						attached: false,
						code: 'ENODEV',
						reason: `no interface ${interfaceName}`,
						remedy: 'make it',
					},
		);
		return this.interfaces;
	}

	close(): void {}
}

/** Routes that always lead through eth1; `asked` counts how often they were looked up. */
class FakeWays implements Ways {
	asked = 0;
	addresses = async () => [];
	links = async () => [linkOf({ index: 2, name: 'eth1' }), linkOf({ index: 3, name: 'eth2' })];
	linkAddress = '02:00:00:00:00:11';
	tell: ChangeHandlers['onChange'] = () => {};

	interfaceIndex = 2;

	async routeTo() {
		this.asked += 1;
		return { interfaceIndex: this.interfaceIndex } as Awaited<ReturnType<Ways['routeTo']>>;
	}

	neighbour() {
		const { linkAddress } = this;
		return { interfaceIndex: 2, family: 'inet', address: server.address, state: 'reachable', linkAddress } as const;
	}

	async neighbours() {
		return [this.neighbour()];
	}

	subscribe({ onChange }: ChangeHandlers) {
		this.tell = onChange;
		return () => {};
	}
}

function setUp(named: string[]) {
	const lines: { level: number; msg: string; interface?: string }[] = [];
	const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
	const wire = new FakeWire();
	const ways = new FakeWays();
	const follower = new Follower({ wire, named, policy: 'auto', routes: ways, log });
	/** What was said of interfaces since the last call: the name, and whether it is watched. */
	const told = () =>
		lines.splice(0).flatMap(({ level, interface: name }) => (name ? [[name, level < 50]] : [])) as [string, boolean][];
	return { wire, ways, follower, told, lines };
}

describe('an interface that is named but not there', () => {
	test('is tried again with each snapshot, and told once for each change', async () => {
		const { wire, follower, told } = setUp(['eth1', 'bond0']);
		wire.present.add('eth1');
		await follower.follow(snapshot);
		assert.deepEqual(told(), [
			['eth1', true],
			['bond0', false],
		]);
		await follower.follow(snapshot);
		assert.deepEqual(told(), []);
		wire.present.add('bond0');
		await follower.follow(snapshot);
		assert.deepEqual(told(), [['bond0', true]]);
		assert.ok(wire.interfaces.every(({ attached }) => attached));
		await follower.follow(snapshot);
		assert.deepEqual(told(), []);
	});

	test('is told again when it is lost again', async () => {
		const { wire, follower, told } = setUp(['eth1', 'bond0']);
		wire.present.add('eth1').add('bond0');
		await follower.follow(snapshot);
		told();
		wire.present.delete('bond0');
		wire.setInterfaces(['eth1', 'bond0']);
		await follower.follow(snapshot);
		assert.deepEqual(told(), [['bond0', false]]);
	});
});

test('while all is well, routes are not asked for again for the same hosts', async () => {
	const { wire, ways, follower, told } = setUp([]);
	wire.present.add('eth1');
	await follower.follow(snapshot);
	told();
	await follower.follow(snapshot);
	assert.equal(ways.asked, 1);
	assert.deepEqual(told(), []);
});

test('an interface from which somebody took the program is watched again with the next snapshot, and told', async () => {
	const { wire, follower, lines } = setUp(['eth1']);
	wire.present.add('eth1');
	await follower.follow(snapshot);
	wire.times = 2;
	lines.splice(0);
	await follower.follow(snapshot);
	assert.deepEqual(
		lines.map(({ level, msg }) => [level, msg]),
		[[40, 'watching an interface again: it was made anew, or somebody had taken our program off it']],
	);
	lines.splice(0);
	await follower.follow(snapshot);
	assert.deepEqual(lines, []);
});

test('a route that moves to another interface is followed, without a link or an address having changed', async (t) => {
	t.mock.timers.enable({ apis: ['setTimeout'] });
	const { wire, ways, follower } = setUp([]);
	wire.present.add('eth1').add('eth2');
	await follower.follow(snapshot);
	ways.interfaceIndex = 3;
	follower.reroute();
	t.mock.timers.tick(1_000);
	await settled();
	assert.deepEqual(
		wire.interfaces.map(({ interfaceName }) => interfaceName),
		['eth2'],
	);
});

test('what has changed is asked for in its turn, not with every snapshot, and once however often it changed', async (t) => {
	t.mock.timers.enable({ apis: ['setTimeout'] });
	const { wire, ways, follower } = setUp([]);
	wire.present.add('eth1');
	await follower.follow(snapshot);
	for (let change = 0; change < 20; change++) {
		follower.reroute();
		await follower.follow(snapshot);
	}
	assert.equal(ways.asked, 1);
	t.mock.timers.tick(1_000);
	await follower.follow(snapshot);
	assert.equal(ways.asked, 2);
});

test('looks do not overtake each other', async () => {
	const { ways, follower } = setUp([]);
	let [underWay, most] = [0, 0];
	const addresses = ways.addresses;
	ways.addresses = async () => {
		most = Math.max(most, ++underWay);
		await settled();
		underWay -= 1;
		return addresses();
	};
	const others = { services: [serviceOf({ ...server, address: '10.1.0.12' })] };
	await Promise.all([follower.follow(snapshot), follower.follow(others), follower.follow(snapshot)]);
	assert.equal(most, 1);
});

test('endpoints that cannot be set are told and tried again: following goes on', async () => {
	const { wire, follower, lines } = setUp(['eth1']);
	wire.present.add('eth1');
	wire.full = true;
	await follower.follow(snapshot);
	assert.match(lines.at(-1)?.msg ?? '', /trying again with the next snapshot/);
	wire.full = false;
	await follower.follow(snapshot);
	assert.equal(wire.endpoints.length, 1);
	assert.ok(wire.interfaces.every(({ attached }) => attached));
});

describe('what is watched', () => {
	test('is every endpoint whatever its protocol, every host, and the ports of tunnels', async () => {
		const { wire, follower } = setUp([]);
		const tunnel = { ...server, forwarding: 'tunnel', tunnel: { type: 'gue', port: 6080, flags: 0 } } as const;
		const mark = { ...serviceOf(tunnel), address: { kind: 'fwmark', family: 'inet', fwmark: 7 } } as const;
		const udp = { ...serviceOf(server), address: { ...dns } };
		await follower.follow({ services: [mark, udp] });
		assert.deepEqual(
			wire.endpoints.map(({ protocol }) => protocol),
			['udp'],
		);
		assert.deepEqual([wire.hosts, wire.tunnelPorts], [[server.address], [6080]]);
	});
});

describe('from where packets may come', () => {
	test('is what the neighbour table says of the host', async () => {
		const { wire, follower } = setUp([]);
		await follower.follow(snapshot);
		assert.deepEqual(wire.senders, [{ address: server.address, macs: ['02:00:00:00:00:11'] }]);
	});

	test('is read again when the neighbour has another MAC address, and not for those of others', async (t) => {
		t.mock.timers.enable({ apis: ['setTimeout'] });
		const { wire, ways, follower } = setUp([]);
		await follower.follow(snapshot);
		ways.linkAddress = '02:00:00:00:00:22';
		ways.tell({ kind: 'neighbour', change: 'set', neighbour: { ...ways.neighbour(), address: '10.1.0.99' } });
		t.mock.timers.tick(1_000);
		await settled();
		assert.deepEqual(wire.senders[0]?.macs, ['02:00:00:00:00:11']);
		ways.tell({ kind: 'neighbour', change: 'set', neighbour: ways.neighbour() });
		t.mock.timers.tick(1_000);
		await settled();
		assert.deepEqual(wire.senders[0]?.macs, ['02:00:00:00:00:22']);
	});
});
