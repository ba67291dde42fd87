import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OutcomeReading } from '../../src/decode/outcome-state.js';
import type { Signal } from '../../src/evidence/signal.js';
import { defaultPolicy } from '../../src/judge/policy.js';
import { createState } from '../../src/judge/state.js';
import { step } from '../../src/judge/step.js';
import { termsForAll } from '../../src/judge/terms.js';
import { Comparison } from '../../src/shell/comparison.js';
import { parseRules } from '../../src/table/rules.js';

const parsed = parseRules(
	[
		'-A -t 10.0.0.100:80 -s wrr',
		'-a -t 10.0.0.100:80 -r 10.1.0.11:80 -m',
		'-a -t 10.0.0.100:80 -r 10.1.0.12:80 -m',
	].join('\n'),
);
assert.ok(parsed.ok);
const { snapshot } = parsed;
const [one, two] = ['tcp 10.0.0.100:80 > 10.1.0.11:80', 'tcp 10.0.0.100:80 > 10.1.0.12:80'];
const idle: OutcomeReading = { accepted: 0, failed: 0, asked: 0, answered: 0, handshakeUs: 0 };

function stage(read: () => ReadonlyMap<string, OutcomeReading> | undefined = () => undefined) {
	const terms = termsForAll({ policy: { ...defaultPolicy, ratioIntervalMs: 5 } });
	const state = createState({ terms, pid: 1, dryRun: false, binding: false, seed: 1 });
	step(state, { kind: 'table', nowMs: 0, sinceMs: 0, snapshot });
	const accepting: string[][] = [];
	const signals: Signal[] = [];
	const failures: string[] = [];
	const comparison = new Comparison({
		state,
		read,
		nowMs: () => performance.now(),
		onAccepting: (destinations) => accepting.push(destinations),
		onSignal: (signal) => signals.push(signal),
		onFailure: ({ message }) => failures.push(message),
	});
	return { comparison, accepting, signals, failures };
}

const readings = (first: Partial<OutcomeReading>, second: Partial<OutcomeReading>) =>
	new Map([
		[one, { ...idle, ...first }],
		[two, { ...idle, ...second }],
	]);

test('who has accepted since the last round is told, and of the first round nobody can say', () => {
	const { comparison, accepting } = stage();
	comparison.compare(readings({ accepted: 7 }, { accepted: 9 }));
	comparison.compare(readings({ accepted: 7 }, { accepted: 10 }));
	comparison.compare(readings({ accepted: 7 }, { accepted: 10 }));
	assert.deepEqual(accepting, [[two]]);
});

test('a destination that differs from the others of its service is a signal', () => {
	const { comparison, signals } = stage();
	comparison.compare(readings({}, {}));
	comparison.compare(readings({ accepted: 2, failed: 38 }, { accepted: 40 }));
	assert.deepEqual(
		signals.map(({ name, scope }) => [name, scope]),
		[['outlier', { kind: 'destination', destination: one, port: undefined }]],
	);
});

test('rounds go on at their interval, over a reading that fails and one that there is not', async () => {
	const read = [
		() => readings({}, {}),
		() => {
			throw new Error('EIO');
		},
		() => undefined,
	];
	let rounds = 0;
	const { comparison, accepting, failures } = stage(() => read[rounds++]?.() ?? readings({ accepted: rounds }, {}));
	comparison.start();
	while (accepting.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
	comparison.close();
	assert.deepEqual(failures, ['EIO']);
	const ended = rounds;
	await new Promise((resolve) => setTimeout(resolve, 20));
	assert.equal(rounds, ended, 'none after it was closed');
});
