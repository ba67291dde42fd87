import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JournalLine } from '../../src/report/segments.js';
import { concerns, hasBeginning, lastStory, reachesBeginning } from '../../src/report/story.js';

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

	test('begins with a brown-out only where nothing else is under way', () => {
		const began = (...scenarios: string[]) => told(...scenarios.map((one) => line(one)))[0];
		const taken = ['suspect', 'failed', 'quiesced'];
		assert.equal(began(...taken, 'brown-out', 'brown-out-over', 'renewed'), 'suspect 1');
		assert.equal(began(...taken, 'recovering', 'step-up', 'brown-out'), 'suspect 1');
		assert.equal(began('suspect', 'cannot-confirm', 'brown-out'), 'suspect 1');
		assert.equal(began('resumed', 'brown-out'), 'resumed 1');
		for (const end of ['given-back', 'give-back-dry-run', 'returned-to-monitor', 'yielded', 'gone', 'resume-dropped'])
			assert.equal(began(...taken, end, 'brown-out', 'brown-out-over'), 'brown-out 1', end);
		assert.equal(began('suspect', 'acquitted', 'brown-out'), 'brown-out 1');
		assert.equal(began('suspect', 'suspicion-over', 'brown-out'), 'brown-out 1');
		assert.equal(began('suspect', 'failed', 'observed-only', 'recovering', 'brown-out'), 'brown-out 1');
		assert.equal(began('suspect', 'failed', 'put-in', 'brown-out'), 'brown-out 1');
	});

	test('that began with a brown-out is known to be whole where something ended before it', () => {
		const reaches = (...scenarios: string[]) => reachesBeginning(scenarios.map((one) => line(one)));
		assert.equal(reaches('suspect', 'failed'), true);
		assert.equal(reaches('brown-out', 'brown-out-over'), false);
		assert.equal(reaches('renewed', 'given-back', 'brown-out'), true);
		assert.equal(reaches('renewed', 'brown-out', 'given-back'), false);
		assert.equal(reaches('recovering', 'given-back'), false);
	});

	test("has the director's own faults that fell into it, and no others", () => {
		const ways = [line('way-impaired', 'all'), line('way-restored', 'all')];
		const [impaired, restored] = ways as [JournalLine, JournalLine];
		assert.deepEqual(told(impaired, line('suspect'), restored, impaired, line('acquitted'), restored), [
			'suspect 1',
			'way-restored 1',
			'way-impaired 1',
			'acquitted 1',
		]);
		assert.deepEqual(told(line('suspect'), impaired, line('held', 'all')), ['suspect 1', 'held 1']);
		assert.deepEqual(told(...ways), []);
	});

	test('is made of the lines of the destination, of the holds on all, and of the director', () => {
		assert.equal(concerns(line('failed'), id), true);
		assert.equal(concerns(line('failed', 'another'), id), false);
		assert.equal(concerns(line('held', 'all'), id), true);
		assert.equal(concerns(line('hold-over', 'all'), id), true);
		assert.equal(concerns(line('way-impaired', 'all'), id), true);
	});
});
