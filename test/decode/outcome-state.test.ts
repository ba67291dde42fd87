/** What stands of a destination's attempts, from the octets of the kernel's map: at which age an attempt is unanswered. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodeDestinationKey, viewOf } from '../../src/decode/keys.js';
import {
	destinationKey,
	OUTCOME_EPOCH_SHIFT,
	OUTCOME_SETTLED_EPOCHS,
	outcomeCounters,
	outcomeState,
	serviceOutcomes,
	waitingCell,
} from '../../src/decode/layout.generated.js';
import { encodeOutcomeState, readOutcomeState, readServiceOutcomes } from '../../src/decode/outcome-state.js';
import type { ServiceAddress } from '../../src/table/model.js';

const service: ServiceAddress = { kind: 'address', protocol: 'tcp', family: 'inet', address: '10.0.0.100', port: 80 };
const destination = { address: '10.1.0.11', port: 8080 };
const epochNs = 2 ** OUTCOME_EPOCH_SHIFT;
/** Some epoch beyond 2^31 ns, in its middle. */
const nowEpoch = 1_000;
const nowNs = (nowEpoch + 0.5) * epochNs;

interface Cell {
	epoch: number;
	count: number;
	firstNs?: number;
}

/** The state of a destination with these cells of waiting attempts, at `base` of a larger buffer. */
function stateWith(cells: Cell[], lastAcceptedNs = 0, base = 16): DataView {
	const view = new DataView(new ArrayBuffer(base + outcomeState.layout.size));
	outcomeCounters.lastAcceptedNs.write(view, base + outcomeState.counters.offset, lastAcceptedNs);
	outcomeCounters.unanswered.write(view, base + outcomeState.counters.offset, 7);
	for (const { epoch, count, firstNs } of cells) {
		const { offset, stride, length } = outcomeState.waiting;
		const at = base + offset + (epoch % length) * stride;
		waitingCell.count.write(view, at, count);
		waitingCell.epoch.write(view, at, epoch);
		waitingCell.firstNs.write(view, at, firstNs ?? epoch * epochNs);
	}
	return view;
}

function read(cells: Cell[], lastAcceptedNs = 0) {
	const { counters, waiting, waitingUs } = readOutcomeState(stateWith(cells, lastAcceptedNs), 16, nowNs);
	return { unanswered: counters.unanswered, waiting, waitingUs };
}

describe('a destination that is listed', () => {
	it('begins with its key and nothing else, in as many octets as the kernel keeps', () => {
		const value = encodeOutcomeState(service, destination, outcomeState.layout.size + 8);
		assert.deepEqual(value.subarray(0, destinationKey.layout.size), encodeDestinationKey(service, destination));
		assert.ok(value.subarray(destinationKey.layout.size).every((octet) => octet === 0));
		assert.equal(value.length, outcomeState.layout.size + 8);
	});
});

describe('what stands of a destination', () => {
	it('is nothing where nothing was attempted', () => {
		assert.deepEqual(read([]), { unanswered: 7, waiting: 0, waitingUs: 0 });
	});

	it('counts an attempt as waiting until its epoch is four old, and as unanswered from then on', () => {
		const young = { epoch: nowEpoch - OUTCOME_SETTLED_EPOCHS + 1, count: 2 };
		const old = { epoch: nowEpoch - OUTCOME_SETTLED_EPOCHS, count: 3 };
		assert.deepEqual([read([young]).waiting, read([young]).unanswered], [2, 7]);
		assert.deepEqual([read([old]).waiting, read([old]).unanswered], [0, 10]);
		assert.deepEqual([read([young, old]).waiting, read([young, old]).unanswered], [2, 10]);
	});

	it('waits since the first attempt after the last acceptance', () => {
		const before = { epoch: nowEpoch - 2, count: 1, firstNs: nowNs - 900_000_000 };
		const after = { epoch: nowEpoch - 1, count: 1, firstNs: nowNs - 400_000_000 };
		assert.equal(read([before, after]).waitingUs, 900_000);
		assert.equal(read([before, after], nowNs - 900_000_000).waitingUs, 400_000);
		assert.equal(read([before, after], nowNs - 900_000_001).waitingUs, 900_000);
	});

	it('is not disturbed by a cell that was emptied', () => {
		assert.deepEqual(read([{ epoch: nowEpoch - 1, count: 0 }]), { unanswered: 7, waiting: 0, waitingUs: 0 });
	});

	it('has its latencies by powers of two, and the smoothed handshake', () => {
		const view = stateWith([]);
		const { handshakes, firstAnswers } = outcomeState;
		handshakes.of.write(view, 16 + handshakes.offset + 10 * handshakes.stride, 2 ** 32 + 5);
		firstAnswers.of.write(view, 16 + firstAnswers.offset + 23 * firstAnswers.stride, 1);
		outcomeState.handshakeUs.write(view, 16, 1_500);
		outcomeState.handshakeDeviationUs.write(view, 16, 200);
		const state = readOutcomeState(view, 16, nowNs);
		assert.equal(state.handshakes.length, 24);
		assert.equal(state.handshakes[10], 2 ** 32 + 5);
		assert.equal(state.firstAnswers[23], 1);
		assert.deepEqual([state.handshakeUs, state.handshakeDeviationUs], [1_500, 200]);
	});
});

describe('services without destinations', () => {
	it('are read one after the other, and one that cannot be named is left out', () => {
		const none = { address: '0.0.0.0', port: 0 };
		const mark: ServiceAddress = { kind: 'fwmark', family: 'inet6', fwmark: 7 };
		const unknown = new Uint8Array(destinationKey.layout.size).fill(1, 18, 19);
		const keys = [encodeDestinationKey(service, none), unknown, encodeDestinationKey(mark, none)];
		const values = new Uint8Array(3 * serviceOutcomes.layout.size);
		for (const [index, count] of [4, 5, 6].entries())
			serviceOutcomes.noDestination.write(viewOf(values), index * serviceOutcomes.layout.size, count);
		const entries = { keys: Uint8Array.from(keys.flatMap((key) => [...key])), values, count: 3 };
		assert.deepEqual(readServiceOutcomes(entries), [
			{ service, noDestination: 4 },
			{ service: mark, noDestination: 6 },
		]);
	});
});
