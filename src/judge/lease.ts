/**
 * A lease: a weight that ipvigil wrote, with an owner, a reason, an end and the weight owed.
 * One lease is one small file of the ledger (`remedy/ledger.ts`), entered before the write. PURE.
 */

import type { SignalName } from '../evidence/signal.js';
import type { Destination, ServiceAddress } from '../table/model.js';
import { defaultActions, type Policy } from './policy.js';

/**
 * held          we wrote the weight and owe the old one
 * with-monitor  the monitor took the destination out because we told it; we owe only the binding's end
 * (none and yielded are the absence of a lease: the ledger holds nothing for them)
 */
export type LeaseState = 'held' | 'with-monitor';

export interface Lease {
	service: ServiceAddress;
	/** As it stood when the lease began: what a SET_DEST must carry back. `weight` is the weight owed. */
	destination: Destination;
	state: LeaseState;
	/** The weight we wrote; undefined where only a binding notification was given (mode `notify`). */
	written: number | undefined;
	/** When the lease began, and when it ends: milliseconds of the boot clock. */
	sinceMs: number;
	untilMs: number;
	/** How often this destination has been leased of late: the lease's length doubles with it. */
	count: number;
	/** Process that wrote (or will write) the weight: compared with the audit map's last writer. */
	pid: number;
	/** Scenario name and sentence, as the journal says it. */
	reason: string;
}

/** Which signal a lease's reason names; undefined where it is none of this version's. */
export function signalIn({ reason }: Lease): SignalName | undefined {
	const name = reason.slice(reasonStart.length);
	return reason.startsWith(reasonStart) && Object.hasOwn(defaultActions, name) ? (name as SignalName) : undefined;
}

export function reasonOf(signal: SignalName): string {
	return `${reasonStart}${signal}`;
}

const reasonStart = 'failed: ';

/** A weight of ours that stands until the change to `lease.written` is through, and the process that wrote it. */
export interface EarlierWrite {
	weight: number;
	pid: number;
}

/**
 * How long a lease lasts: the base doubled with each earlier ejection, capped, and jitter on top so that leases which
 * began together do not end together. With 30 s, a cap of 300 s and no jitter: 30, 60, 120, 240, 300, 300 s.
 */
export function leaseLengthMs(policy: Policy, earlierEjections: number, randomShare: number): number {
	const doubled = policy.leaseMs * 2 ** Math.min(Math.max(earlierEjections, 0), 30);
	return Math.round(Math.min(doubled, policy.leaseCapMs) * (1 + policy.leaseJitter * randomShare));
}
