/**
 * Holds: an operator's word that ipvigil is to keep its hands off a destination, or off all of them. While one stands
 * nothing is taken out and no monitor is asked to act, and no lease is renewed; observing, judging and telling go on. A
 * lease that stands already goes on to its end and is then given back: `release` ends it at once. PURE.
 */
import type { DestinationId } from '../table/identity.js';
import { type ScenarioName, sentence } from './scenario.js';
import type { DestinationState, State } from './state.js';
import { seconds, type Turn } from './turn.js';

/** A destination, or every one, those included that come later. */
export type HoldScope = DestinationId | 'all';

export interface Hold {
	destination: HoldScope;
	/** Boot clock, milliseconds; undefined: until it is resumed. */
	untilMs: number | undefined;
	/** The operator's words. */
	reason: string;
}

/** Far more than a person would hold one by one, and the file that remembers them stays small. The one on all is beyond. */
export const holdsMax = 4_096;

/** Whether there is room for another hold of this scope; always for the one on all, which makes the others needless. */
export function mayHold({ holds }: State, scope: HoldScope): boolean {
	return scope === 'all' || holds.has(scope) || holds.size - Number(holds.has('all')) < holdsMax;
}

/** The hold that keeps a destination as it is: of its own and the one on all, the one that ends last. */
export function holdOf({ holds }: State, id: DestinationId): Hold | undefined {
	const [own, all] = [holds.get(id), holds.get('all')];
	if (!own || !all) return own ?? all;
	return endMs(all) > endMs(own) ? all : own;
}

function endMs({ untilMs = Number.POSITIVE_INFINITY }: Hold): number {
	return untilMs;
}

/** Begins a hold, or changes the one that stands. `remembered`: it was begun under an earlier ipvigil. */
export function hold(turn: Turn, wanted: Hold, remembered: boolean): void {
	const { holds } = turn.state;
	if (!mayHold(turn.state, wanted.destination)) return;
	holds.set(wanted.destination, wanted);
	const { destination, untilMs, reason } = wanted;
	const end = untilMs === undefined ? {} : { holdSeconds: seconds(Math.max(untilMs - turn.nowMs, 0)) };
	say(turn, 'held', destination, { reason, remembered, ...end });
	// What is recalled one by one is written down already, as a whole.
	if (!remembered) remember(turn);
	wakeForHolds(turn);
}

/** Ends the hold on a destination, or with `all` every one; gives what may be decided on again. */
export function unhold(turn: Turn, destination: HoldScope): DestinationState[] {
	const ended = destination === 'all' ? [...turn.state.holds.keys()] : [destination];
	// A lease whose renewal was due meanwhile is renewed now.
	turn.actions.push({ kind: 'schedule', atMs: turn.nowMs });
	return end(turn, ended, 'the operator resumed it');
}

/** As `unhold`, for the holds whose time is over; asks for a tick when the next one's is. */
export function tickHolds(turn: Turn): DestinationState[] {
	const due = [...turn.state.holds.values()].filter((one) => endMs(one) <= turn.nowMs);
	const scopes = due.map(({ destination }) => destination);
	const freed = end(turn, scopes, 'its time is over');
	wakeForHolds(turn);
	return freed;
}

function end(turn: Turn, scopes: HoldScope[], why: string): DestinationState[] {
	const { holds, destinations } = turn.state;
	const ended = scopes.filter((scope) => holds.delete(scope));
	if (ended.length === 0) return [];
	for (const scope of ended) say(turn, 'hold-over', scope, { why });
	remember(turn);
	return ended.includes('all') ? [...destinations.values()] : ended.flatMap((id) => destinations.get(id) ?? []);
}

function remember({ state, actions }: Turn): void {
	actions.push({ kind: 'keepHolds', holds: [...state.holds.values()] });
}

function wakeForHolds({ state, actions }: Turn): void {
	const atMs = Math.min(...[...state.holds.values()].map(endMs));
	if (Number.isFinite(atMs)) actions.push({ kind: 'schedule', atMs });
}

/** A hold may speak of a destination that is not in the table, or of all of them: its line carries what there is. */
function say(turn: Turn, name: ScenarioName, scope: HoldScope, facts: Record<string, string | number | boolean>): void {
	const subject = scope === 'all' ? {} : { service: scope.split(' > ')[0] ?? scope, destination: scope };
	const who = scope === 'all' ? 'every destination' : scope;
	const entry = { scenario: name, ...subject, sentence: sentence(name, who, facts), facts };
	turn.actions.push({ kind: 'tell', entry }, { kind: 'journal', entry });
}
