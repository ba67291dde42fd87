/**
 * The journal read backwards, a segment at a time, for who wants the last of something: reading ends with the segment that
 * holds enough. Lines that are none are counted, so that nobody thinks all is there. It needs no running daemon.
 */
import type { DestinationId } from '../table/identity.js';
import { type JournalLine, readSegment, segmentName, segmentNumbers } from './segments.js';

export interface History {
	/** Oldest first. */
	lines: JournalLine[];
	/** Lines that could not be read, in the segments that were. */
	unreadable: number;
	/** There is more before it, which was not read or not kept. */
	cut: boolean;
}

/** A lease of an hour is some twenty lines; ten thousand lines are a destination that never came to rest. */
const linesMax = 10_000;
/** Twice the largest table that we are built for. */
const namesMax = 32_768;

/**
 * The newest lines that `concerns` wants, back to the segment with which there is enough; at most `linesMax`.
 * @throws the file system's error where the directory cannot be read.
 */
export async function readHistory(
	directory: string,
	concerns: (line: JournalLine) => boolean,
	isEnough: (lines: JournalLine[]) => boolean,
): Promise<History> {
	const history: History = { lines: [], unreadable: 0, cut: false };
	for (const number of (await segmentNumbers(directory)).reverse()) {
		if (history.lines.length > linesMax || isEnough(history.lines)) return { ...history, cut: true };
		const older: JournalLine[] = [];
		for await (const line of readSegment(directory, segmentName(number))) {
			if ('unreadable' in line) history.unreadable += 1;
			else if (concerns(line)) older.push(line);
		}
		history.lines.unshift(...older.slice(-linesMax));
	}
	return history;
}

/** The destinations that the journal speaks of, the newest first, at most `namesMax`. @throws as `readHistory`. */
export async function destinationsIn(directory: string): Promise<Set<DestinationId>> {
	const names = new Set<DestinationId>();
	for (const number of (await segmentNumbers(directory)).reverse()) {
		for await (const line of readSegment(directory, segmentName(number))) {
			if (names.size >= namesMax) return names;
			if ('destination' in line && line.destination !== undefined) names.add(line.destination);
		}
	}
	return names;
}
