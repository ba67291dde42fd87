/**
 * Evidence: signals and successes of one endpoint, counted in a sliding window. It turns the stream of
 * kernel events into edges that the judge weighs; it decides nothing. PURE.
 */
import type { Endpoint } from '../table/model.js';

/** What is known of one endpoint at the moment a signal arrived. */
export interface EvidenceEdge {
	endpoint: Endpoint;
	/** Refusals in the window, the kernel's suppressed ones included. */
	refusals: number;
	/** Distinct client prefixes (/24, /56) among the refusals that were sent to us. */
	clientPrefixes: number;
	/** The newest refusal's client, for the sentence. */
	client: string;
	/** Boot clock, milliseconds. */
	firstMs: number;
	lastMs: number;
}
