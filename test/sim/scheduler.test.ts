import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Scheduler } from './scheduler.js';

test('acts come in the order of time, and of asking where two fall together', async () => {
	const scheduler = new Scheduler();
	const order: string[] = [];
	for (const [name, atMs] of [
		['late', 30],
		['first', 10],
		['second', 10],
		['middle', 20],
	] as const)
		scheduler.at(atMs, () => order.push(`${name} ${scheduler.nowMs}`));
	scheduler.at(10, () => scheduler.at(5, () => order.push(`from the past ${scheduler.nowMs}`)));
	await scheduler.run(29, () => {});
	assert.deepEqual(order, ['first 10', 'second 10', 'from the past 10', 'middle 20']);
	assert.equal(scheduler.nowMs, 29);
	await scheduler.run(30, () => {});
	assert.equal(order.at(-1), 'late 30');
});

test('what is taken back does not come', async () => {
	const scheduler = new Scheduler();
	const cancel = scheduler.after(10, () => assert.fail('it came'));
	scheduler.after(5, cancel);
	await scheduler.run(20, () => {});
});

test('what an act settles is followed to its end before the next one, and every act is looked at', async () => {
	const scheduler = new Scheduler();
	const order: string[] = [];
	const chain = async (depth: number): Promise<void> => {
		if (depth > 0) return chain(depth - 1);
		order.push('the end of a long chain');
	};
	scheduler.after(1, () => {
		scheduler.touch();
		void chain(100);
	});
	scheduler.after(1, () => order.push('the next act'));
	await scheduler.run(1, () => order.push('a look'));
	assert.deepEqual(order, ['the end of a long chain', 'a look', 'the next act', 'a look']);
});
