import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { destinationsIn, readHistory } from '../../src/report/journal-reader.js';
import { segmentName } from '../../src/report/segments.js';
import { temporaryDirectory } from '../remedy/example.js';

const line = (destination: string, scenario: string, bootMs: number) =>
	`${JSON.stringify({ at: '2026-01-02T03:04:05.678Z', bootMs, scenario, destination, sentence: 's', facts: {} })}\n`;

function write(directory: string, number: number, ...lines: string[]): void {
	writeFileSync(join(directory, segmentName(number)), lines.join(''));
}

const of = (id: string) => (one: { destination?: string }) => one.destination === id;
const whole = () => false;

describe('the journal read backwards', () => {
	test('gives the lines in their order over all segments, and counts what is no line', async (t) => {
		const directory = temporaryDirectory(t);
		write(directory, 1, line('a', 'suspect', 1), 'torn\n', line('b', 'suspect', 2));
		write(directory, 2, line('a', 'failed', 3), line('a', 'quiesced', 4).slice(0, 30));
		const history = await readHistory(directory, of('a'), whole);
		assert.deepEqual(
			history.lines.map(({ bootMs }) => bootMs),
			[1, 3],
		);
		assert.deepEqual([history.unreadable, history.cut], [2, false]);
	});

	test('ends with the segment that holds enough, and says that there is more', async (t) => {
		const directory = temporaryDirectory(t);
		write(directory, 1, line('a', 'suspect', 1), 'torn\n');
		write(directory, 2, line('a', 'suspect', 2));
		write(directory, 3, line('a', 'failed', 3));
		const began = (lines: { scenario: string }[]) => lines.some(({ scenario }) => scenario === 'suspect');
		const history = await readHistory(directory, of('a'), began);
		assert.deepEqual(
			history.lines.map(({ bootMs }) => bootMs),
			[2, 3],
		);
		assert.deepEqual([history.unreadable, history.cut], [0, true]);
	});

	test('keeps the newest of too many lines', async (t) => {
		const directory = temporaryDirectory(t);
		write(directory, 1, line('a', 'suspect', 0));
		write(directory, 2, ...Array.from({ length: 10_001 }, (_, index) => line('a', 'renewed', index + 1)));
		const { lines } = await readHistory(directory, of('a'), whole);
		assert.equal(lines.at(-1)?.bootMs, 10_001);
		assert.ok(lines.length <= 10_001, `${lines.length}`);
	});

	test('knows the destinations that it speaks of', async (t) => {
		const directory = temporaryDirectory(t);
		write(directory, 1, line('old', 'suspect', 1), 'torn\n');
		write(directory, 2, line('new', 'suspect', 2), line('new', 'failed', 3));
		assert.deepEqual([...(await destinationsIn(directory))], ['new', 'old']);
	});

	test('that nobody has written is told as the file system tells it', async (t) => {
		const directory = temporaryDirectory(t);
		rmSync(directory, { recursive: true });
		await assert.rejects(readHistory(directory, of('a'), whole), { code: 'ENOENT' });
	});
});
