/**
 * What `explain` tells of: the destination that is meant, its standing from the ipvigil that runs here, and the lines of
 * the journal about its last decision. Either source may be missing; only both missing is an error.
 */
import { caveatsOf } from '../../../report/caveats.js';
import { destinationsIn, type History, readHistory } from '../../../report/journal-reader.js';
import type { Standing } from '../../../report/standing.js';
import { concerns, lastStory, reachesBeginning, type Step } from '../../../report/story.js';
import { askDestination } from '../../control-client.js';
import { findDestination } from '../../destination-name.js';
import { OperatorError } from '../../errors.js';

export interface Explanation {
	destination: string;
	/** Whether an ipvigil runs here. */
	running: boolean;
	/** Why the ipvigil that runs here has not said how it stands; undefined where it has, or none runs. */
	unanswered: string | undefined;
	standing: Standing | undefined;
	decision: Step[];
	caveats: string[];
	unreadableLines: number;
	/** The journal goes back further than was read. */
	historyIsCut: boolean;
}

/** @throws OperatorError */
export async function gather(name: string, runtimeDirectory: string, journalDirectory: string): Promise<Explanation> {
	const asked = await askLive(runtimeDirectory, name);
	const destination = asked.standing?.destination ?? (await findInJournal(journalDirectory, name, asked.refusal));
	const history = await historyOf(journalDirectory, destination);
	const [service = ''] = destination.split(' > ');
	return {
		destination,
		running: asked.running,
		unanswered: asked.refusal?.kind === 'failure' ? asked.refusal.message : undefined,
		standing: asked.standing,
		decision: lastStory(history.lines),
		caveats: asked.standing?.caveats ?? caveatsOf(service, undefined, undefined),
		unreadableLines: history.unreadable,
		historyIsCut: history.cut,
	};
}

interface Asked {
	running: boolean;
	standing?: Standing;
	/** Why the daemon has nothing to say: none runs, it does not answer, or it knows no such destination. */
	refusal?: OperatorError;
}

/** The journal can be told without the daemon, all the more where that is in trouble. */
const historyServes: ReadonlySet<OperatorError['kind']> = new Set(['not-running', 'not-found', 'failure']);

async function askLive(runtimeDirectory: string, name: string): Promise<Asked> {
	try {
		return { running: true, standing: await askDestination(runtimeDirectory, name) };
	} catch (error) {
		if (!(error instanceof OperatorError)) throw error;
		if (!historyServes.has(error.kind)) throw error;
		return { running: error.kind !== 'not-running', refusal: error };
	}
}

/** A destination that is in the table no more, or that nobody who runs could be asked about, may be in the journal. */
async function findInJournal(directory: string, name: string, refusal: OperatorError | undefined): Promise<string> {
	const found = findDestination(name, await ifThere(destinationsIn(directory), new Set<string>()));
	if (found.kind === 'one') return found.id;
	const listed = (ids: string[]) => ids.map((id) => `"${id}"`).join(', ');
	if (found.kind === 'several')
		throw new OperatorError('usage', `"${name}" may mean several destinations.`, `Name one: ${listed(found.ids)}`);
	if (refusal?.kind === 'not-found' && found.near.length === 0) throw refusal;
	const near = found.near.length === 0 ? 'See ipvigil table.' : `Do you mean ${listed(found.near)}?`;
	throw new OperatorError(
		'not-found',
		`${whereOf(refusal)} in ${directory} knows no destination named "${name}".`,
		near,
	);
}

function whereOf(refusal: OperatorError | undefined): string {
	if (refusal?.kind === 'not-running') return 'No ipvigil runs here, and the journal';
	return refusal?.kind === 'failure' ? `${refusal.message} The journal` : 'The journal';
}

function historyOf(directory: string, destination: string): Promise<History> {
	const history = readHistory(directory, (line) => concerns(line, destination), reachesBeginning);
	return ifThere(history, { lines: [], unreadable: 0, cut: false });
}

/** A journal that nobody has written yet is an empty one. @throws OperatorError where it may not be read. */
async function ifThere<T>(reading: Promise<T>, empty: T): Promise<T> {
	try {
		return await reading;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return empty;
		throw error;
	}
}
