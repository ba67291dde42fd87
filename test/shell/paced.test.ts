import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Paced } from '../../src/shell/paced.js';

const settleMs = 200;
/** Promises that are ready have run by then. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Work that takes as long as the test lets it, and a clock that the test moves together with the timers. */
function setUp(mock: { tick(ms: number): void }) {
	let nowMs = 0;
	let began = 0;
	let finish: () => void = () => {};
	const work = () => {
		began += 1;
		return new Promise<void>((resolve) => {
			finish = resolve;
		});
	};
	const pass = (ms: number) => {
		nowMs += ms;
		mock.tick(ms);
	};
	const end = async () => {
		finish();
		await settled();
	};
	return { paced: new Paced(work, settleMs, () => nowMs), began: () => began, pass, end };
}

describe('work that many ask for', () => {
	test('is done once after the burst, not before', (t) => {
		t.mock.timers.enable({ apis: ['setTimeout'] });
		const { paced, began, pass } = setUp(t.mock.timers);
		paced.want();
		paced.want();
		pass(settleMs - 1);
		paced.want();
		assert.equal(began(), 0);
		pass(1);
		assert.equal(began(), 1);
		pass(60_000);
		assert.equal(began(), 1);
	});

	test('is done once more, and not beside itself, for whoever asks while it is under way', async (t) => {
		t.mock.timers.enable({ apis: ['setTimeout'] });
		const { paced, began, pass, end } = setUp(t.mock.timers);
		paced.want();
		pass(settleMs);
		paced.want();
		paced.want();
		pass(60_000);
		assert.equal(began(), 1);
		await end();
		pass(600_000);
		assert.equal(began(), 2);
		await end();
		pass(6_000_000);
		assert.equal(began(), 2);
	});

	test('rests ten times as long as it took', async (t) => {
		t.mock.timers.enable({ apis: ['setTimeout'] });
		const { paced, began, pass, end } = setUp(t.mock.timers);
		paced.want();
		pass(settleMs);
		pass(500);
		await end();
		paced.want();
		pass(4_999);
		assert.equal(began(), 1);
		pass(1);
		assert.equal(began(), 2);
	});

	test('is not begun after the end', async (t) => {
		t.mock.timers.enable({ apis: ['setTimeout'] });
		const { paced, began, pass, end } = setUp(t.mock.timers);
		paced.want();
		pass(settleMs);
		paced.want();
		paced.close();
		await end();
		paced.want();
		pass(60_000);
		assert.equal(began(), 1);
	});
});
