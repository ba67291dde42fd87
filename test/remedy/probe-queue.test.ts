/** The bounds that all probers share, with questions that the test answers, and a clock of its own. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { PlaceTurns } from '../../src/remedy/place-turns.js';
import { type ProbeLimits, ProbeQueue, type ProbeResult } from '../../src/remedy/probe-queue.js';

const accepted: ProbeResult = { outcome: 'accepted', latencyMs: 1, detail: '' };

class Questions {
	readonly queue: ProbeQueue;
	/** Names of what was asked, in this order. */
	readonly asked: string[] = [];
	readonly #answers = new Map<string, (result: ProbeResult) => void>();

	constructor(limits: ProbeLimits) {
		this.queue = new ProbeQueue(limits);
	}

	put(place: string, name: string): Promise<ProbeResult> {
		return this.queue.put(`${place} ${name}`, place, () => {
			this.asked.push(`${place} ${name}`);
			return new Promise((resolve) => this.#answers.set(`${place} ${name}`, resolve));
		});
	}

	async answer(name: string): Promise<void> {
		this.#answers.get(name)?.(accepted);
		await settled();
	}
}

async function settled(): Promise<void> {
	for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

function clock(t: TestContext): void {
	t.mock.timers.enable({ apis: ['setTimeout'] });
	let nowMs = 0;
	t.mock.method(performance, 'now', () => nowMs);
	const tick = t.mock.timers.tick.bind(t.mock.timers);
	t.mock.timers.tick = (ms = 1) => {
		nowMs += ms;
		tick(ms);
	};
}

describe('the queue of probes', () => {
	test('asks one place so many questions at once, and another one meanwhile', async (t) => {
		clock(t);
		const questions = new Questions({ turns: new PlaceTurns({ perPlaceMax: 2, turnMs: 0 }) });
		for (const name of ['1', '2', '3']) void questions.put('a', name);
		void questions.put('b', '1');
		assert.deepEqual(questions.asked, ['a 1', 'a 2', 'b 1']);
		await questions.answer('a 2');
		assert.deepEqual(questions.asked.slice(3), ['a 3']);
	});

	test('keeps a turn for its time: a place has no more than so many in it, however fast it answers', async (t) => {
		clock(t);
		const questions = new Questions({ turns: new PlaceTurns({ perPlaceMax: 2, turnMs: 100 }) });
		for (const name of ['1', '2', '3', '4']) void questions.put('a', name);
		t.mock.timers.tick(30);
		await questions.answer('a 1');
		t.mock.timers.tick(69);
		assert.deepEqual(questions.asked, ['a 1', 'a 2']);
		t.mock.timers.tick(1);
		assert.deepEqual(questions.asked, ['a 1', 'a 2', 'a 3']);
		// A turn that took its time already is over with its answer.
		await questions.answer('a 2');
		assert.deepEqual(questions.asked, ['a 1', 'a 2', 'a 3', 'a 4']);
	});

	test('a place whose turns are kept holds up nobody else', async (t) => {
		clock(t);
		const questions = new Questions({ underWayMax: 1, turns: new PlaceTurns({ perPlaceMax: 1, turnMs: 100 }) });
		const first = questions.put('a', '1');
		for (const place of ['a', 'b']) void questions.put(place, '2');
		await questions.answer('a 1');
		assert.deepEqual(await first, accepted);
		assert.deepEqual(questions.asked, ['a 1', 'b 2']);
	});

	test('shares the turns of a place with other queues, which get what is free one after the other', async (t) => {
		clock(t);
		const shared = new PlaceTurns({ perPlaceMax: 1, turnMs: 100 });
		const [one, other] = [new Questions({ turns: shared }), new Questions({ turns: shared })];
		for (const name of ['1', '2', '3']) for (const questions of [one, other]) void questions.put('a', name);
		void other.put('b', '1');
		assert.deepEqual([one.asked, other.asked], [['a 1'], ['b 1']]);
		await one.answer('a 1');
		t.mock.timers.tick(100);
		assert.deepEqual([one.asked.length, other.asked.length], [2, 1]);
		await one.answer('a 2');
		t.mock.timers.tick(100);
		assert.deepEqual([one.asked.length, other.asked.slice(1)], [2, ['a 1']]);
		await other.answer('a 1');
		t.mock.timers.tick(100);
		assert.deepEqual([one.asked.slice(2), other.asked.length], [['a 3'], 2]);
	});

	test('a queue that is closed holds up no other one', async (t) => {
		clock(t);
		const shared = new PlaceTurns({ perPlaceMax: 1, turnMs: 100 });
		const [one, other] = [new Questions({ turns: shared }), new Questions({ turns: shared })];
		void one.put('a', '1');
		void other.put('a', '1');
		await one.answer('a 1');
		one.queue.close();
		t.mock.timers.tick(100);
		assert.deepEqual(other.asked, ['a 1']);
	});

	test('answers who waits when it is closed', async (t) => {
		clock(t);
		const questions = new Questions({ turns: new PlaceTurns({ perPlaceMax: 1, turnMs: 100 }) });
		void questions.put('a', '1');
		const waiting = questions.put('a', '2');
		await questions.answer('a 1');
		questions.queue.close();
		assert.equal((await waiting).outcome, 'error');
		t.mock.timers.tick(200);
		assert.deepEqual(questions.asked, ['a 1']);
		assert.equal((await questions.put('a', '3')).outcome, 'error');
	});
});
