/**
 * One turn of the judge: the state, the time of the input, and the actions decided so far. The handlers
 * (`sync`, `suspicion`, `tenure`) speak through it, so that what is said and what is wanted is said one way. PURE.
 */
import type { ServiceId } from '../table/identity.js';
import type { Action, JournalEntry } from './action.js';
import { type ScenarioName, sentence } from './scenario.js';
import type { DestinationState, State } from './state.js';

export interface Turn {
	state: State;
	nowMs: number;
	actions: Action[];
}

/** Milliseconds as seconds with one decimal, for sentences: 2,537 ms is 2.5. */
export function seconds(ms: number): number {
	return Math.round(ms / 100) / 10;
}

function entryOf(name: ScenarioName, destination: DestinationState, facts: JournalEntry['facts']): JournalEntry {
	return {
		scenario: name,
		service: destination.serviceId,
		destination: destination.id,
		sentence: sentence(name, destination.id, facts),
		facts,
	};
}

/** Writes a line into the history. */
export function journal(
	turn: Turn,
	name: ScenarioName,
	destination: DestinationState,
	facts: JournalEntry['facts'],
): void {
	turn.actions.push({ kind: 'journal', entry: entryOf(name, destination, facts) });
}

/** Writes a line that speaks of the director itself into the history, and informs whoever is to be told. */
export function journalDirector(turn: Turn, name: ScenarioName, facts: JournalEntry['facts']): void {
	const entry = { scenario: name, sentence: sentence(name, 'the director', facts), facts };
	turn.actions.push({ kind: 'tell', entry }, { kind: 'journal', entry });
}

/** As `announce`, of a whole service. */
export function announceService(
	turn: Turn,
	name: ScenarioName,
	service: ServiceId,
	facts: JournalEntry['facts'],
): void {
	const entry = { scenario: name, service, sentence: sentence(name, service, facts), facts };
	turn.actions.push({ kind: 'tell', entry }, { kind: 'journal', entry });
}

/** Writes a line into the history and informs whoever is to be told. */
export function announce(
	turn: Turn,
	name: ScenarioName,
	destination: DestinationState,
	facts: JournalEntry['facts'],
): void {
	const entry = entryOf(name, destination, facts);
	turn.actions.push({ kind: 'tell', entry }, { kind: 'journal', entry });
}

/** As `announce`, but not again while the same obstacle stands: an obstacle is news once, not at every refusal. */
export function announceOnce(
	turn: Turn,
	name: ScenarioName,
	destination: DestinationState,
	facts: JournalEntry['facts'],
): void {
	const obstacle = `${name} ${facts.reason ?? ''}`;
	if (destination.told === obstacle) return;
	destination.told = obstacle;
	announce(turn, name, destination, facts);
}
