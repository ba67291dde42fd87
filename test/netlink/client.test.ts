/**
 * The clients over a kernel that is made of captured conversations: whole tables, single services, the one write, and
 * everything that can go wrong between a request and its answer.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { NetlinkClient } from '../../src/netlink/client.js';
import { NetlinkError } from '../../src/netlink/errors.js';
import { controllerType, getFamily, readFamily } from '../../src/netlink/generic.js';
import { getInfo, getService, setDestination } from '../../src/netlink/ipvs.js';
import { readInfo } from '../../src/netlink/ipvs-answer.js';
import { IpvsClient } from '../../src/netlink/ipvs-client.js';
import { frameRequest, messageFlag } from '../../src/netlink/message.js';
import type { RouteChange } from '../../src/netlink/route.js';
import { RouteClient } from '../../src/netlink/route-client.js';
import type { SocketHandlers } from '../../src/netlink/socket.js';
import { parseServiceId } from '../../src/table/identity.js';
import type { ServiceAddress } from '../../src/table/model.js';
import { printRules } from '../../src/table/rules.js';
import { exchanges, ReplayKernel, replies } from './replay.js';

/** The number that the family IPVS had in the captured kernel. */
const ipvsType = 0x20;
const infoRequest = { name: 'IPVS GET_INFO', type: ipvsType, kind: 'get', body: getInfo(), read: readInfo } as const;

function address(id: string): ServiceAddress {
	return parseServiceId(id) ?? assert.fail();
}

function failsWith(code: string, pattern = /./) {
	return (error: unknown) => error instanceof NetlinkError && error.code === code && pattern.test(error.message);
}

/** NLMSG_ERROR without a quoted request of its own: netlink_ack() with NETLINK_CAP_ACK. */
function refusal(errno: number): Uint8Array {
	const body = new Uint8Array(20);
	new DataView(body.buffer).setInt32(0, -errno, true);
	return frameRequest(2, 0, 0, body);
}

test('a snapshot is the table that ipvsadm saved from the same kernel, thresholds besides', async () => {
	const kernel = new ReplayKernel('ipvs-table');
	const client = await IpvsClient.open({ openSocket: kernel.open });
	const snapshot = await client.snapshot();
	client.close();
	assert.deepEqual(kernel.unknown, []);
	const saved = readFileSync(new URL('../../../test/fixtures/netlink/ipvs-table.rules', import.meta.url), 'utf8');
	const lines = printRules(snapshot).replace(' -x 1000 -y 800', '').replace(' -x 50', '').split('\n');
	assert.deepEqual(lines.sort(), saved.split('\n').sort());
	assert.equal(client.unreadable, 0);
	assert.equal(
		kernel.asked.length,
		2 + 1 + snapshot.services.length,
		'family, info, services, and one for each service',
	);
	assert.deepEqual([kernel.opened, kernel.closed], [1, 1]);
});

test('one service costs one GET_SERVICE and one GET_DEST', async () => {
	const kernel = new ReplayKernel('ipvs-table', 'ipvs-service');
	const id = address('tcp 10.0.0.102:80');
	const asked =
		exchanges('ipvs-service').find(({ request }) => request[16] === 4 && request.length > 20) ?? assert.fail();
	kernel.learn(frameRequest(ipvsType, 0, 0, getService(id)), asked.replies);
	const client = await IpvsClient.open({ openSocket: kernel.open });
	const before = kernel.asked.length;
	const service = await client.service(id);
	assert.equal(kernel.asked.length - before, 2);
	assert.deepEqual(
		service?.destinations.map((server) => server.weight),
		[6, 4, 3, 2, 1],
	);
	client.close();
});

test('a service that does not exist is undefined, and not an error', async () => {
	const kernel = new ReplayKernel('ipvs-table');
	const id = address('tcp 10.0.0.200:80');
	kernel.learn(frameRequest(ipvsType, 0, 0, getService(id)), [refusal(3)]);
	const client = await IpvsClient.open({ openSocket: kernel.open });
	assert.equal(await client.service(id), undefined);
	client.close();
});

test('a write is done, or its destination or service is gone, or it is an error', async () => {
	const kernel = new ReplayKernel('ipvs-table');
	const client = await IpvsClient.open({ openSocket: kernel.open });
	const service = (await client.snapshot()).services.find((found) => found.destinations.length > 0) ?? assert.fail();
	const server = service.destinations[0] ?? assert.fail();
	const answer = (errno: number) =>
		kernel.learn(frameRequest(ipvsType, 0, 0, setDestination(service.address, server)), [refusal(errno)]);
	for (const [errno, result] of [
		[0, 'done'],
		[2, 'gone'],
		[3, 'gone'],
	] as const) {
		answer(errno);
		assert.equal(await client.setDestination(service.address, server), result);
	}
	const written = kernel.asked.at(-1) ?? assert.fail();
	assert.equal(written[6], messageFlag.ack | messageFlag.request, 'a write asks for an acknowledgement');
	answer(34);
	await assert.rejects(client.setDestination(service.address, server), failsWith('ERANGE', /SET_DEST/));
	answer(1);
	await assert.rejects(client.setDestination(service.address, server), failsWith('IPVS_DENIED', /CAP_NET_ADMIN/));
	client.close();
});

test('no IPVS and no permission are told apart, with what to do', async () => {
	const without = new ReplayKernel();
	without.learn(frameRequest(controllerType, 0, 0, getFamily('IPVS')), [refusal(2)]);
	await assert.rejects(IpvsClient.open({ openSocket: without.open }), failsWith('IPVS_MISSING', /modprobe ip_vs/));
	const denied = new ReplayKernel('ipvs-table');
	denied.learn(frameRequest(ipvsType, 0, 0, getInfo()), [refusal(1)]);
	await assert.rejects(IpvsClient.open({ openSocket: denied.open }), failsWith('IPVS_DENIED', /root/));
	assert.deepEqual([without.closed, denied.closed], [1, 1], 'a client that failed to open leaves no socket behind');
});

test('a module that was loaded again under another number is found again', async () => {
	const kernel = new ReplayKernel('ipvs-table');
	const client = await IpvsClient.open({ openSocket: kernel.open });
	kernel.learn(frameRequest(ipvsType, 0, 0, getInfo()), [refusal(2)]);
	const family = exchanges('ipvs-table').find(({ request }) => request[4] === controllerType) ?? assert.fail();
	const moved = family.replies[0]?.slice() ?? assert.fail();
	// The family's number stands behind its name in the controller's answer: 06 00 01 00 20 00.
	const at = Buffer.from(moved).indexOf(Buffer.from('060001002000', 'hex'));
	moved[at + 4] = ipvsType + 1;
	kernel.learn(family.request, [moved]);
	const info = exchanges('ipvs-table').find(({ request }) => request[16] === 15) ?? assert.fail();
	kernel.learn(frameRequest(ipvsType + 1, 0, 0, getInfo()), info.replies);
	assert.deepEqual(await client.info(), { version: '1.2.1', connectionTableSize: 4096 });
	client.close();
});

test('a kernel that does not answer is a time-out, on a new socket the next request goes on', async () => {
	const kernel = new ReplayKernel('ipvs-table');
	kernel.intercept = (count, answers) => (count === 1 ? [] : answers);
	const client = new NetlinkClient(16, { openSocket: kernel.open, timeoutMs: 20 });
	await assert.rejects(client.request(infoRequest), failsWith('ETIMEDOUT', /not known/));
	assert.equal((await client.request(infoRequest)).length, 1);
	assert.deepEqual([kernel.opened, kernel.closed], [2, 1]);
	client.close();
});

test('an answer to an earlier request is nobody’s', async () => {
	const kernel = new ReplayKernel('ipvs-table');
	let late: Uint8Array[] = [];
	kernel.intercept = (count, answers, handlers) => {
		if (count === 1) late = answers;
		else handlers.onBatch(late);
		return count === 1 ? [] : answers;
	};
	const client = new NetlinkClient(16, { openSocket: kernel.open, timeoutMs: 20 });
	const family = {
		name: 'family',
		type: controllerType,
		kind: 'get',
		body: getFamily('IPVS'),
		read: readFamily,
	} as const;
	await assert.rejects(client.request(family), failsWith('ETIMEDOUT'));
	assert.deepEqual(await client.request(infoRequest), [{ version: '1.2.1', connectionTableSize: 4096 }]);
	client.close();
});

function loses(times: number): (count: number, answers: Uint8Array[], handlers: SocketHandlers) => Uint8Array[] {
	return (count, answers, handlers) => {
		if (count > times) return answers;
		handlers.onError(Object.assign(new Error('lost'), { code: 'ENOBUFS', errno: 105 }));
		return [];
	};
}

test('a reading whose answer was lost is asked again, three times at most', async () => {
	const twice = new ReplayKernel('ipvs-table');
	twice.intercept = loses(2);
	const client = new NetlinkClient(16, { openSocket: twice.open });
	assert.equal((await client.request(infoRequest)).length, 1);
	client.close();
	const thrice = new ReplayKernel('ipvs-table');
	thrice.intercept = loses(3);
	const unlucky = new NetlinkClient(16, { openSocket: thrice.open });
	await assert.rejects(unlucky.request(infoRequest), failsWith('ENOBUFS', /read the table again/));
	assert.equal(thrice.asked.length, 3);
	unlucky.close();
});

test('a write whose acknowledgement was lost is not repeated', async () => {
	const kernel = new ReplayKernel('ipvs-table');
	kernel.intercept = loses(1);
	const client = new NetlinkClient(16, { openSocket: kernel.open });
	await assert.rejects(client.request({ ...infoRequest, kind: 'write' }), failsWith('ENOBUFS'));
	assert.equal(kernel.asked.length, 1);
	client.close();
});

/** Marks every message as of a dump that the table changed under. */
function torn(datagram: Uint8Array): Uint8Array {
	const copy = datagram.slice();
	copy[6] = (copy[6] ?? 0) | messageFlag.dumpInterrupted;
	return copy;
}

test('a dump that the table changed under is asked again, three times at most', async () => {
	const name = 'RTM_GETLINK';
	for (const [times, settles] of [
		[2, true],
		[3, false],
	] as const) {
		const kernel = new ReplayKernel();
		kernel.learn(frameRequest(18, messageFlag.dump, 0, new Uint8Array(16)), replies('route-links').slice(0, 4));
		kernel.intercept = (count, answers) => (count <= times ? answers.map(torn) : answers);
		const client = new RouteClient({ openSocket: kernel.open });
		if (settles) assert.equal((await client.links()).length, 7, 'what the torn dumps brought is not counted twice');
		else await assert.rejects(client.links(), failsWith('EINTR', new RegExp(name)));
		client.close();
	}
});

test('requests wait for each other in their order', async () => {
	const kernel = new ReplayKernel('ipvs-table');
	const client = new NetlinkClient(16, { openSocket: kernel.open });
	const done: number[] = [];
	await Promise.all([1, 2, 3].map(async (number) => done.push((await client.request(infoRequest)).length * number)));
	assert.deepEqual(done, [1, 2, 3]);
	client.close();
});

test('a queue that nobody waits for is refused at its bound', async () => {
	const client = new NetlinkClient(16, { openSocket: () => ({ send: () => undefined, close: () => undefined }) });
	const waiting = Array.from({ length: 1025 }, () => client.request(infoRequest));
	await assert.rejects(client.request(infoRequest), failsWith('EBUSY'));
	client.close();
	const results = await Promise.allSettled(waiting);
	assert.ok(results.every((result) => result.status === 'rejected' && failsWith('NETLINK_CLOSED')(result.reason)));
	await assert.rejects(client.request(infoRequest), failsWith('NETLINK_CLOSED'));
	client.close();
});

test('a socket that cannot be opened is an error of its own words', async () => {
	const client = new NetlinkClient(16, {
		openSocket: () => {
			throw Object.assign(new Error('the addon is not built'), { code: 'ADDON_MISSING' });
		},
	});
	await assert.rejects(client.request(infoRequest), failsWith('ADDON_MISSING', /the addon is not built/));
	client.close();
});

test('octets that are no answer are told as such, and an unreadable entry of a dump is counted and left out', async () => {
	const kernel = new ReplayKernel();
	kernel.learn(frameRequest(ipvsType, 0, 0, getInfo()), [frameRequest(ipvsType, 0, 0, Uint8Array.of(99, 1, 0, 0))]);
	const client = new NetlinkClient(16, { openSocket: kernel.open });
	await assert.rejects(client.request(infoRequest), failsWith('NETLINK_MALFORMED'));
	const [links, done] = [replies('route-links')[0] ?? assert.fail(), replies('route-links')[3] ?? assert.fail()];
	kernel.learn(frameRequest(18, messageFlag.dump, 0, new Uint8Array(16)), [links, done]);
	let seen = 0;
	const read = () => (seen++ === 0 ? undefined : seen);
	const answers = await client.request({ name: 'RTM_GETLINK', type: 18, kind: 'dump', body: new Uint8Array(16), read });
	assert.deepEqual([answers.length, client.unreadable], [seen - 1, 2]);
	client.close();
});

test('where there is no route, that is the answer', async () => {
	const asked = exchanges('route-get-none')[0] ?? assert.fail();
	const kernel = new ReplayKernel();
	const request = asked.request.slice();
	request.fill(0, 24, 28);
	kernel.learn(request, asked.replies);
	const client = new RouteClient({ openSocket: kernel.open });
	assert.equal(await client.routeTo('192.0.2.9'), undefined);
	await assert.rejects(client.routeTo('nowhere'), TypeError);
	client.close();
});

test('only what is asked for is listened to', () => {
	const heard: number[] = [];
	const client = new RouteClient({
		openSocket: (_protocol, groups) => {
			heard.push(...groups);
			return { send: () => assert.fail('a listener says nothing'), close: () => {} };
		},
	});
	client.subscribe({ onChange: () => {}, onLost: () => {}, onError: () => {} }, ['link', 'ipv6Address'])();
	assert.deepEqual(heard, [1, 9]);
});

test('changes are told as they come, losses as losses, and the end of listening closes the socket', () => {
	let handlers: SocketHandlers | undefined;
	let closed = false;
	const client = new RouteClient({
		openSocket: (_protocol, groups, given) => {
			assert.deepEqual([...groups].sort(), [1, 3, 5, 9]);
			handlers = given;
			return { send: () => assert.fail('a listener says nothing'), close: () => (closed = true) };
		},
	});
	const told: (RouteChange | 'lost' | 'dead')[] = [];
	const end = client.subscribe({
		onChange: (change) => told.push(change),
		onLost: () => told.push('lost'),
		onError: () => told.push('dead'),
	});
	handlers?.onBatch(replies('route-changes').slice(0, 2));
	handlers?.onError(Object.assign(new Error('lost'), { code: 'ENOBUFS' }));
	handlers?.onError(Object.assign(new Error('dead'), { code: 'EBADF' }));
	assert.deepEqual(
		told.map((one) => (typeof one === 'string' ? one : one.kind)),
		['link', 'link', 'lost', 'dead'],
	);
	end();
	assert.ok(closed);
});
