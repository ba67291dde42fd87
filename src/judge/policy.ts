/**
 * The policy: every number that a decision depends on, with its reason. Configuration may change each. PURE.
 */
export type Mode = 'observe' | 'notify' | 'assist';

export interface Policy {
	/** How long a refusal counts. Longer than the 3 s in which a client retries, short enough to forget a restart. */
	windowMs: number;
	/** A probe unanswered for this long is "unanswered": some 100 round trips of a data centre. */
	probeTimeoutMs: number;
	/** A silent probe may be one lost packet; two in a row are not. A refusal needs no second. */
	silentProbes: number;
	/** Between two confirming probes of one endpoint: one client that is always refused must not make us a flood. */
	confirmIntervalMs: number;
	/** Between two probes of a failed endpoint: how late, at most, a returned server is seen. */
	recoverIntervalMs: number;
	/** Between two tries to calibrate a probe that never succeeded: a dead server must not be pestered. */
	calibrateIntervalMs: number;
	/** First lease. Three times keepalived's usual check round (delay_loop 10 s), so that the monitor can decide. */
	leaseMs: number;
	/** The lease doubles with each ejection up to here: 30 s, 60 s, 120 s, 240 s, 300 s (Envoy's max_ejection_time). */
	leaseCapMs: number;
	/** However long the probe goes on refusing, a lease is given back after this, and told loudly. */
	leaseTotalMs: number;
	/** Added to a lease, at random, up to this share of it: many leases must not end in one instant. */
	leaseJitter: number;
	/** A lease is renewed when less than this is left; longer than the give-back helper's grace and its timer. */
	renewMarginMs: number;
	/** After someone else wrote a weight (or a lease reached its cap) we keep our hands off for this long. */
	holdDownMs: number;
	/** An outage shorter than this was a restart: the next lease does not grow by it. */
	restartMs: number;
	/**
	 * After a fault of the director's own is over, how long the silence of a server still speaks only against the way to
	 * it: a switch port with spanning tree forwards 30 s after its link came up (IEEE 802.1D, twice forward delay), and
	 * requests for the MAC address that were begun before fail up to 3 s later.
	 */
	wayGraceMs: number;
	/**
	 * The largest share of a service's weight that may be out at once. Half: who fails over between two sites or racks has
	 * sized each for the whole; what more fails is left to the monitor.
	 */
	takenShareMax: number;
	/** Ejections a minute, of all services together: a rack of servers may go in a minute, a table of hundreds may not. */
	ejectionsPerMinuteMax: number;
	/** A failed write of a weight is tried again after this. */
	retryMs: number;
}

export const defaultPolicy: Policy = {
	windowMs: 10_000,
	probeTimeoutMs: 500,
	silentProbes: 2,
	confirmIntervalMs: 1_000,
	recoverIntervalMs: 500,
	calibrateIntervalMs: 5_000,
	leaseMs: 30_000,
	leaseCapMs: 300_000,
	leaseTotalMs: 3_600_000,
	leaseJitter: 0.1,
	renewMarginMs: 10_000,
	holdDownMs: 60_000,
	restartMs: 1_000,
	wayGraceMs: 30_000,
	takenShareMax: 0.5,
	ejectionsPerMinuteMax: 30,
	retryMs: 1_000,
};
