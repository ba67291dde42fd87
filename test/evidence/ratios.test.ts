import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { OutcomeReading } from '../../src/decode/outcome-state.js';
import { type RatioLimits, Ratios } from '../../src/evidence/ratios.js';
import { defaultPolicy } from '../../src/judge/policy.js';

const idle: OutcomeReading = { accepted: 0, failed: 0, asked: 0, answered: 0, handshakeUs: 800 };
const nobody = 'tcp 10.0.0.100:80 > 10.1.0.99:80';

/** What each destination did in one interval after another, and what is said of it in each. */
function weighed(rounds: Partial<OutcomeReading>[][], limits: RatioLimits = defaultPolicy): string[][] {
	const ratios = new Ratios();
	const totals = (rounds[0] ?? []).map(() => ({ ...idle }));
	const readings = () => new Map(totals.map((total, index) => [`d${index}`, { ...total }]));
	const weigh = () => {
		const now = readings();
		const said = ratios.weigh([...now.keys(), nobody], now, limits);
		ratios.turn();
		return said.map(({ name, scope, detail }) => {
			const whom = scope.kind === 'destination' ? scope.destination : '';
			return `${name} ${whom}: ${detail}`;
		});
	};
	assert.deepEqual(weigh(), [], 'the first reading says nothing');
	return rounds.map((round) => {
		for (const [index, did] of round.entries())
			for (const key of ['accepted', 'failed', 'asked', 'answered'] as const) {
				const total = totals[index];
				if (total) total[key] += did[key] ?? 0;
			}
		return weigh();
	});
}

const did = (accepted: number, failed: number) => ({ accepted, failed });
const answered = (good: number, all: number) => ({ asked: all, answered: good });

describe('completion', () => {
	test('less than half, where the others complete twice as many, is told with its figures', () =>
		assert.deepEqual(weighed([[did(9, 11), did(20, 0), did(20, 0)]]), [
			['outlier d0: 9 of 20 attempts were accepted, 100 % at the others'],
		]));

	test('half is not less than half', () => assert.deepEqual(weighed([[did(10, 10), did(20, 0)]]), [[]]));

	test('too few attempts say nothing, of it and of the others', () => {
		assert.deepEqual(weighed([[did(8, 11), did(20, 0)]]), [[]]);
		assert.deepEqual(weighed([[did(9, 11), did(19, 0)]]), [[]]);
	});

	test('a flood that nobody completes strikes all alike', () =>
		assert.deepEqual(weighed([[did(20, 1_000), did(20, 1_000), did(20, 1_000)]]), [[]]));

	test('the only destination has nobody to be compared with', () => assert.deepEqual(weighed([[did(0, 100)]]), [[]]));

	test('of five, one is an outlier by the deviation: 1, 1, 1, 1 and 0.5 give a threshold of 0.52', () => {
		const round = [did(20, 0), did(20, 0), did(20, 0), did(20, 0), did(10, 10)];
		assert.deepEqual(weighed([round]), [['outlier d4: 10 of 20 attempts were accepted, 100 % at the others']]);
		assert.deepEqual(weighed([round.slice(1)]), [[]], 'four are too few');
	});

	test('a deviation that nobody would notice is none', () => {
		const round = [did(100, 0), did(100, 0), did(100, 0), did(100, 0), did(95, 5)];
		assert.deepEqual(weighed([round]), [[]]);
	});
});

describe('answering', () => {
	test('less than half, where the others answer twice as many, is a brown-out', () =>
		assert.deepEqual(weighed([[answered(2, 40), answered(39, 40)]]), [
			['brown-out d0: 2 of 40 requests were answered, 98 % at the others; handshakes take 0.8 ms'],
		]));

	test('its own past counts where all others are as bad, and where there are none', () => {
		const [first, second] = weighed([[answered(40, 40)], [answered(2, 40)]]);
		assert.deepEqual(first, []);
		assert.deepEqual(second, [
			'brown-out d0: 2 of 40 requests were answered, 100 % here before; handshakes take 0.8 ms',
		]);
	});

	test('who never answered more is no worse than usual', () =>
		assert.deepEqual(weighed([[answered(2, 40)], [answered(2, 40)], [answered(2, 40)]]), [[], [], []]));

	test('what is usual outlasts a brown-out', () => {
		const bad = [answered(0, 40)];
		const rounds = weighed([[answered(40, 40)], ...Array.from({ length: 50 }, () => bad)]);
		assert.ok(rounds.slice(1).every((said) => said.length === 1));
	});

	test('too few requests say nothing', () => assert.deepEqual(weighed([[answered(2, 19), answered(39, 40)]]), [[]]));
});

test('counters that fell, or a destination that is back after a round, begin anew', () => {
	const ratios = new Ratios();
	const at = (first: Partial<OutcomeReading>) =>
		new Map([
			['d0', { ...idle, ...first }],
			['d1', { ...idle, accepted: 1_000 }],
		]);
	const weigh = (readings: ReadonlyMap<string, OutcomeReading>) => {
		const said = ratios.weigh(['d0', 'd1'], readings, { ...defaultPolicy, ratioVolumeMin: 1 });
		ratios.turn();
		return said;
	};
	weigh(at({ accepted: 500 }));
	assert.deepEqual(weigh(at({ accepted: 3, failed: 100 })), []);
	weigh(new Map());
	assert.deepEqual(weigh(at({ accepted: 3, failed: 400 })), []);
});

test('nobody is told to differ from others that did just the same', () =>
	fc.assert(
		fc.property(fc.nat(1_000), fc.nat(1_000), fc.integer({ min: 2, max: 20 }), (good, bad, size) => {
			const same = Array.from({ length: size }, () => ({ ...did(good, bad), ...answered(good, good + bad) }));
			assert.deepEqual(weighed([same]), [[]]);
		}),
	));
