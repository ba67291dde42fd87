/**
 * What a monitor is to ipvigil. Binding targets make a monitor act on one destination; telling targets
 * only inform. A target never throws: it answers what became of the message, and the executor counts it.
 */
import type { JournalEntry } from '../judge/action.js';
import type { Destination, ServiceAddress } from '../table/model.js';

export type Delivery = { ok: true } | { ok: false; reason: string };

export interface BindingTarget {
	readonly name: string;
	/** Makes the monitor take the destination out (`down`) or lets it judge alone again (`up`). Idempotent. */
	bind(service: ServiceAddress, destination: Destination, state: 'down' | 'up'): Promise<Delivery>;
	/** The file that must go when the lease ends without us (the give-back helper removes it), if there is one. */
	file(service: ServiceAddress, destination: Pick<Destination, 'address' | 'port'>): string | undefined;
}

export interface TellingTarget {
	readonly name: string;
	tell(entry: JournalEntry): Promise<Delivery>;
	/** Ends what is still under way, within a bounded time. */
	close(): Promise<void>;
}
