/**
 * A lease: a weight that ipvigil wrote, with an owner, a reason, an end and the weight owed.
 * One lease is one small file of the ledger (`remedy/ledger.ts`), entered before the write. PURE.
 */
import type { Destination, ServiceAddress } from '../table/model.js';

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
