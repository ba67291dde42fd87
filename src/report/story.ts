/**
 * The story of a destination's last decision, out of its journal lines: from the suspicion that began it to where it has
 * come, the hold under which it began, if any, and the director's own faults on its way. What the scenarios mean is the judge's; here lines are only chosen.
 */
import type { DestinationId } from '../table/identity.js';
import type { JournalLine } from './segments.js';

/** One step of a story: lines of one scenario that follow each other (renewals) are one step, the newest. */
export interface Step extends JournalLine {
	/** How many lines it stands for. */
	times: number;
}

/**
 * Whether a line belongs to the history of this destination: its own, those of its service, the holds on all, and the
 * director's own faults, of which a story has those that fell into it.
 */
export function concerns(line: JournalLine, id: DestinationId): boolean {
	if (line.destination !== undefined) return line.destination === id;
	return line.service === undefined || id.startsWith(`${line.service} > `);
}

/** Whether these lines have where a decision began. */
export function hasBeginning(lines: JournalLine[]): boolean {
	return beginningOf(lines) >= 0;
}

/** Whether they surely go back to where the last decision began: a brown-out may belong to one that began before them. */
export function reachesBeginning(lines: JournalLine[]): boolean {
	const known = lines.findIndex(({ scenario }) => scenario === 'suspect' || endings.has(scenario));
	return known >= 0 && known <= beginningOf(lines);
}

/** @param lines Those that concern the destination, oldest first. */
export function lastStory(lines: JournalLine[]): Step[] {
	const beginning = beginningOf(lines);
	const start = beginning >= 0 ? beginning : firstOwn(lines);
	const before = standingHolds(lines.slice(0, start));
	return steps([...before, ...withinStory(lines.slice(start))]);
}

/** Where the beginning is not to be had, the story is all there is; what befell all is no story of one. */
function firstOwn(lines: JournalLine[]): number {
	const first = lines.findIndex(({ destination }) => destination !== undefined);
	return first >= 0 ? first : lines.length;
}

/** A fault of the director's own after the last line about the destination or its service is another story. */
function withinStory(lines: JournalLine[]): JournalLine[] {
	const last = lines.findLastIndex(({ destination, service }) => (destination ?? service) !== undefined);
	return lines.filter((line, index) => index <= last || isHold(line));
}

/** With these the weight is, or would be, under a lease. */
const takings = new Set([
	'quiesced',
	'reduced',
	'quiesce-dry-run',
	'monitor-asked',
	'monitor-asked-dry-run',
	'resumed',
]);
/** With these a decision is over, whatever it was. */
const endings = new Set([
	'given-back',
	'give-back-dry-run',
	'returned-to-monitor',
	'yielded',
	'gone',
	'put-in',
	'resume-dropped',
]);
/** With these it is over where no lease stands: else the weight is still to come back. */
const clearings = new Set(['acquitted', 'suspicion-over', 'recovering']);

/**
 * The line with which the last decision began, as far as these lines tell; -1 where there is none. A suspicion comes before
 * everything that ipvigil does about a server. A brown-out may be all that is told, or befall a server already in a story.
 */
function beginningOf(lines: JournalLine[]): number {
	let beginning = -1;
	let isOpen = false;
	let isLeased = false;
	for (const [index, { scenario }] of lines.entries()) {
		if (scenario === 'suspect' || (scenario === 'brown-out' && !isOpen)) beginning = index;
		if (takings.has(scenario)) isLeased = true;
		else if (endings.has(scenario)) isLeased = false;
		if (isLeased || scenario === 'suspect' || scenario === 'failed') isOpen = true;
		else if (endings.has(scenario) || clearings.has(scenario)) isOpen = false;
	}
	return beginning;
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
