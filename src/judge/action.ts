/**
 * What the judge wants done, as data. The executor (`remedy/`) carries actions out in the order given:
 * ledger the intention, act, feed the outcome back as an input, journal the outcome. PURE.
 */
import type { DestinationId, ListenerId, ServiceId } from '../table/identity.js';
import type { Destination, Listener, ServiceAddress } from '../table/model.js';
import type { Asking } from './asking.js';
import type { Hold } from './hold.js';
import type { ProbePurpose } from './input.js';
import type { Lease } from './lease.js';

/** Given by the judge, echoed by the outcome. Increases by one; never reused within a process. */
export type ActionId = number;

export type Verdict = 'healthy' | 'suspect' | 'failed' | 'recovering';

/** One line of the journal; also what telling notifications carry. */
export interface JournalEntry {
	/** From `judge/scenario.ts`: the same word in the journal, the metric label and `explain`. */
	scenario: string;
	service?: ServiceId;
	destination?: DestinationId;
	/** A whole sentence for the operator: what and why. */
	sentence: string;
	/** Figures behind the sentence. */
	facts: Record<string, string | number | boolean>;
}

export type Action =
	| { kind: 'probe'; id: ListenerId; listener: Listener; asking: Asking; purpose: ProbePurpose; timeoutMs: number }
	/**
	 * Takes a destination out (`to` is the lease's written weight) under a new or renewed lease. The ledger file is
	 * written first. `expect` is the weight that must still stand: otherwise the outcome is `changed` and nothing is written.
	 */
	| { kind: 'setWeight'; id: ActionId; lease: Lease; expect: number; to: number }
	/** Gives back: only if the destination exists and still carries `lease.written`; then the ledger file goes. */
	| { kind: 'giveBack'; id: ActionId; lease: Lease }
	/** Writes or renews the ledger file without touching the weight (renewal, binding-only leases). */
	| { kind: 'ledger'; lease: Lease }
	/** The lease is over without a write of ours (yielded, destination gone, monitor has it): the ledger file goes. */
	| { kind: 'forget'; service: ServiceAddress; destination: Destination }
	/** A notification that makes a monitor act: out (`down`) until the lease ends, or back (`up`). `again`: it was told before. */
	| { kind: 'bind'; service: ServiceAddress; destination: Destination; state: 'down' | 'up'; again?: true }
	/** A notification that informs. */
	| { kind: 'tell'; entry: JournalEntry }
	| { kind: 'journal'; entry: JournalEntry }
	/** A listener whose probe is calibrated now, to be remembered across restarts. */
	| { kind: 'remember'; calibrated: ListenerId }
	/** All holds that stand, to be remembered across restarts. */
	| { kind: 'keepHolds'; holds: Hold[] }
	/** The judge wants a tick no later than this. */
	| { kind: 'schedule'; atMs: number };
