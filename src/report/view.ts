/**
 * What a scrape shows, as plain data: the daemon fills it in from its state and the kernel's counters, the metrics
 * print it. Nothing is counted here.
 */
import type { VantageName } from '../capture/recording.js';
import type { AttemptSource } from '../evidence/signal.js';
import type { Verdict } from '../judge/action.js';
import type { ProbeOutcome, ProbePurpose } from '../judge/input.js';
import type { Mode } from '../judge/policy.js';
import type { Destination, ServiceAddress } from '../table/model.js';

/** What becomes of connection attempts, as the label `outcome` spells it; `struct outcome_counters` says what each means. */
export const attemptOutcomes = [
	'scheduled',
	'accepted',
	'asked',
	'answered',
	'refused',
	'syn_repeated',
	'unanswered',
	'data_repeated',
	'reset',
	'gave_up',
	'withdrawn',
] as const;

export type AttemptOutcome = (typeof attemptOutcomes)[number];

/** As the kernel counted them; may start anew. */
export type Attempts = Partial<Record<AttemptOutcome, number>>;

/**
 * Counts by who counted them, to be shown as one sum: each begins anew by itself, comes and goes. One that has counted
 * nothing may be left out.
 */
export type Parts = ReadonlyMap<string, readonly number[]>;

export interface DestinationView {
	service: ServiceAddress;
	/** `weight` is the one that stands. */
	destination: Pick<Destination, 'address' | 'port' | 'weight'>;
	/** The weight that is to come back; undefined where no lease holds one. */
	weightOwed: number | undefined;
	verdict: Verdict;
	/** Undefined where nothing counts. */
	attempts: Attempts | undefined;
	/** Who counts them now. */
	attemptsBy: AttemptSource;
	/** ICMP errors: those about its endpoint, and those about its host. */
	unreachable: Parts;
}

export interface ServiceView {
	service: ServiceAddress;
	/** Attempts for which the scheduler found no destination; undefined where nothing counts. */
	noDestination: number | undefined;
	/**
	 * Each destination's latencies, from SYN to the client's acknowledgement, and from the first request to the first
	 * acknowledged answer: `counts[i]` took at least 2^i and less than 2^(i+1) microseconds; the first one less, too.
	 */
	handshake: Parts;
	firstAnswer: Parts;
}

export interface LinkView {
	name: string;
	up: boolean;
}

/** A place that ipvigil should watch from: an interface of the wire's, or a hook in the kernel. */
export type WatchView = { vantage: VantageName; attached: boolean } & ({ device: string } | { hook: string });

/** What is lost before it could be judged or told, by where: see the help of `ipvigil_lost_total`. */
export type LossPlace =
	| 'ring'
	| 'malformed'
	| 'journal'
	| 'journal_write'
	| 'log'
	| 'hook'
	| 'packet_truncated'
	| 'packet_fragment'
	| 'packet_header_chain'
	| 'packet_malformed'
	| 'packet_stranger'
	| 'packet_bad_quote'
	| 'packet_unreadable'
	| 'attempt_no_syn'
	| 'attempt_unlisted'
	| 'writers_full';

/** All that a scrape shows. Counters must count from the daemon's start, but for those of destinations and services. */
export interface MetricsView {
	mode: Mode;
	dryRun: boolean;
	destinations: Iterable<DestinationView>;
	services: Iterable<ServiceView>;
	watching: Iterable<WatchView>;
	links: Iterable<LinkView>;
	/** Hosts that are not judged because the way to them is impaired. */
	impairedHosts: number;
	leases: number;
	/** The operator's, those on one destination and the one on all. */
	holds: number;
	ejections: { detected: number; enforced: number; overflow: Record<string, number> };
	probes: Iterable<{ outcome: ProbeOutcome; purpose: ProbePurpose; count: number }>;
	losses: Record<LossPlace, number>;
	notifications: Iterable<{ target: string; result: 'delivered' | 'failed'; count: number }>;
}
