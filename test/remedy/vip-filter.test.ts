/**
 * The filter's verdicts, by an interpreter of classic BPF (Documentation/networking/filter.rst). That the kernel takes the
 * program and means the same, `test/kernel/vip-filter.test.ts` shows.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { littleEndian } from '../../src/netlink/bytes.js';
import { answerFilter } from '../../src/remedy/vip-filter.js';
import {
	acceptance,
	implausible,
	inet,
	inet6,
	plausible,
	refusal,
	samples,
	segmentFrame,
	tunnelled,
	unreachableFrame,
} from './vip-samples.js';
import { sentBy } from './vip-sent.js';

/** How many octets the program lets through. A load beyond the frame's end drops it. */
function verdict(program: Uint8Array, frame: Uint8Array): number {
	const code = new DataView(program.buffer);
	const data = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
	let accumulator = 0;
	let index = 0;
	const read = (offset: number, size: 1 | 2 | 4): boolean => {
		if (offset + size > data.byteLength) return false;
		if (size === 1) accumulator = data.getUint8(offset);
		else accumulator = size === 2 ? data.getUint16(offset) : data.getUint32(offset);
		return true;
	};
	for (let at = 0; ; at += 8) {
		const value = code.getUint32(at + 4, littleEndian);
		const jump = (isSo: boolean) => {
			at += 8 * code.getUint8(at + (isSo ? 2 : 3));
			return true;
		};
		const steps: Record<number, () => boolean> = {
			32: () => read(value, 4),
			40: () => read(value, 2),
			48: () => read(value, 1),
			72: () => read(index + value, 2),
			80: () => read(index + value, 1),
			21: () => jump(accumulator === value),
			53: () => jump(accumulator >= value),
			69: () => jump((accumulator & value) !== 0),
			177: () => {
				if (value >= data.byteLength) return false;
				index = 4 * (data.getUint8(value) & 0x0f);
				return true;
			},
		};
		const operation = code.getUint16(at, littleEndian);
		if (operation === 6) return value;
		const step = steps[operation] ?? assert.fail(`no instruction: ${operation}`);
		if (!step()) return 0;
	}
}

for (const sample of samples) {
	const { way } = sample;
	const isInet6 = sample === inet6;
	const program = answerFilter(way.source);
	const taken = (frame: Uint8Array) => verdict(program, frame);

	describe(`the filter for answers to ${way.source}`, () => {
		test('takes what may be an answer, and cuts it to what is read', () => {
			for (const frame of plausible(sample, sentBy(sample).syn)) assert.equal(taken(frame), 646);
		});

		test('drops what no server says to this address of ours', () => {
			for (const frame of implausible(sample, sentBy(sample).syn)) assert.equal(taken(frame), 0);
		});

		test('drops other protocols and other ICMP messages', () => {
			const change = (frame: Uint8Array, at: number, octet: number) => frame.with(at, octet);
			const segment = segmentFrame(sample, { flags: acceptance });
			assert.equal(taken(change(segment, isInet6 ? 20 : 23, 17)), 0);
			const error = unreachableFrame(sample, sentBy(sample).syn, 1);
			for (const type of [0, 2, 5, 8, 11, 128, 135]) assert.equal(taken(change(error, isInet6 ? 54 : 34, type)), 0);
		});

		test('is long enough for the longest answer, its options and 512 octets of data, and drops one that ends before what decides', () => {
			const longest = tunnelled(sample, { type: 'gue', port: 6080 });
			const frame = unreachableFrame(longest, sentBy(longest).syn, 1);
			assert.ok(frame.length + 40 <= taken(frame), `${frame.length} octets, and 40 of IPv4 options`);
			const port = isInet6 ? 57 : 37;
			assert.equal(taken(segmentFrame(sample, { flags: refusal }).subarray(0, port)), 0);
			assert.equal(taken(segmentFrame(sample, { flags: refusal }).subarray(0, port + 1)), 646);
			for (let length = 0; length < 34; length++) assert.equal(taken(frame.subarray(0, length)), 0);
		});
	});
}

test('a fragment that is not the first has no ports, and options move them', () => {
	const program = answerFilter(inet.way.source);
	const frame = segmentFrame(inet, { flags: acceptance });
	assert.equal(verdict(program, frame.with(21, 1)), 0);
	const withOptions = new Uint8Array([...frame.subarray(0, 34), 1, 1, 1, 1, ...frame.subarray(34)]);
	assert.equal(verdict(program, withOptions.with(14, 0x46)), 646);
	assert.equal(verdict(program, withOptions), 0);
});
