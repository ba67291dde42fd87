import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Placed, type SlotChanges, Slots } from '../../src/capture/slots.js';
import { endpointId } from '../../src/table/identity.js';
import type { Endpoint } from '../../src/table/model.js';

function endpoint(port: number): Endpoint {
	return { protocol: 'tcp', family: 'inet', address: '10.1.0.11', port };
}

/** What the keeper of the maps was told in one call. */
interface Told extends SlotChanges<Endpoint> {
	adds: [port: number, slot: number][];
	removes: [port: number, slot: number][];
}

/** Replaces with a keeper that takes notes, and that throws at the ports named. */
function replace(slots: Slots<Endpoint>, ports: number[], failing: number[] = []): Told {
	const adds: Told['adds'] = [];
	const removes: Told['removes'] = [];
	const note = (notes: Told['adds']) => (placed: Placed<Endpoint>) => {
		const { port } = placed.item;
		if (failing.includes(port)) throw new Error(`no room for ${port}`);
		notes.push([port, placed.slot]);
	};
	const changes = slots.replace(ports.map(endpoint), { add: note(adds), remove: note(removes) });
	return { ...changes, adds, removes };
}

function placed(slots: Slots<Endpoint>): [port: number, slot: number][] {
	return [...slots.placed()].map(({ item: { port }, slot }) => [port, slot]);
}

describe('slots', () => {
	it('are dealt out lowest first, once per endpoint', () => {
		const { adds, removes, added, removed } = replace(new Slots(4, endpointId), [1, 2, 1]);
		assert.deepEqual(adds, [
			[1, 0],
			[2, 1],
		]);
		assert.deepEqual([added, removed, removes], [2, 0, []]);
	});

	it('stay with an endpoint that stays, and are taken back from one that goes', () => {
		const slots = new Slots(4, endpointId);
		replace(slots, [1, 2]);
		const { adds, removes, added, removed } = replace(slots, [2, 3]);
		assert.deepEqual(removes, [[1, 0]]);
		assert.deepEqual(adds, [[3, 0]]);
		assert.deepEqual([added, removed], [1, 1]);
		assert.equal(slots.end, 2);
		assert.deepEqual(placed(slots), [
			[2, 1],
			[3, 0],
		]);
	});

	it('may all be taken, and one more is refused', () => {
		const slots = new Slots(2, endpointId);
		assert.deepEqual(replace(slots, [1, 2]).refused, []);
		assert.deepEqual(replace(slots, [1, 2, 3]).refused, [endpoint(3)]);
		assert.deepEqual(replace(slots, [1, 3]).adds, [[3, 1]]);
	});

	it('are not taken by an endpoint that the maps refused: the next call tries it again', () => {
		const slots = new Slots(2, endpointId);
		assert.throws(() => replace(slots, [1, 2], [2]), /no room for 2/);
		assert.deepEqual(placed(slots), [[1, 0]]);
		assert.deepEqual(replace(slots, [1, 2]).adds, [[2, 1]]);
	});

	it('stay with an endpoint that could not be taken out of the maps, so that nobody else counts there', () => {
		const slots = new Slots(3, endpointId);
		replace(slots, [1, 2]);
		assert.throws(() => replace(slots, [3], [2]), /no room for 2/);
		assert.deepEqual(placed(slots), [[2, 1]]);
		const { adds, removes } = replace(slots, [3]);
		assert.deepEqual(removes, [[2, 1]]);
		assert.deepEqual(placed(slots), [[3, adds[0]?.[1]]]);
	});
});
