import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AttachPolicy } from '../../src/capture/attach.js';
import { attachable, type StackedLink } from '../../src/capture/layers.js';

let lastIndex = 1;
function link(name: string, kind = '', above: { master?: StackedLink; parent?: StackedLink } = {}): StackedLink {
	const { master, parent } = above;
	return { index: ++lastIndex, name, kind, masterIndex: master?.index ?? 0, parentIndex: parent?.index ?? 0 };
}

const eth0 = link('eth0');
const bond0 = link('bond0', 'bond');
const eth1 = link('eth1', '', { master: bond0 });
const eth2 = link('eth2', '', { master: bond0 });
const vlan0 = link('eth0.100', 'vlan', { parent: eth0 });
const vlanB = link('bond0.7', 'vlan', { parent: bond0 });
const vlanC = link('bond0.8', 'vlan', { parent: bond0 });
const inner = link('eth0.100.5', 'vlan', { parent: vlan0 });
const vrf = link('red', 'vrf');
const eth3 = link('eth3', '', { master: vrf });
const bridge = link('br0', 'bridge');
const eth4 = link('eth4', '', { master: bridge });
const empty = link('bond9', 'bond');
const links = [eth0, bond0, eth1, eth2, vlan0, vlanB, vlanC, inner, vrf, eth3, bridge, eth4, empty];

function each(policies: AttachPolicy[], names: string[], expected: string[]): void {
	for (const policy of policies) assert.deepEqual(attachable(names, links, policy), expected, policy);
}

const above: AttachPolicy[] = ['auto', 'tc', 'xdp-generic'];

describe('the layer to attach to', () => {
	it('is the interface that is named, where nothing is stacked', () => each([...above, 'xdp'], ['eth0'], ['eth0']));

	it('is a VLAN or a bond by tc, as the routes name it', () => {
		each(above, ['bond0.7', 'eth0.100'], ['bond0.7', 'eth0.100']);
		each(above, ['bond0'], ['bond0']);
	});

	it('is the parent alone, where a VLAN and its parent are wanted', () => {
		each(above, ['eth0', 'eth0.100'], ['eth0']);
		each(above, ['eth0.100.5', 'eth0'], ['eth0']);
		each(above, ['bond0.7', 'bond0', 'bond0.8'], ['bond0']);
	});

	it('is the master alone, where a bond or a bridge and its ports are wanted', () => {
		each(above, ['eth1', 'bond0', 'eth2'], ['bond0']);
		each(above, ['eth4', 'br0'], ['br0']);
	});

	it('is each of two VLANs of one parent that nobody wants', () =>
		each(above, ['bond0.7', 'bond0.8'], ['bond0.7', 'bond0.8']));

	it('is a port and its VRF both, because the VRF does not show the packets again', () =>
		each(above, ['eth3', 'red'], ['eth3', 'red']));

	it('is what has a driver by native XDP: the parent of a VLAN, the ports of a bond, once each', () => {
		each(['xdp'], ['eth0.100.5', 'eth0.100'], ['eth0']);
		each(['xdp'], ['bond0'], ['eth1', 'eth2']);
		each(['xdp'], ['bond0.7', 'bond0.8', 'eth1'], ['eth1', 'eth2']);
	});

	it('is a bond without ports itself, so that it is told of', () => each(['xdp'], ['bond9'], ['bond9']));

	it('is left to be told of, where there is no such interface yet', () =>
		each([...above, 'xdp'], ['eth7', 'eth0'], ['eth0', 'eth7']));

	it('is found where a chain of parents comes back to itself', () => {
		const ring = [
			{ index: 8, name: 'a', kind: 'vlan', masterIndex: 0, parentIndex: 9 },
			{ index: 9, name: 'b', kind: 'vlan', masterIndex: 0, parentIndex: 8 },
		];
		assert.deepEqual(attachable(['a', 'b'], ring, 'tc'), []);
		assert.equal(attachable(['a'], ring, 'xdp').length, 1);
	});
});
