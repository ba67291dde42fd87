import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Declaration, exposition, labelText } from '../../src/report/exposition.js';

test('a metric is its help, its type and its series', async () => {
	const text = await exposition(
		[
			{ name: 'a_total', help: 'As.', type: 'counter', read: (view: { n: number }, sample) => sample('', view.n) },
			{
				name: 'b',
				help: 'Bs.',
				type: 'gauge',
				read: (_view, sample) => {
					sample(labelText({ x: '1' }), 0.5);
					sample(labelText({ x: '2', y: '' }), -1);
				},
			},
		],
		{ n: 7 },
	);
	assert.equal(
		text,
		'# HELP a_total As.\n# TYPE a_total counter\na_total 7\n# HELP b Bs.\n# TYPE b gauge\nb{x="1"} 0.5\nb{x="2",y=""} -1\n',
	);
});

test('a label value cannot break out of its quotes or its line', () => {
	assert.equal(labelText({ reason: 'a "b"\\\n}' }), 'reason="a \\"b\\"\\\\\\n}"');
});

test('decisions have their turn while a large table is printed', async () => {
	let turns = 0;
	const declaration: Declaration<undefined> = {
		name: 'a',
		help: 'As.',
		type: 'gauge',
		read: (_, sample) => sample('', 1),
	};
	const counting = setInterval(() => {}, 1_000);
	const count = () => {
		turns += 1;
		if (counting.hasRef()) setImmediate(count);
	};
	setImmediate(count);
	await exposition(Array(10).fill(declaration), undefined);
	clearInterval(counting.unref());
	assert.ok(turns >= 9, `${turns} turns`);
});
