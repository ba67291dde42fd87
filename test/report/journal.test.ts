import assert from 'node:assert/strict';
import {
	appendFileSync,
	closeSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmSync,
	statSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { JournalEntry } from '../../src/judge/action.js';
import { Journal, type JournalOptions } from '../../src/report/journal.js';
import { type JournalLine, readJournal, segmentName, type UnreadableLine } from '../../src/report/segments.js';
import { temporaryDirectory } from '../remedy/example.js';

const at = new Date('2026-01-02T03:04:05.678Z');
const entry = (number: number): JournalEntry => ({
	scenario: 'failed',
	sentence: `sentence ${number}`,
	facts: { number },
});

function open(directory: string, options: Partial<JournalOptions> = {}): Journal {
	return new Journal({ directory, segmentBytes: 1_000_000, segments: 4, retryMs: 20, ...options });
}

async function read(directory: string): Promise<(JournalLine | UnreadableLine)[]> {
	const lines = [];
	for await (const line of readJournal(directory)) lines.push(line);
	return lines;
}

async function numbers(directory: string): Promise<unknown[]> {
	return (await read(directory)).map((line) => ('facts' in line ? line.facts.number : line));
}

async function until(condition: () => boolean): Promise<void> {
	for (let i = 0; i < 500 && !condition(); i += 1) await new Promise((resolve) => setTimeout(resolve, 5));
	assert.ok(condition(), 'it did not come about within 2.5 s');
}

/** Closes this process's descriptor of a file, so that its owner's own close fails (EBADF). */
function closeBehindItsBack(path: string): void {
	const links = readdirSync('/proc/self/fd').filter((fd) => {
		try {
			return readlinkSync(`/proc/self/fd/${fd}`) === path;
		} catch {
			// The descriptor by which the directory itself was read.
			return false;
		}
	});
	assert.equal(links.length, 1);
	closeSync(Number(links[0]));
}

describe('the journal', () => {
	test('keeps each entry as one line with both clocks', async (t) => {
		const directory = join(temporaryDirectory(t), 'journal');
		const journal = open(directory);
		journal.write({ ...entry(1), service: 'tcp 10.0.0.100:80' }, 1234.5, at);
		await journal.close();
		assert.equal(
			readFileSync(join(directory, segmentName(1)), 'utf8'),
			'{"at":"2026-01-02T03:04:05.678Z","bootMs":1234.5,"scenario":"failed","sentence":"sentence 1",' +
				'"facts":{"number":1},"service":"tcp 10.0.0.100:80"}\n',
		);
		assert.equal(statSync(join(directory, segmentName(1))).mode & 0o007, 0);
	});

	test('keeps the order, across restarts too', async (t) => {
		const directory = temporaryDirectory(t);
		for (const start of [0, 100]) {
			const journal = open(directory);
			for (let i = 0; i < 100; i += 1) journal.write(entry(start + i), i, at);
			await journal.close();
		}
		assert.deepEqual(
			await numbers(directory),
			Array.from({ length: 200 }, (_, i) => i),
		);
		assert.deepEqual(readdirSync(directory), [segmentName(1)]);
	});

	test('begins a new segment where one is full, and drops the oldest beyond the count', async (t) => {
		const directory = temporaryDirectory(t);
		const journal = open(directory, { segmentBytes: 300, segments: 2 });
		for (let i = 0; i < 12; i += 1) {
			journal.write(entry(i), i, at);
			await until(() =>
				readdirSync(directory).some((name) => readFileSync(join(directory, name), 'utf8').includes(`"number":${i}}`)),
			);
		}
		await journal.close();
		const segments = readdirSync(directory).sort();
		assert.equal(segments.length, 2);
		for (const name of segments) assert.ok(statSync(join(directory, name)).size < 300 + 150);
		const kept = await numbers(directory);
		assert.equal(kept.at(-1), 11);
		assert.deepEqual(
			kept,
			Array.from({ length: kept.length }, (_, i) => 12 - kept.length + i),
		);
	});

	test('drops and counts what its queue cannot hold', async (t) => {
		const directory = temporaryDirectory(t);
		const journal = open(directory, { waitingMax: 3 });
		for (let i = 0; i < 5; i += 1) journal.write(entry(i), i, at);
		assert.equal(journal.losses.dropped, 2);
		await journal.close();
		assert.deepEqual(await numbers(directory), [0, 1, 2]);
		journal.write(entry(9), 9, at);
		assert.equal(journal.losses.dropped, 3);
	});

	test('tells trouble once, tries again, and writes all that it kept when the disk is back', async (t) => {
		const directory = join(temporaryDirectory(t), 'journal');
		writeFileSync(directory, 'a file where the directory should be');
		const told: string[] = [];
		const journal = open(directory, { onTrouble: (sentence) => told.push(sentence) });
		journal.write(entry(1), 1, at);
		await until(() => journal.losses.failedWrites >= 3);
		assert.equal(told.length, 1);
		assert.match(told[0] ?? '', /cannot be written/);
		rmSync(directory);
		journal.write(entry(2), 2, at);
		await until(() => told.length === 2);
		assert.match(told[1] ?? '', /written again/);
		await journal.close();
		assert.deepEqual(await numbers(directory), [1, 2]);
		assert.equal(journal.losses.dropped, 0);
	});

	test('counts what a full disk kept from being written, and closes all the same', async (t) => {
		const directory = temporaryDirectory(t);
		symlinkSync('/dev/full', join(directory, segmentName(1)));
		const journal = open(directory);
		journal.write(entry(1), 1, at);
		await until(() => journal.losses.failedWrites >= 1);
		await journal.close();
		assert.deepEqual({ ...journal.losses, failedWrites: 0 }, { dropped: 1, failedWrites: 0 });
	});

	test('closes without a rejection where the file itself cannot be closed, and tells it', async (t) => {
		const directory = temporaryDirectory(t);
		const told: string[] = [];
		const journal = open(directory, { onTrouble: (sentence) => told.push(sentence) });
		journal.write(entry(1), 1, at);
		const path = join(directory, segmentName(1));
		await until(() => existsSync(path) && statSync(path).size > 0);
		closeBehindItsBack(path);
		await journal.close();
		assert.equal(told.length, 1);
		assert.match(told[0] ?? '', /could not be closed \(EBADF/);
		assert.equal(journal.losses.failedWrites, 1);
	});

	test('begins a line of its own after a line that was torn off', async (t) => {
		const directory = temporaryDirectory(t);
		const first = open(directory);
		first.write(entry(1), 1, at);
		await first.close();
		appendFileSync(join(directory, segmentName(1)), '{"at":"2026');
		const second = open(directory);
		second.write(entry(2), 2, at);
		await second.close();
		assert.deepEqual(await numbers(directory), [1, { unreadable: '{"at":"2026', segment: segmentName(1) }, 2]);
	});
});

describe('reading the journal', () => {
	test('goes from the oldest segment to the newest, whatever else lies there', async (t) => {
		const directory = temporaryDirectory(t);
		const line = (number: number) => `${JSON.stringify({ at: at.toISOString(), bootMs: 1, ...entry(number) })}\n`;
		writeFileSync(join(directory, segmentName(10)), line(3));
		writeFileSync(join(directory, segmentName(9)), line(1) + line(2));
		writeFileSync(join(directory, 'notes.txt'), line(4));
		mkdirSync(join(directory, 'journal-x.ndjson'));
		assert.deepEqual(await numbers(directory), [1, 2, 3]);
	});

	test('hands on lines that are none as unreadable', async (t) => {
		const directory = temporaryDirectory(t);
		writeFileSync(join(directory, segmentName(1)), 'null\n7\n{}\nnonsense\n');
		assert.deepEqual(
			(await read(directory)).map((line) => 'unreadable' in line),
			[true, true, true, true],
		);
	});

	test('says so where there is no journal', async (t) => {
		await assert.rejects(read(join(temporaryDirectory(t), 'none')), { code: 'ENOENT' });
	});
});
