import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Slots } from '../../src/capture/slots.js';
import type { Endpoint } from '../../src/table/model.js';

function endpoint(port: number): Endpoint {
	return { protocol: 'tcp', family: 'inet', address: '10.1.0.11', port };
}

describe('slots', () => {
	it('are dealt out lowest first, once per endpoint', () => {
		const { added, removed } = new Slots(4).replace([endpoint(1), endpoint(2), endpoint(1)]);
		assert.deepEqual(
			added.map(({ endpoint: { port }, slot }) => [port, slot]),
			[
				[1, 0],
				[2, 1],
			],
		);
		assert.deepEqual(removed, []);
	});

	it('stay with an endpoint that stays, and are taken back from one that goes', () => {
		const slots = new Slots(4);
		slots.replace([endpoint(1), endpoint(2)]);
		const { added, removed } = slots.replace([endpoint(2), endpoint(3)]);
		assert.deepEqual(removed, [{ endpoint: endpoint(1), slot: 0 }]);
		assert.deepEqual(added, [{ endpoint: endpoint(3), slot: 0 }]);
		assert.equal(slots.end, 2);
		assert.deepEqual([...slots.placed()].map(({ slot }) => slot).sort(), [0, 1]);
	});

	it('may all be taken, and one more is refused', () => {
		const slots = new Slots(2);
		assert.deepEqual(slots.replace([endpoint(1), endpoint(2)]).refused, []);
		assert.deepEqual(slots.replace([endpoint(1), endpoint(2), endpoint(3)]).refused, [endpoint(3)]);
		assert.deepEqual(slots.replace([endpoint(1), endpoint(3)]).added, [{ endpoint: endpoint(3), slot: 1 }]);
	});
});
