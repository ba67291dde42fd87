/**
 * Evidence: the signals of each scope, counted in a sliding window. It turns the stream of kernel events into edges
 * that the judge weighs; it decides nothing and knows no table. PURE.
 */

import type { KernelEvent } from '../decode/event.js';
import { type AttemptSource, type Scope, type Signal, type SignalName, scopeId, signalOf } from './signal.js';

/** What is known of one signal in one scope at the moment it arrived. */
export interface EvidenceEdge {
	signal: SignalName;
	scope: Scope;
	verified: boolean;
	/** Of this signal and scope in the window, the kernel's suppressed ones included. */
	count: number;
	/** Of these the verified ones since a client was accepted last, each counted once, and their distinct client prefixes. */
	verifiedCount: number;
	verifiedPrefixes: number;
	/** Distinct client prefixes (/24, /56) among those that were sent to us. */
	clientPrefixes: number;
	/** The newest one's client, for the sentence; undefined where no client is behind it. */
	client: string | undefined;
	/** The newest one's detail, for the sentence. */
	detail: string;
	/** Boot clock, milliseconds. */
	firstMs: number;
	lastMs: number;
}

/**
 * Signals remembered one by one per window. The kernel sends at most about 50 a second for one scope, and
 * distinct prefixes beyond a few dozen change no decision: 64 is ample and bounds 16,384 endpoints to tens of MB.
 */
const signalsMax = 64;
const microsecondsPerMillisecond = 1_000;

interface Seen {
	atMs: number;
	prefix: string | undefined;
	count: number;
	verified: boolean;
	/** By the kernel's clock, which an acceptance is told by, too: several are read at once. */
	atUs: number;
}

interface Window {
	scope: Scope;
	seen: Seen[];
}

export interface EvidencePool {
	/** How long a signal of this scope counts. */
	windowMs: (scope: Scope) => number;
	/** Whose word on TCP connections counts; changes where hooks attach late or let go. */
	attempts: AttemptSource;
	windows: Map<string, Window>;
}

export function createEvidence(windowMs: EvidencePool['windowMs']): EvidencePool {
	return { windowMs, attempts: 'wire', windows: new Map() };
}

/** Adds what one event says; undefined where that is nothing that counts. */
export function observe(pool: EvidencePool, event: KernelEvent, nowMs: number): EvidenceEdge | undefined {
	const signal = signalOf(event, pool.attempts);
	return signal && note(pool, signal, nowMs);
}

/** Adds one signal. */
export function note(pool: EvidencePool, signal: Signal, nowMs: number): EvidenceEdge {
	const { name, scope, verified, client, detail, count } = signal;
	const id = `${name} ${scopeId(scope)}`;
	const windowMs = pool.windowMs(scope);
	const seen = (pool.windows.get(id)?.seen ?? []).filter(({ atMs }) => nowMs - atMs < windowMs);
	const { atUs = nowMs * microsecondsPerMillisecond, acceptedUs = Number.NEGATIVE_INFINITY } = signal;
	seen.push({ atMs: nowMs, prefix: client === undefined ? undefined : clientPrefix(client), count, verified, atUs });
	if (seen.length > signalsMax) dropOldest(seen);
	pool.windows.set(id, { scope, seen });
	const proven = seen.filter((one) => one.verified && one.atUs > acceptedUs);
	return {
		signal: name,
		scope,
		verified,
		count: seen.reduce((sum, one) => sum + one.count, 0),
		clientPrefixes: distinctPrefixes(seen),
		verifiedCount: proven.length,
		verifiedPrefixes: distinctPrefixes(proven),
		client,
		detail,
		firstMs: seen[0]?.atMs ?? nowMs,
		lastMs: nowMs,
	};
}

/** What anybody can make up must not push out what was checked. */
function dropOldest(seen: Seen[]): void {
	const plausible = seen.findIndex(({ verified }) => !verified);
	seen.splice(Math.max(plausible, 0), 1);
}

function distinctPrefixes(seen: Seen[]): number {
	return new Set(seen.flatMap(({ prefix }) => prefix ?? [])).size;
}

/** Forgets scopes that are in no service any more, so that the pool is bounded by the table. */
export function retain(pool: EvidencePool, known: (scope: Scope) => boolean): void {
	for (const [id, { scope }] of pool.windows) if (!known(scope)) pool.windows.delete(id);
}

/**
 * The network that one client most likely sits in: /24 for IPv4, /56 for IPv6. One person behind NAT or with a
 * whole IPv6 delegation is one voice, however many addresses it speaks from.
 */
export function clientPrefix(client: string): string {
	if (!client.includes(':')) return client.slice(0, client.lastIndexOf('.'));
	const groups = expandGroups(client);
	return `${groups.slice(0, 3).join(':')}:${(groups[3] ?? '0').padStart(4, '0').slice(0, 2)}`;
}

function expandGroups(address: string): string[] {
	const [head = '', tail] = address.split('::');
	const front = head === '' ? [] : head.split(':');
	if (tail === undefined) return front;
	const back = tail === '' ? [] : tail.split(':');
	return [...front, ...Array<string>(8 - front.length - back.length).fill('0'), ...back];
}
