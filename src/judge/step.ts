/**
 * The judge: `step(state, input) → { state, actions }`. Time, the table, probe outcomes and what others wrote are
 * inputs; actions are data; the same inputs give the same actions. PURE.
 *
 * `step` owns the state that it is given and returns it changed: with 16,384 destinations a copy for each refusal
 * would cost more than the decision. Order of effects for each action: the executor ledgers the intention, acts,
 * feeds the outcome back as an input, and the judge journals it.
 */

import type { DestinationId } from '../table/identity.js';
import type { Action } from './action.js';
import { excuse, probed } from './answers.js';
import { holdDown, rewritten } from './ending.js';
import { hold, tickHolds, unhold } from './hold.js';
import type { Input } from './input.js';
import { learned } from './ports.js';
import { nextTickMs } from './questions.js';
import { resume } from './resume.js';
import type { DestinationState, State } from './state.js';
import { askAnew, heard, tickListener } from './suspicion.js';
import { applySnapshot } from './sync.js';
import { endLease, enforce, tickDestination } from './tenure.js';
import { journalDirector, seconds, type Turn } from './turn.js';
import { outcome } from './written.js';

export function step(state: State, input: Input): { state: State; actions: Action[] } {
	const turn: Turn = { state, nowMs: input.nowMs, actions: [] };
	handle(turn, input);
	return { state, actions: deedsFirst(turn.actions) };
}

/** Kinds that only say something: no weight and no probe waits for a line to be written. */
const words: ReadonlySet<Action['kind']> = new Set(['tell', 'journal', 'remember', 'keepHolds', 'schedule']);

/** Deeds in their order, then words in theirs. */
function deedsFirst(actions: Action[]): Action[] {
	const deeds = actions.filter(({ kind }) => !words.has(kind));
	return deeds.length === 0 ? actions : [...deeds, ...actions.filter(({ kind }) => words.has(kind))];
}

function handle(turn: Turn, input: Input): void {
	switch (input.kind) {
		case 'table':
			applySnapshot(turn, input.snapshot, input.sinceMs);
			return tick(turn);
		case 'evidence':
			return heard(turn, input.edge);
		case 'learned':
			if (learned(turn, input.destination, input.endpoint, input.configured)) askAnew(turn, input.destination);
			return;
		case 'accepting':
			for (const id of input.destinations) accepting(turn, id);
			return;
		case 'ways':
			return ways(turn, input.impaired);
		case 'write':
			return written(turn, input);
		case 'probe':
			return probed(turn, input.listener, input);
		case 'outcome':
			return outcome(turn, input.action, input.result, input.detail);
		case 'resume':
			return resume(turn, input.leases, input.calibrated);
		case 'release':
			return release(turn, input.destination, input.reason);
		case 'hold':
			return hold(
				turn,
				{ destination: input.destination, untilMs: input.untilMs, reason: input.reason },
				input.remembered,
			);
		case 'unhold':
			return decideAnew(turn, unhold(turn, input.destination));
		case 'stop':
			turn.state.stopping = true;
			return release(turn, 'all', 'ipvigil stops');
		case 'tick':
			return tick(turn);
		default:
			input satisfies never;
	}
}

function accepting({ state, nowMs }: Turn, id: DestinationId): void {
	const destination = state.destinations.get(id);
	if (destination) destination.acceptedMs = nowMs;
}

/** One line for each fault of the director's own that came or went, however many hosts are behind it. */
function ways(turn: Turn, impaired: ReadonlyMap<string, string>): void {
	const before = turn.state.impaired;
	turn.state.impaired = impaired;
	const news = [...impaired].filter(([host, why]) => before.get(host) !== why);
	// Whose fault only has another reason now (a bond without its slaves loses its carrier too) is no better off.
	const well = [...before].filter(([host]) => !impaired.has(host));
	excuse(
		turn,
		well.map(([host]) => host),
	);
	const graceSeconds = seconds(turn.state.terms.others.policy.wayGraceMs);
	for (const [why, hosts] of countByReason(news)) journalDirector(turn, 'way-impaired', { why, hosts });
	for (const [why, hosts] of countByReason(well)) journalDirector(turn, 'way-restored', { why, hosts, graceSeconds });
}

function countByReason(hosts: [host: string, why: string][]): Map<string, number> {
	const counts = new Map<string, number>();
	for (const [, why] of hosts) counts.set(why, (counts.get(why) ?? 0) + 1);
	return counts;
}

/** The audit saw a write. Our own is only a receipt; anyone else's is the word of the monitor or the admin. */
function written(turn: Turn, input: Extract<Input, { kind: 'write' }>): void {
	const destination = turn.state.destinations.get(input.destination);
	if (!destination) return;
	if (input.writer.own) {
		if (destination.pending) destination.pending.own = true;
		destination.changedMs = turn.nowMs;
		return;
	}
	rewritten(turn, destination, input.operation, input.weight, `${input.writer.comm} (pid ${input.writer.pid})`);
}

function release(turn: Turn, which: string, why: string): void {
	for (const id of [...turn.state.busyDestinations]) {
		const destination = turn.state.destinations.get(id);
		if (!destination || (which !== 'all' && which !== id)) continue;
		// The operator has spoken, as one who writes the weight does: what is as dead as before must not go out again at once.
		if (destination.lease && !turn.state.stopping) holdDown(turn, destination);
		endLease(turn, destination, why);
	}
}

/** What failed while it was held: its probes have gone on all the time, so the verdict is fresh. */
function decideAnew(turn: Turn, freed: DestinationState[]): void {
	for (const destination of freed) enforce(turn, destination);
}

/** Looks at what is under way only: a table at rest costs nothing. Asks for the next tick that will be needed. */
function tick(turn: Turn): void {
	const { state } = turn;
	decideAnew(turn, tickHolds(turn));
	for (const id of [...state.busyDestinations]) {
		const destination = state.destinations.get(id);
		if (destination) tickDestination(turn, destination);
	}
	let nextMs = Number.POSITIVE_INFINITY;
	for (const id of [...state.busyListeners]) {
		const listener = state.listeners.get(id);
		if (!listener) continue;
		tickListener(turn, listener);
		if (state.busyListeners.has(id)) nextMs = Math.min(nextMs, nextTickMs(turn, listener));
	}
	if (Number.isFinite(nextMs)) turn.actions.push({ kind: 'schedule', atMs: nextMs });
}

/** Whether anything that we wrote or asked for still waits for its outcome: a stop waits for these. */
export function isSettled(state: State): boolean {
	for (const id of state.busyDestinations) {
		const destination = state.destinations.get(id);
		if (destination && (destination.pending || destination.lease)) return false;
	}
	return true;
}
