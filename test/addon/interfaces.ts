/**
 * Attaching to interfaces and hearing of their changes, on a veth pair. Runs in a network namespace of its own, started by
 * namespace.test.ts; nothing outside is touched, and the pair is gone with the process.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
	type Attachment,
	type BpfObject,
	interfaceIndex,
	Link,
	NetlinkSocket,
	PacketSocket,
	RingReader,
} from '../../src/addon/index.js';
import { loadFixture, refusalOf, returnAll, withBpffs } from './fixture.js';

const place = { handle: 0x1ee7, priority: 77 };
const rtnlgrpLink = 1;
const rtmNewLink = 16;

function run(command: string): string {
	const [file = '', ...words] = command.split(' ');
	return execFileSync(file, words, { encoding: 'utf8' });
}

for (const command of [
	'ip link add near type veth peer name far',
	'ip address add 192.0.2.1/24 dev near',
	'ip link set near up',
	'ip link set far up',
])
	run(command);
const far = interfaceIndex('far') ?? 0;

/** A question on the wire is never asked twice: the kernel would not repeat it while it waits for the first answer. */
let asked = 0;

/**
 * Records that the attached program sent while something was on the wire: near asks who has an address that nobody has.
 * Waits no longer than it takes for one.
 */
async function recordsOnTheWire(object: BpfObject, limitMs: number): Promise<number> {
	let records = 0;
	const reader = new RingReader(object.map('events'), {
		onBatch: (_, sizes) => {
			records += sizes.length;
		},
		onError: (error) => assert.fail(error),
	});
	reader.drain();
	records = 0;
	const socket = createSocket('udp4');
	const address = `192.0.2.${2 + asked++}`;
	await new Promise((resolve) => socket.send('x', 9, address, resolve));
	socket.close();
	for (let waitedMs = 0; records === 0 && waitedMs < limitMs; waitedMs += 10) await sleep(10);
	reader.close();
	return records;
}

async function seesTrafficUntilClosed(attach: (object: BpfObject) => Attachment): Promise<void> {
	const object = loadFixture();
	const attachment = attach(object);
	assert.ok((await recordsOnTheWire(object, 5_000)) > 0);
	attachment.close();
	attachment.close();
	assert.equal(await recordsOnTheWire(object, 100), 0);
	object.close();
}

test('native XDP sees traffic until it is closed', () =>
	seesTrafficUntilClosed((object) => object.attachXdp('xdp_record', far, 'native')));

test('generic XDP sees traffic until it is closed', () =>
	seesTrafficUntilClosed((object) => object.attachXdp('xdp_record', far, 'generic')));

test('tcx sees traffic until it is closed', () =>
	seesTrafficUntilClosed((object) => object.attachTcx('tc_record', far)));

test('tcx sees traffic behind a program that says the last word only if it is put first', async () => {
	const object = loadFixture();
	const final = object.attachTcx('tc_final', far);
	const last = object.attachTcx('tc_record', far);
	assert.equal(await recordsOnTheWire(object, 100), 0);
	last.close();
	const first = object.attachTcx('tc_record', far, { first: true });
	assert.ok((await recordsOnTheWire(object, 5_000)) > 0);
	for (const attachment of [first, final, object]) attachment.close();
});

test('clsact sees traffic until it is closed', () =>
	seesTrafficUntilClosed((object) => object.attachClsact('tc_record', far, place)));

test('a second XDP program on an interface is EBUSY, and the first one stays', async () => {
	const object = loadFixture();
	const first = object.attachXdp('xdp_record', far, 'native');
	assert.equal(
		refusalOf(() => object.attachXdp('xdp_record', far, 'native')),
		'EBUSY bpf_link_create',
	);
	assert.ok((await recordsOnTheWire(object, 5_000)) > 0);
	first.close();
	object.close();
});

test('an interface that does not exist is refused', () => {
	const object = loadFixture();
	assert.equal(
		refusalOf(() => object.attachXdp('xdp_record', 999_999, 'native')),
		'EINVAL bpf_link_create',
	);
	assert.equal(
		refusalOf(() => object.attachTcx('tc_record', 999_999)),
		'ENODEV bpf_link_create',
	);
	assert.match(
		refusalOf(() => object.attachClsact('tc_record', 999_999, place)),
		/^(ENODEV|EINVAL) bpf_tc_hook_create/,
	);
	object.close();
});

test('clsact leaves the filters and the qdisc of others alone', () => {
	const object = loadFixture();
	run('ip link add shared type veth peer name shared2');
	run('tc qdisc add dev shared clsact');
	const shared = interfaceIndex('shared') ?? 0;
	const other = object.attachClsact('tc_interface', shared, { handle: 1, priority: 5 });
	const ours = object.attachClsact('tc_record', shared, place);
	assert.match(run('tc filter show dev shared ingress'), /tc_record/);
	ours.close();
	assert.match(run('tc filter show dev shared ingress'), /pref 5 .*tc_interface/);
	assert.doesNotMatch(run('tc filter show dev shared ingress'), /tc_record/);
	other.close();
	assert.match(run('tc qdisc show dev shared'), /clsact/);
	object.close();
});

test('clsact never takes an occupied place unless told to, and does not remove its successor', () => {
	const object = loadFixture();
	const first = object.attachClsact('tc_record', far, place);
	assert.match(
		refusalOf(() => object.attachClsact('tc_interface', far, place)),
		/^EEXIST bpf_tc_attach/,
	);
	assert.ok(first.stands());
	const second = object.attachClsact('tc_interface', far, { ...place, replace: true });
	assert.deepEqual([first.stands(), second.stands()], [false, true]);
	first.close();
	assert.match(run('tc filter show dev far ingress'), /tc_interface/);
	second.close();
	assert.doesNotMatch(run('tc filter show dev far ingress'), /bpf/);
	object.close();
});

test('a clsact filter knows when its qdisc was removed under it, and closes quietly', () => {
	const object = loadFixture();
	const filter = object.attachClsact('tc_record', far, place);
	assert.ok(filter.stands());
	run('tc qdisc del dev far clsact');
	assert.equal(filter.stands(), false);
	filter.close();
	object.close();
});

test('a clsact filter whose interface is gone closes quietly', () => {
	const object = loadFixture();
	run('ip link add gone type veth peer name gone2');
	const filter = object.attachClsact('tc_record', interfaceIndex('gone') ?? 0, place);
	run('ip link del gone');
	assert.equal(filter.stands(), false);
	filter.close();
	object.close();
});

test('a pinned XDP link outlives its handles, takes another program, and ends when unpinned', () =>
	withBpffs(async (directory) => {
		const path = join(directory, 'link');
		const object = loadFixture();
		const link = object.attachXdp('xdp_record', far, 'native');
		const { id, programId } = link;
		link.pin(path);
		link.close();
		assert.ok((await recordsOnTheWire(object, 5_000)) > 0);
		const adopted = Link.openPinned(path);
		assert.equal(adopted.id, id);
		adopted.update(loadFixture(), 'xdp_record');
		assert.notEqual(adopted.programId, programId);
		assert.equal(await recordsOnTheWire(object, 100), 0);
		adopted.unpin();
		adopted.close();
		object.attachXdp('xdp_record', far, 'native').close();
		object.close();
	}));

test('a change of a link is heard of, and the receiver of a flood learns that it lost messages', async () => {
	const types: number[] = [];
	const errors: string[] = [];
	const socket = new NetlinkSocket({
		protocol: 0,
		groups: [rtnlgrpLink],
		onBatch: (datagrams) => {
			for (const datagram of datagrams) types.push(new DataView(datagram.buffer).getUint16(4, true));
		},
		onError: (error) => errors.push((error as { code?: string }).code ?? ''),
	});
	run('ip link set near mtu 1400');
	await sleep(50);
	assert.ok(types.includes(rtmNewLink));
	assert.deepEqual(errors, []);
	const changes = Array.from({ length: 8000 }, (_, at) => `link set near mtu ${1300 + (at % 2)}\n`);
	execFileSync('ip', ['-batch', '-'], { input: changes.join('') });
	await sleep(50);
	assert.deepEqual(errors, ['ENOBUFS']);
	types.length = 0;
	run('ip link set near mtu 1500');
	await sleep(50);
	assert.ok(types.includes(rtmNewLink), 'the socket goes on after a loss');
	socket.close();
});

test('a packet socket says that its interface went down, and hears again when it is back', async () => {
	let frames = 0;
	const errors: (string | undefined)[] = [];
	const socket = new PacketSocket({
		interfaceIndex: far,
		filter: returnAll,
		onBatch: (batch) => {
			frames += batch.length;
		},
		onError: (error) => errors.push((error as { code?: string }).code),
	});
	run('ip link set far down');
	await sleep(50);
	assert.deepEqual(errors, ['ENETDOWN']);
	assert.equal(
		refusalOf(() => socket.send(new Uint8Array(60))),
		'ENETDOWN send',
	);
	run('ip link set far up');
	frames = 0;
	const near = new PacketSocket({
		interfaceIndex: interfaceIndex('near') ?? 0,
		filter: returnAll,
		onBatch: () => undefined,
		onError: (error) => assert.fail(error),
	});
	for (let waitedMs = 0; frames === 0 && waitedMs < 5_000; waitedMs += 10) {
		near.send(new Uint8Array(60));
		await sleep(10);
	}
	assert.ok(frames > 0);
	near.close();
	socket.close();
});
