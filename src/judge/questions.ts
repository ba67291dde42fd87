/**
 * When a listener is asked, and what for: to confirm a suspicion, to see a failed server return, or to learn that our
 * probe works at all. One question at a time, and not more often than the policy allows. PURE.
 */
import type { ProbePurpose } from './input.js';
import { calibrationGridMs } from './standing.js';
import type { DestinationState, ListenerState } from './state.js';
import { policyOn } from './terms.js';
import type { Turn } from './turn.js';

export function askToConfirm(turn: Turn, listener: ListenerState): void {
	const atMs = Math.max(turn.nowMs, listener.lastConfirmMs + policyOn(turn.state, listener).confirmIntervalMs);
	if (listener.next?.purpose === 'confirm' && listener.next.atMs <= atMs) return;
	plan(turn, listener, 'confirm', atMs);
}

/** The next probe of a listener; it goes out at once where it is due and none is under way. */
export function plan(turn: Turn, listener: ListenerState, purpose: ProbePurpose, atMs: number): void {
	listener.next = { atMs, purpose };
	turn.state.busyListeners.add(listener.id);
	if (!sendDue(turn, listener)) turn.actions.push({ kind: 'schedule', atMs });
}

export function sendDue(turn: Turn, listener: ListenerState): boolean {
	if (!listener.next || listener.probing || listener.next.atMs > turn.nowMs) return false;
	const { purpose } = listener.next;
	listener.next = undefined;
	listener.probing = purpose;
	if (purpose === 'confirm') listener.lastConfirmMs = turn.nowMs;
	const timeoutMs = policyOn(turn.state, listener).probeTimeoutMs;
	const { id, endpoint, vip, way, asking } = listener;
	turn.actions.push({ kind: 'probe', id, listener: { endpoint, vip, way }, asking, purpose, timeoutMs });
	return true;
}

/** The same question once more, after a failure of our own or a calibration that met none. */
export function again(turn: Turn, listener: ListenerState, purpose: ProbePurpose): void {
	const { confirmIntervalMs, calibrateIntervalMs } = policyOn(turn.state, listener);
	// A suspicion that came meanwhile has its own question planned.
	if (purpose === 'calibrate' && listener.next) return;
	if (purpose !== 'calibrate') return plan(turn, listener, purpose, turn.nowMs + confirmIntervalMs);
	const steps = Math.ceil((turn.nowMs + calibrateIntervalMs) / calibrationGridMs);
	plan(turn, listener, purpose, steps * calibrationGridMs);
}

/**
 * A server that has been dead for long is asked less often: every 2 % of its outage, between one and ten base
 * intervals. With 500 ms: after 10 s every 500 ms, after 100 s every 2 s, from 250 s on every 5 s.
 */
export function recoverIntervalMs(turn: Turn, listener: ListenerState, failed: DestinationState[]): number {
	const base = policyOn(turn.state, listener).recoverIntervalMs;
	const outageMs = turn.nowMs - Math.max(...failed.map((destination) => destination.failedMs));
	return Math.min(Math.max(outageMs / 50, base), base * 10);
}

/** Whether a probe for this purpose will settle a suspicion; a calibration comes again and again, and need not. */
export function settles(purpose: ProbePurpose | undefined): boolean {
	return purpose !== undefined && purpose !== 'calibrate';
}

export function windowEndMs(turn: Turn, listener: ListenerState): number {
	return listener.lastSignalMs + policyOn(turn.state, listener).windowMs;
}

/** When this listener wants its next tick: a probe that is due, or the end of the window after its last signal. */
export function nextTickMs(turn: Turn, listener: ListenerState): number {
	const probeMs = listener.probing ? undefined : listener.next?.atMs;
	const endMs = windowEndMs(turn, listener);
	return Math.min(probeMs ?? Number.POSITIVE_INFINITY, endMs > turn.nowMs ? endMs : Number.POSITIVE_INFINITY);
}
