import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { explain } from '../../src/capture/availability.js';
import { checkLayout, LayoutMismatchError, u32Constant, u64Constant } from '../../src/capture/programs.js';
import * as layouts from '../../src/decode/layout.generated.js';

const sizes = new Map(
	Object.values<unknown>(layouts)
		.filter((value): value is { layout: { name: string; size: number } } => Object.hasOwn(Object(value), 'layout'))
		.map(({ layout }) => [layout.name, layout.size]),
);

describe('the layout guard', () => {
	it('lets an object of the same layout pass', () => {
		assert.ok(sizes.size >= 10);
		checkLayout((struct) => sizes.get(struct));
	});

	it('refuses another size and names both', () => {
		const other = (struct: string) => (struct === 'refusal_event' ? 80 : sizes.get(struct));
		assert.throws(() => checkLayout(other), /refusal_event has 80 octets in the BPF object, and 72 octets/);
	});

	it('refuses an object that lacks a struct', () => {
		assert.throws(() => checkLayout(() => undefined), LayoutMismatchError);
	});

	it('is told to the operator with a remedy', () => {
		const { code, remedy } = explain('wire', new LayoutMismatchError({ name: 'refusal_event', size: 72 }, 80));
		assert.deepEqual([code, remedy], ['LAYOUT_MISMATCH', 'npm run build']);
	});
});

describe('constants', () => {
	it('are little-endian words', () => {
		assert.deepEqual([...u32Constant(0x01020304)], [4, 3, 2, 1]);
		assert.deepEqual([...u64Constant(20_000_000)], [0, 0x2d, 0x31, 1, 0, 0, 0, 0]);
	});
});

describe('an explanation', () => {
	const cases: [unknown, string, RegExp, RegExp][] = [
		[{ code: 'EBUSY', message: 'EBUSY: busy' }, 'EBUSY', /already attached/, /attach: tc/],
		[{ code: 'EPERM', message: 'EPERM' }, 'EPERM', /not permit/, /CAP_BPF/],
		[{ code: 'EOPNOTSUPP', message: 'x' }, 'EOPNOTSUPP', /native XDP/, /xdp-generic/],
		[{ code: 'EINVAL', message: 'x', log: 'first\nR1 is bad\n\n' }, 'EINVAL', /wire: x/, /R1 is bad/],
		['a word', 'UNKNOWN', /a word/, /doctor/],
	];
	for (const [thrown, code, reason, remedy] of cases) {
		it(`of ${JSON.stringify(thrown)} says why and what to do`, () => {
			const why = explain('wire', thrown);
			assert.equal(why.available, false);
			assert.equal(why.code, code);
			assert.match(why.reason, reason);
			assert.match(why.remedy, remedy);
		});
	}
});
