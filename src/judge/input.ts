/**
 * Everything that may reach the judge. Time is a field of each input (milliseconds of the boot clock,
 * CLOCK_BOOTTIME, which a lease's end is written in too); nothing here is read from the world. PURE.
 */
import type { EvidenceEdge } from '../evidence/evidence.js';
import type { DestinationId, ListenerId } from '../table/identity.js';
import type { Endpoint, Snapshot } from '../table/model.js';
import type { ActionId } from './action.js';
import type { HoldScope } from './hold.js';
import type { EarlierWrite, Lease } from './lease.js';

/**
 * What an active probe of a listener saw. Where a request goes with it, `accepted` means that it was answered, `hung` that the
 * connection stood and no answer came, `reset` that it was cut off. `error` is our own failure (no socket, no route) and
 * proves nothing.
 */
export type ProbeOutcome = 'accepted' | 'refused' | 'unanswered' | 'unreachable' | 'hung' | 'reset' | 'error';

/** Why a probe was asked for: to confirm a suspicion, to learn that it works at all, or to see a failed server return. */
export type ProbePurpose = 'confirm' | 'calibrate' | 'recover';

/** The last known writer of a destination, from the pinned audit map. */
export interface Writer {
	pid: number;
	comm: string;
	/** True where the write was this ipvigil's, or the earlier ipvigil's whose lease we resumed. */
	own: boolean;
}

/** A lease of the ledger, as it was found at start. */
export interface FoundLease {
	lease: Lease;
	/** What stands in the table where the weight of the lease has not been written yet. */
	earlier: EarlierWrite | undefined;
	/** From the pinned audit map; undefined where it knows of no write to this destination, or there is no map. */
	lastWriter: Writer | undefined;
}

export type Input = {
	nowMs: number;
} /** `sinceMs`: when reading began. What we know first-hand from later than that stands against it. */ & (
	| { kind: 'table'; snapshot: Snapshot; sinceMs: number }
	| { kind: 'evidence'; edge: EvidenceEdge }
	/** Where a destination without a port of its own was seen to accept, or is configured to. */
	| { kind: 'learned'; destination: DestinationId; endpoint: Endpoint; configured: boolean }
	/** Destinations that have accepted clients since this was said last. */
	| { kind: 'accepting'; destinations: DestinationId[] }
	/** Hosts that cannot be reached through a fault of the director's own, and which: the whole list each time. */
	| { kind: 'ways'; impaired: ReadonlyMap<string, string> }
	| { kind: 'write'; destination: DestinationId; operation: 'add' | 'edit' | 'delete'; weight: number; writer: Writer }
	| {
			kind: 'probe';
			listener: ListenerId;
			purpose: ProbePurpose;
			outcome: ProbeOutcome;
			latencyMs: number;
			detail: string;
	  }
	| {
			kind: 'outcome';
			action: ActionId;
			result: 'done' | 'dry-run' | 'gone' | 'changed' | 'failed' | 'unknown';
			detail: string;
	  }
	/** Leases found in the ledger at start. */
	| { kind: 'resume'; leases: FoundLease[]; calibrated: ListenerId[] }
	| { kind: 'release'; destination: DestinationId | 'all'; reason: string }
	/** `untilMs`: undefined until `unhold`. `remembered`: begun under an earlier ipvigil. */
	| { kind: 'hold'; destination: HoldScope; untilMs: number | undefined; reason: string; remembered: boolean }
	| { kind: 'unhold'; destination: HoldScope }
	| { kind: 'stop' }
	| { kind: 'tick' }
);
