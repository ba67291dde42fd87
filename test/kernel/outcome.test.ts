/**
 * outcome.bpf.c as far as a kernel without IPVS goes: destinations are listed and read, and a missing hook is told. What
 * becomes of connections is tried in the lab. Needs root.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { BpfMap, BpfObject } from '../../src/addon/index.js';
import { type ListedDestination, OutcomeCapture, openOutcome } from '../../src/capture/outcome.js';
import { loadObject } from '../../src/capture/programs.js';
import { decodeIndexes, encodeDestinationKey, encodeIndex, viewOf } from '../../src/decode/keys.js';
import { outcomeCounters, outcomeState, serviceOutcomes } from '../../src/decode/layout.generated.js';
import type { ServiceAddress } from '../../src/table/model.js';

const sink = { onEvents: () => {}, onError: () => {} };
const service: ServiceAddress = { kind: 'address', protocol: 'tcp', family: 'inet', address: '10.0.0.100', port: 80 };
const destinationsMax = 3;

function listed(host: number): ListedDestination {
	return { service, destination: { address: `10.1.0.${host}`, port: 8080 } };
}

function keyOf({ service, destination }: ListedDestination): Uint8Array {
	return encodeDestinationKey(service, destination);
}

describe('the outcomes', () => {
	let object: BpfObject;
	let capture: OutcomeCapture;
	let numbers: BpfMap;
	let destinations: BpfMap;
	before(() => {
		const maxEntries = { numbers: destinationsMax, destinations: destinationsMax };
		object = loadObject({ object: 'outcome', programs: [], maxEntries });
		numbers = object.map('numbers');
		destinations = object.map('destinations');
		capture = new OutcomeCapture({ object, refused: new Map() }, sink);
	});
	after(() => {
		for (const map of [numbers, destinations]) map.close();
		capture.close();
	});

	/** The number under which the kernel finds a destination. */
	function numberOf(each: ListedDestination): number | undefined {
		const value = numbers.get(keyOf(each));
		return value && decodeIndexes(value)[0];
	}

	/** What the hooks do: counts one more attempt. */
	function schedule(each: ListedDestination): void {
		const key = encodeIndex(numberOf(each) ?? -1);
		const value = destinations.get(key) ?? assert.fail('not listed');
		const at = outcomeState.counters.offset;
		outcomeCounters.scheduled.write(viewOf(value), at, outcomeCounters.scheduled.read(viewOf(value), at) + 1);
		destinations.set(key, value);
	}

	const scheduled = () =>
		capture
			.outcomes()
			.map(({ destination, counters }) => [destination.address, counters.scheduled])
			.sort();

	it('are empty where nothing is listed', () => assert.deepEqual(capture.outcomes(), []));

	it('of a destination that stays go on, and of one that is listed again begin anew', () => {
		assert.deepEqual(capture.setDestinations([listed(1), listed(2), listed(1)]), { added: 2, removed: 0, refused: [] });
		for (const each of [listed(1), listed(1), listed(2)]) schedule(each);
		assert.deepEqual(scheduled(), [
			['10.1.0.1', 2],
			['10.1.0.2', 1],
		]);
		const first = numberOf(listed(2));
		assert.deepEqual(capture.setDestinations([listed(1)]), { added: 0, removed: 1, refused: [] });
		assert.equal(numberOf(listed(2)), undefined);
		capture.setDestinations([listed(1), listed(2)]);
		assert.deepEqual(scheduled(), [
			['10.1.0.1', 2],
			['10.1.0.2', 0],
		]);
		assert.notEqual(numberOf(listed(2)), first, 'a connection to the former one must find nothing');
	});

	it('are kept of as many destinations as fit, and the others are named', () => {
		const { added, refused } = capture.setDestinations([1, 2, 3, 4, 5].map(listed));
		assert.deepEqual([added, refused], [1, [listed(4), listed(5)]]);
		assert.equal(numberOf(listed(4)), undefined);
		assert.deepEqual(capture.setDestinations([2, 3, 4].map(listed)), { added: 1, removed: 1, refused: [] });
		assert.deepEqual(
			scheduled().map(([address]) => address),
			['10.1.0.2', '10.1.0.3', '10.1.0.4'],
		);
	});

	it('of services without destinations are read by service', () => {
		assert.deepEqual(capture.services(), []);
		const value = new Uint8Array(serviceOutcomes.layout.size);
		serviceOutcomes.noDestination.write(viewOf(value), 0, 9);
		const services = object.map('services');
		services.set(encodeDestinationKey(service, { address: '0.0.0.0', port: 0 }), value);
		services.close();
		assert.deepEqual(capture.services(), [{ service, noDestination: 9 }]);
	});

	it('say of each hook whether it is attached', () => {
		const names = ['watch_tcp', 'watch_schedule', 'watch_expire', 'watch_leave'];
		assert.deepEqual(
			capture.hooks.map(({ hook }) => hook),
			names,
		);
		assert.ok(capture.hooks.every(({ attached }) => !attached));
	});
});

const loaded = existsSync('/sys/module/ip_vs') && 'ip_vs is loaded on this machine';
it('without the ip_vs module the outcomes say so', { skip: loaded }, () => {
	const outcome = openOutcome(sink);
	assert.ok(!outcome.available);
	assert.equal(outcome.code, 'NO_IP_VS');
	assert.match(outcome.remedy, /modprobe ip_vs/);
});
