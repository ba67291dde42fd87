import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JournalLine } from '../../src/report/segments.js';
import { concerns, hasBeginning, lastStory } from '../../src/report/story.js';

const id = 'tcp 10.0.0.100:80 > 10.1.0.11:80';

function line(scenario: string, destination: string | undefined = id): JournalLine {
	const whose = destination === 'all' ? {} : { destination };
	return { at: '', bootMs: 0, scenario, ...whose, sentence: '', facts: {} };
}

const told = (...lines: JournalLine[]) => lastStory(lines).map(({ scenario, times }) => `${scenario} ${times}`);

describe('the story of the last decision', () => {
	test('begins with the last suspicion', () => {
		const lines = ['suspect', 'failed', 'quiesced', 'given-back', 'suspect', 'acquitted'].map((one) => line(one));
		assert.deepEqual(told(...lines), ['suspect 1', 'acquitted 1']);
		assert.equal(hasBeginning(lines), true);
	});

	test('goes over a restart, and makes one step of renewals', () => {
		const scenarios = ['suspect', 'failed', 'quiesced', 'renewed', 'renewed', 'resumed', 'renewed', 'given-back'];
		assert.deepEqual(told(...scenarios.map((one) => line(one))), [
			'suspect 1',
			'failed 1',
			'quiesced 1',
			'renewed 2',
			'resumed 1',
			'renewed 1',
			'given-back 1',
		]);
	});

	test('is all there is where its beginning is not known', () => {
		assert.deepEqual(told(line('resumed'), line('given-back')), ['resumed 1', 'given-back 1']);
		assert.equal(hasBeginning([line('resumed')]), false);
		assert.deepEqual(told(), []);
		assert.deepEqual(told(line('held', 'all'), line('hold-over', 'all')), []);
		assert.deepEqual(told(line('held', 'all'), line('hold-over', 'all'), line('held', 'all')), ['held 1']);
	});

	test('has the hold that stood when it began, and none that was over', () => {
		const own = [line('held'), line('suspect'), line('failed'), line('held-back')];
		assert.deepEqual(told(...own), ['held 1', 'suspect 1', 'failed 1', 'held-back 1']);
		assert.deepEqual(told(line('held'), line('hold-over'), line('suspect')), ['suspect 1']);
		assert.deepEqual(told(line('held', 'all'), line('held'), line('hold-over'), line('suspect')), [
			'held 1',
			'suspect 1',
		]);
	});

	test('is made of the lines of the destination, and of the holds on all', () => {
		assert.equal(concerns(line('failed'), id), true);
		assert.equal(concerns(line('failed', 'another'), id), false);
		assert.equal(concerns(line('held', 'all'), id), true);
		assert.equal(concerns(line('hold-over', 'all'), id), true);
		assert.equal(concerns(line('way-impaired', 'all'), id), false);
	});
});
