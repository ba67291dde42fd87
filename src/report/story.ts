/**
 * The story of a destination's last decision, out of its journal lines: from the suspicion that began it to where it has
 * come, and the hold under which it began, if any. What the scenarios mean is the judge's; here lines are only chosen.
 */
import type { DestinationId } from '../table/identity.js';
import type { JournalLine } from './segments.js';

/** One step of a story: lines of one scenario that follow each other (renewals) are one step, the newest. */
export interface Step extends JournalLine {
	/** How many lines it stands for. */
	times: number;
}

/** Whether a line belongs to the history of this destination: its own, those of its service, and the holds on all. */
export function concerns(line: JournalLine, id: DestinationId): boolean {
	if (line.destination !== undefined) return line.destination === id;
	return line.service === undefined ? isHold(line) : id.startsWith(`${line.service} > `);
}

/** Whether these lines go back to where the last decision began. */
export function hasBeginning(lines: JournalLine[]): boolean {
	return lines.some(begins);
}

/** @param lines Those that concern the destination, oldest first. */
export function lastStory(lines: JournalLine[]): Step[] {
	const suspicion = lines.findLastIndex(begins);
	const start = suspicion >= 0 ? suspicion : firstOwn(lines);
	const before = standingHolds(lines.slice(0, start));
	return steps([...before, ...lines.slice(start)]);
}

/** Where the beginning is not to be had, the story is all there is; holds on all are no story of one. */
function firstOwn(lines: JournalLine[]): number {
	const first = lines.findIndex(({ destination }) => destination !== undefined);
	return first >= 0 ? first : lines.length;
}

/** A suspicion comes before everything that ipvigil does about a server; a brown-out may be all that is told. */
function begins({ scenario }: JournalLine): boolean {
	return scenario === 'suspect' || scenario === 'brown-out';
}

function isHold({ scenario }: JournalLine): boolean {
	return scenario === 'held' || scenario === 'hold-over';
}

/** Of the hold on all, and of the one on the destination, the last word, where that is not that it is over. */
function standingHolds(lines: JournalLine[]): JournalLine[] {
	const last = new Map(lines.filter(isHold).map((line) => [line.destination, line]));
	return [...last.values()].filter(({ scenario }) => scenario === 'held');
}

function steps(lines: JournalLine[]): Step[] {
	const told: Step[] = [];
	for (const line of lines) {
		const last = told.at(-1);
		const isSame = last?.scenario === line.scenario && last.destination === line.destination;
		if (last && isSame) told[told.length - 1] = { ...line, times: last.times + 1 };
		else told.push({ ...line, times: 1 });
	}
	return told;
}
