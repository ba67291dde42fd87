import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { Ledger } from '../../src/remedy/ledger.js';
import { type TableWriter, type WeightOptions, Weights } from '../../src/remedy/weights.js';
import type { Destination, Service } from '../../src/table/model.js';
import { lease, server, serviceOf, temporaryDirectory } from './example.js';

/** A table of one service in memory; `onWrite` may fail before or after the write has taken effect. */
class Table implements TableWriter {
	written: Destination[] = [];
	/** Without another that has a weight nothing is taken out. */
	others: Destination[] = [{ ...server, address: '10.1.0.99' }];
	#torn = false;
	onRead: () => void = () => {};
	onWrite: (when: 'before' | 'after') => void = () => {};

	constructor(public destinations: Destination[]) {}

	/** The next reading misses every destination, as a dump may that others write during. */
	tearNext(): void {
		this.#torn = true;
	}

	async service(): Promise<Service | undefined> {
		this.onRead();
		const read = this.#torn ? [] : [...this.destinations, ...this.others];
		this.#torn = false;
		return serviceOf(...read);
	}

	async setDestination(_service: unknown, destination: Destination): Promise<'done' | 'gone'> {
		this.onWrite('before');
		const at = this.destinations.findIndex(({ address }) => address === destination.address);
		if (at < 0) return 'gone';
		this.destinations[at] = destination;
		this.written.push(destination);
		this.onWrite('after');
		return 'done';
	}
}

function setUp(t: TestContext, destinations: Destination[], options: Partial<WeightOptions> = {}) {
	const directory = temporaryDirectory(t);
	const table = new Table(destinations);
	const ledger = new Ledger(directory);
	return {
		directory,
		table,
		ledger,
		weights: new Weights({ table, ledger, dryRun: false, nowMs: () => lease.sinceMs, ...options }),
	};
}

const quiesced = { ...server, weight: 0 };
const fail = (message: string) => () => {
	throw new Error(message);
};

describe('taking a destination out', () => {
	test('enters the lease before the weight is written', async (t) => {
		const { table, ledger, weights } = setUp(t, [server]);
		let entered: unknown;
		table.onWrite = () => {
			entered ??= ledger.read(lease)?.lease;
		};
		assert.equal((await weights.take(lease, 3, 0)).result, 'done');
		assert.deepEqual(entered, lease);
		assert.deepEqual(ledger.read(lease)?.lease, lease);
	});

	test('writes the weight alone: every other attribute as it stands now, not as the lease knew it', async (t) => {
		const now = {
			...server,
			upperThreshold: 900,
			forwarding: 'tunnel' as const,
			tunnel: { type: 'gue' as const, port: 6080, flags: 1 },
		};
		const { table, weights } = setUp(t, [{ ...server, address: '10.1.0.12' }, now]);
		await weights.take(lease, 3, 0);
		assert.deepEqual(table.written, [{ ...now, weight: 0 }]);
	});

	test('writes nothing where another weight stands than was expected', async (t) => {
		const { table, ledger, weights } = setUp(t, [{ ...server, weight: 4 }]);
		const { result, detail } = await weights.take(lease, 3, 0);
		assert.equal(result, 'changed');
		assert.match(detail, /weight 4 stands there, not 3/);
		assert.deepEqual(table.written, []);
		assert.equal(ledger.read(lease), undefined);
	});

	test('finds what somebody writes over it at once: theirs stands, and nothing is owed', async (t) => {
		const { table, ledger, weights } = setUp(t, [server]);
		table.onWrite = (when) => {
			if (when === 'after') table.destinations = [{ ...server, weight: 7 }];
		};
		const { result, detail } = await weights.take(lease, 3, 0);
		assert.equal(result, 'changed');
		assert.match(detail, /weight 7 was written over our 0/);
		assert.equal(ledger.read(lease), undefined);
	});

	test('is done although it cannot be read afterwards', async (t) => {
		const { table, ledger, weights } = setUp(t, [server]);
		table.onWrite = (when) => {
			if (when === 'after') table.onRead = fail('ENOBUFS');
		};
		assert.equal((await weights.take(lease, 3, 0)).result, 'done');
		assert.deepEqual(ledger.read(lease)?.lease, lease);
	});

	test('one write at a time: the second reads what the first has left', async (t) => {
		const { table, weights } = setUp(t, [server]);
		const [first, second] = await Promise.all([weights.take(lease, 3, 0), weights.giveBack(lease)]);
		assert.deepEqual([first.result, second.result], ['done', 'done']);
		assert.deepEqual(
			table.written.map(({ weight }) => weight),
			[0, 3],
		);
	});

	test('writes nothing when its time is over: the helper has looked by then', async (t) => {
		const { table, ledger, weights } = setUp(t, [server], { nowMs: () => lease.untilMs });
		const { result, detail } = await weights.take(lease, 3, 0);
		assert.equal(result, 'failed');
		assert.match(detail, /its lease was over/);
		assert.deepEqual(table.written, []);
		assert.equal(ledger.read(lease), undefined);
		table.destinations = [quiesced];
		assert.equal((await weights.giveBack(lease)).result, 'done', 'giving back is never too late');
	});

	test('writes no 0 where no other destination has a weight by now, and any other weight', async (t) => {
		const { table, ledger, weights } = setUp(t, [server]);
		table.others = [{ ...server, address: '10.1.0.99', weight: 0 }];
		const { result, detail } = await weights.take(lease, 3, 0);
		assert.equal(result, 'failed');
		assert.match(detail, /no other destination/);
		assert.deepEqual([table.written, ledger.read(lease)], [[], undefined]);
		assert.equal((await weights.take({ ...lease, written: 1 }, 3, 1)).result, 'done');
	});

	test('finds a removed destination gone, before the read and after it', async (t) => {
		const { table, ledger, weights } = setUp(t, []);
		assert.equal((await weights.take(lease, 3, 0)).result, 'gone');
		table.destinations = [server];
		table.onWrite = () => {
			table.destinations = [];
		};
		assert.equal((await weights.take(lease, 3, 0)).result, 'gone');
		assert.equal(ledger.read(lease), undefined);
	});

	test('writes no weight where the ledger cannot be written', async (t) => {
		const { directory, table, weights } = setUp(t, [server]);
		rmSync(directory, { recursive: true });
		writeFileSync(directory, '');
		const { result, detail } = await weights.take(lease, 3, 0);
		assert.equal(result, 'failed');
		assert.match(detail, /ledger cannot be written/);
		assert.deepEqual(table.written, []);
	});

	test('leaves no lease where the write surely failed', async (t) => {
		const { table, ledger, weights } = setUp(t, [server]);
		table.onWrite = (when) => when === 'before' && fail('EPERM')();
		assert.deepEqual(await weights.take(lease, 3, 0), { result: 'failed', detail: 'EPERM' });
		assert.equal(ledger.read(lease), undefined);
		table.onRead = fail('no socket');
		assert.equal((await weights.take(lease, 3, 0)).result, 'failed');
		assert.equal(ledger.read(lease), undefined);
	});

	test('reads again when the reply was lost: the weight stands, so it is done', async (t) => {
		const { table, ledger, weights } = setUp(t, [server]);
		table.onWrite = (when) => when === 'after' && fail('timed out')();
		const { result, detail } = await weights.take(lease, 3, 0);
		assert.equal(result, 'done');
		assert.match(detail, /timed out/);
		assert.deepEqual(ledger.read(lease)?.lease, lease);
	});

	test('keeps the lease on record where nobody can say whether the weight was written', async (t) => {
		const { table, ledger, weights } = setUp(t, [server]);
		table.onWrite = (when) => {
			if (when === 'before') return;
			table.onRead = fail('no socket');
			throw new Error('timed out');
		};
		const { result, detail } = await weights.take(lease, 3, 0);
		assert.equal(result, 'unknown');
		assert.match(detail, /timed out; nor could the destination be read: no socket/);
		assert.deepEqual(ledger.read(lease)?.lease, lease);
	});

	test('does not believe a single reading that misses the destination', async (t) => {
		const { table, ledger, weights } = setUp(t, [server]);
		table.tearNext();
		assert.equal((await weights.take(lease, 3, 0)).result, 'done');
		assert.deepEqual(ledger.read(lease)?.lease, lease);
	});

	test('counts a weight of ours as ours until the change of it is through', async (t) => {
		const { table, ledger, weights } = setUp(t, [quiesced]);
		ledger.enter(lease);
		const step = { ...lease, written: 1 };
		const earlier: unknown[] = [];
		table.onWrite = () => earlier.push(ledger.read(lease)?.earlier);
		assert.equal((await weights.take(step, 0, 1)).result, 'done');
		const before = { weight: 0, pid: lease.pid };
		assert.deepEqual(earlier, [before, before]);
		assert.deepEqual(ledger.read(lease), { lease: step, earlier: undefined, trackFile: undefined });
	});

	test('puts the older lease back where the change of its weight failed', async (t) => {
		const { table, ledger, weights } = setUp(t, [quiesced]);
		ledger.enter(lease);
		table.onWrite = (when) => when === 'before' && fail('EPERM')();
		assert.equal((await weights.take({ ...lease, written: 1 }, 0, 1)).result, 'failed');
		assert.deepEqual(ledger.read(lease)?.lease, lease);
	});

	test('refuses a lease that speaks of another weight: that would be our own mistake', async (t) => {
		const { table, ledger, weights } = setUp(t, [server]);
		const { result, detail } = await weights.take({ ...lease, written: 1 }, 3, 0);
		assert.equal(result, 'failed');
		assert.match(detail, /the lease speaks of weight 1, the action of 0/);
		assert.deepEqual([table.written, ledger.read(lease)], [[], undefined]);
	});
});

describe('giving back', () => {
	test('writes the weight owed and clears the ledger', async (t) => {
		const { table, ledger, weights } = setUp(t, [{ ...quiesced, upperThreshold: 50 }]);
		ledger.enter(lease);
		assert.equal((await weights.giveBack(lease)).result, 'done');
		assert.deepEqual(table.written, [{ ...server, upperThreshold: 50 }]);
		assert.equal(ledger.read(lease), undefined);
	});

	test('leaves a weight that is not ours, and clears the ledger', async (t) => {
		const { table, ledger, weights } = setUp(t, [{ ...server, weight: 1 }]);
		ledger.enter(lease);
		assert.equal((await weights.giveBack(lease)).result, 'changed');
		assert.deepEqual(table.written, []);
		assert.equal(ledger.read(lease), undefined);
	});

	test('leaves our very weight where somebody else has written it since', async (t) => {
		const monitor = { pid: 99, comm: 'keepalived', own: false };
		const { table, weights } = setUp(t, [quiesced], { lastWriter: () => monitor });
		const { result, detail } = await weights.giveBack(lease);
		assert.equal(result, 'changed');
		assert.match(detail, /keepalived \(pid 99\)/);
		assert.deepEqual(table.written, []);
	});

	test('leaves our very weight where somebody else writes it while we read', async (t) => {
		let last = { pid: 4711, comm: 'ipvigil', own: true };
		const { table, weights } = setUp(t, [quiesced], { lastWriter: () => last });
		table.onRead = () => {
			last = { pid: 99, comm: 'keepalived', own: false };
		};
		assert.equal((await weights.giveBack(lease)).result, 'changed');
		assert.deepEqual(table.written, []);
	});

	test('writes nothing, and keeps the debt, where the last writer cannot be asked', async (t) => {
		const { table, ledger, weights } = setUp(t, [quiesced], { lastWriter: fail('EBADF') });
		ledger.enter(lease);
		const { result, detail } = await weights.giveBack(lease);
		assert.equal(result, 'failed');
		assert.match(detail, /who wrote it last could not be asked: EBADF/);
		assert.deepEqual([table.written, ledger.read(lease)?.lease], [[], lease]);
	});

	test('does not forget a debt for a single reading that misses the destination', async (t) => {
		const { table, weights } = setUp(t, [quiesced]);
		table.tearNext();
		assert.equal((await weights.giveBack(lease)).result, 'done');
		assert.equal(table.written[0]?.weight, 3);
	});

	test('keeps the debt on record where nobody can say whether it was paid', async (t) => {
		const { table, ledger, weights } = setUp(t, [quiesced]);
		ledger.enter(lease);
		table.onWrite = (when) => {
			if (when === 'before') return;
			table.onRead = fail('no socket');
			throw new Error('timed out');
		};
		assert.equal((await weights.giveBack(lease)).result, 'unknown');
		assert.deepEqual(ledger.read(lease)?.lease, lease);
	});

	test('gives back where we are the last writer, and where the audit map knows nothing', async (t) => {
		for (const writer of [{ pid: 4711, comm: 'ipvigil', own: true }, undefined]) {
			const { weights } = setUp(t, [quiesced], { lastWriter: () => writer });
			assert.equal((await weights.giveBack(lease)).result, 'done');
		}
	});

	test('gives back the older weight of a change that was cut short', async (t) => {
		const { table, ledger, weights } = setUp(t, [quiesced]);
		const step = { ...lease, written: 1 };
		ledger.enter(step, { weight: 0, pid: lease.pid });
		assert.equal((await weights.giveBack(step)).result, 'done');
		assert.equal(table.written[0]?.weight, 3);
	});

	test('keeps the debt on record where the write failed', async (t) => {
		const { table, ledger, weights } = setUp(t, [quiesced]);
		ledger.enter(lease);
		table.onWrite = (when) => when === 'before' && fail('EPERM')();
		assert.equal((await weights.giveBack(lease)).result, 'failed');
		assert.deepEqual(ledger.read(lease)?.lease, lease);
	});

	test('writes nothing where only a monitor was told, or where the weight is the monitor’s by now', async (t) => {
		for (const mine of [
			{ ...lease, written: undefined },
			{ ...lease, state: 'with-monitor' as const },
		]) {
			const { table, ledger, weights } = setUp(t, [quiesced]);
			ledger.enter(mine);
			assert.equal((await weights.giveBack(mine)).result, 'done');
			assert.deepEqual(table.written, []);
			assert.equal(ledger.read(mine), undefined);
		}
	});
});

describe('a dry run', () => {
	test('goes all the way but for the write, there and back', async (t) => {
		const { table, ledger, weights } = setUp(t, [server], { dryRun: true });
		assert.equal((await weights.take(lease, 3, 0)).result, 'dry-run');
		assert.deepEqual(ledger.read(lease)?.lease, lease);
		assert.equal((await weights.giveBack(lease)).result, 'dry-run');
		assert.equal(ledger.read(lease), undefined);
		assert.deepEqual(table.written, []);
	});

	test('still sees what would have stopped it', async (t) => {
		const { weights } = setUp(t, [{ ...server, weight: 4 }], { dryRun: true });
		assert.equal((await weights.take(lease, 3, 0)).result, 'changed');
		assert.equal((await weights.giveBack(lease)).result, 'changed');
	});
});
