/**
 * The policy: every number that a decision depends on, with its reason. Configuration may change each. PURE.
 */
import type { SignalName } from '../evidence/signal.js';

export type Mode = 'observe' | 'notify' | 'assist';

/**
 * What follows from a failure. A mode allows as much at most: observe only tells, notify asks a monitor to act, assist writes
 * weights, a lower one (reduce) or 0 (quiesce).
 */
export const ruleActions = ['observe', 'notify', 'reduce', 'quiesce'] as const;
export type RuleAction = (typeof ruleActions)[number];

/** Each signal is a rule with an action of its own; `udp` bounds what follows from any signal about a UDP service. */
export type RuleName = SignalName | 'udp';
export type Actions = Record<RuleName, RuleAction>;

/** Weight 0 does not move a UDP flow, and a server that is slow to answer is no dead one: these are told. */
export const defaultActions: Actions = {
	refusal: 'quiesce',
	unreachable: 'quiesce',
	'syn-repeated': 'quiesce',
	overdue: 'quiesce',
	'data-repeated': 'quiesce',
	'neighbour-failed': 'quiesce',
	outlier: 'quiesce',
	'brown-out': 'observe',
	udp: 'observe',
};

export interface Policy {
	/** How long a signal counts. Longer than the 3 s in which a client retries, short enough to forget a restart. */
	windowMs: number;
	/** A probe unanswered for this long is "unanswered": some 100 round trips of a data centre. */
	probeTimeoutMs: number;
	/** A silent probe may be one lost packet; two in a row are not. A refusal needs no second. */
	silentProbes: number;
	/** Accepted probes in a row that see a failed server return. One: the kernel accepts before any program runs. */
	recoverSuccesses: number;
	/**
	 * Without a probe that could be asked, so many verified refusals (their connections were checked), of so many distinct
	 * client networks, and no client accepted since the first of them, convict. One person, or one office, is never enough.
	 */
	verifiedRefusalsMin: number;
	clientPrefixesMin: number;
	/** Destinations are compared with the others of their service over this long: Envoy's interval. */
	ratioIntervalMs: number;
	/** Attempts within that time below which a ratio says nothing; Envoy ejects by it, and asks for 50: we ask the server. */
	ratioVolumeMin: number;
	/** A destination that completes less than this share of its handshakes, where the others complete twice as many. */
	completionShareMin: number;
	/**
	 * Or less than their mean by so many standard deviations, of at least so many destinations (Envoy's
	 * success_rate_stdev_factor 1.9 and min_hosts 5: one outlier of n lies at most the square root of n - 1 off).
	 */
	outlierDeviations: number;
	outlierDestinationsMin: number;
	/** A destination that answers less than this share of requests, where the others, or itself before, answer twice as many. */
	answerShareMin: number;
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
	/** For each so long that it has served again, one earlier ejection is forgotten; Envoy's longest ejection. */
	leaseDecayMs: number;
	/** What "reduce" leaves of a weight. */
	reducedShare: number;
	/**
	 * A weight comes back in so many equal steps over so long: programs start cold, and least-connection schedulers send
	 * everything to who has no connections yet. One step where weights are smaller, under hash schedulers (each step moves
	 * clients), and after a restart.
	 */
	slowStartSteps: number;
	slowStartMs: number;
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
	/**
	 * Where more than this share of a service's destinations fails within the window, the fault is taken for the director's
	 * own: nothing more is taken out before no more than that are failed.
	 */
	frozenShare: number;
	/** A destination that was taken out so often within so long is left to the monitor until that is past. */
	flapsMax: number;
	flapPeriodMs: number;
	/** Nothing is taken out so soon after it came into the table, or ipvigil started: the monitor has just decided. */
	graceMs: number;
	/** Ejections a minute, of all services together: a rack of servers may go in a minute, a table of hundreds may not. */
	ejectionsPerMinuteMax: number;
	/** A failed write of a weight is tried again after this. */
	retryMs: number;
}

export const defaultPolicy: Policy = {
	windowMs: 10_000,
	probeTimeoutMs: 500,
	silentProbes: 2,
	recoverSuccesses: 1,
	verifiedRefusalsMin: 10,
	clientPrefixesMin: 3,
	ratioIntervalMs: 10_000,
	ratioVolumeMin: 20,
	completionShareMin: 0.5,
	outlierDeviations: 1.9,
	outlierDestinationsMin: 5,
	answerShareMin: 0.5,
	confirmIntervalMs: 1_000,
	recoverIntervalMs: 500,
	calibrateIntervalMs: 5_000,
	leaseMs: 30_000,
	leaseCapMs: 300_000,
	leaseTotalMs: 3_600_000,
	leaseJitter: 0.1,
	leaseDecayMs: 300_000,
	reducedShare: 0.25,
	slowStartSteps: 4,
	slowStartMs: 4_000,
	renewMarginMs: 10_000,
	holdDownMs: 60_000,
	restartMs: 1_000,
	wayGraceMs: 30_000,
	takenShareMax: 0.5,
	frozenShare: 0.5,
	flapsMax: 6,
	flapPeriodMs: 300_000,
	graceMs: 2_000,
	ejectionsPerMinuteMax: 30,
	retryMs: 1_000,
};
