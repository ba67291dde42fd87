/**
 * The route client against the running kernel, in a network namespace of its own: the addon's socket, real dumps, real
 * notifications. Needs the right to make a namespace, and the addon built.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

const script = `
import { execFileSync } from 'node:child_process';
import { RouteClient } from '${new URL('../../src/netlink/route-client.js', import.meta.url).pathname}';
const ip = (line) => execFileSync('ip', line.split(' '));
const client = new RouteClient();
const changes = [];
const end = client.subscribe({ onChange: (change) => changes.push(change), onLost: () => {}, onError: (error) => { throw error; } });
ip('link add near type veth peer name far');
ip('link set near up');
ip('link set far up');
ip('addr add 10.7.0.1/24 dev near');
ip('neigh add 10.7.0.2 lladdr 02:00:00:00:00:02 dev near nud permanent');
const links = await client.links();
const answer = {
	links: links.map((link) => [link.name, link.kind, link.carrier]),
	addresses: (await client.addresses()).filter(({ family }) => family === 'inet').map(({ address }) => address),
	neighbours: (await client.neighbours()).filter(({ state }) => state === 'permanent').map(({ address }) => address),
	route: await client.routeTo('10.7.0.9'),
	none: (await client.routeTo('192.0.2.1')) === undefined,
	link: await client.link(links.find((link) => link.name === 'near').index),
	gone: await client.link(999999).catch(({ code }) => code),
	near: links.find((link) => link.name === 'near'),
	index: links.find((link) => link.name === 'near').index,
};
ip('link set far down');
const deadlineMs = Date.now() + 5000;
const lost = () => changes.some((change) => change.kind === 'link' && change.link.name === 'near' && change.link.carrier === false);
const wasUp = () => changes.some((change) => change.kind === 'link' && change.link.name === 'near' && change.link.carrier === true);
while (!(lost() && wasUp()) && Date.now() < deadlineMs) await new Promise((resolve) => setTimeout(resolve, 10));
answer.lost = lost() && wasUp();
answer.kinds = [...new Set(changes.map((change) => change.kind))].sort();
end();
client.close();
process.stdout.write(JSON.stringify(answer));
`;

test('links, addresses, neighbours, routes and their changes are those of the namespace', () => {
	const arguments_ = ['--net', process.execPath, '--input-type=module', '--eval', script];
	const answer = JSON.parse(execFileSync('unshare', arguments_, { encoding: 'utf8', timeout: 30_000 }));
	assert.deepEqual(answer.links.filter(([name]: string[]) => name === 'near' || name === 'far').sort(), [
		['far', 'veth', true],
		['near', 'veth', true],
	]);
	assert.deepEqual(answer.addresses, ['10.7.0.1']);
	assert.deepEqual(answer.neighbours, ['10.7.0.2']);
	assert.deepEqual(answer.route, { kind: 'unicast', interfaceIndex: answer.index, source: '10.7.0.1' });
	assert.equal(answer.none, true);
	assert.deepEqual(answer.link, answer.near, 'one link is asked for as all of them are');
	assert.match(answer.link.linkAddress, /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
	assert.equal(answer.gone, 'ENODEV');
	assert.equal(answer.lost, true, 'the lost carrier was notified');
	assert.deepEqual(answer.kinds, ['address', 'link', 'neighbour']);
});
