/**
 * The journal's files on disk: their names, and reading them back in order for `events` and `explain`. Reading needs no
 * running daemon and disturbs none.
 */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { JournalEntry } from '../judge/action.js';

/** One line of the journal as it stands on disk. */
export interface JournalLine extends JournalEntry {
	/** Wall clock, ISO 8601 in UTC. */
	at: string;
	/** Boot clock, milliseconds: comparable within one boot only. */
	bootMs: number;
}

/** A line that is none, torn off by a death or a full disk: told by whoever reads, so that nobody thinks all is there. */
export interface UnreadableLine {
	unreadable: string;
	segment: string;
}

/** `journal-000001.ndjson`: sorted by name is sorted by age. */
export function segmentName(number: number): string {
	return `journal-${String(number).padStart(6, '0')}.ndjson`;
}

/** The numbers of the segments in a directory, oldest first. */
export async function segmentNumbers(directory: string): Promise<number[]> {
	const names = await readdir(directory);
	return names
		.map((name) => Number(/^journal-(\d{6,12})\.ndjson$/.exec(name)?.[1] ?? Number.NaN))
		.filter(Number.isInteger)
		.sort((a, b) => a - b);
}

/**
 * All lines, oldest first. A segment that is removed while we read is passed over: it was the oldest.
 * @throws the file system's error where the directory cannot be read.
 */
export async function* readJournal(directory: string): AsyncGenerator<JournalLine | UnreadableLine> {
	for (const number of await segmentNumbers(directory)) yield* readSegment(directory, segmentName(number));
}

/** The lines of one segment, oldest first; none where it has been removed. */
export async function* readSegment(directory: string, segment: string): AsyncGenerator<JournalLine | UnreadableLine> {
	try {
		const input = createReadStream(join(directory, segment), 'utf8');
		for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
			yield parseLine(line) ?? { unreadable: line, segment };
		}
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
	}
}

function parseLine(line: string): JournalLine | undefined {
	try {
		const value = JSON.parse(line) as Partial<JournalLine> | null;
		const whole =
			typeof value?.at === 'string' && typeof value.bootMs === 'number' && typeof value.sentence === 'string';
		return whole ? (value as JournalLine) : undefined;
	} catch {
		return undefined;
	}
}
