/**
 * Destinations compared with the others of their service, and with their own past, over one interval: who completes fewer
 * handshakes (an outlier, the sign of refusals in DR and TUN, where no refusal passes the director), and who accepts, is
 * asked and does not answer (a brown-out). Both only raise suspicion. It reads no map and keeps no more than the last
 * reading of each destination. PURE.
 */
import type { OutcomeReading } from '../decode/outcome-state.js';
import type { DestinationId } from '../table/identity.js';
import type { Signal } from './signal.js';

/** As the policy of each service sets them; shares are 0 to 1. */
export interface RatioLimits {
	ratioVolumeMin: number;
	completionShareMin: number;
	outlierDeviations: number;
	outlierDestinationsMin: number;
	answerShareMin: number;
}

interface Known {
	reading: OutcomeReading;
	/** The share of requests that it usually answers, smoothed; undefined before it was asked often enough. */
	usual: number | undefined;
}

/** What happened at one destination within the interval. */
interface Interval extends OutcomeReading {
	id: DestinationId;
	usual: number | undefined;
}

/** A tenth of each interval counts: after a minute at 5 s an interval, seven tenths of what is usual are new. */
const smoothing = 0.1;
/** Better means twice as good: a server with half of the others' share has a fault of its own, whatever befell all. */
const twice = 2;
/** A deviation below a tenth of the mean is nothing that a probe could confirm, however alike the others are. */
const noticeableShare = 0.9;

export class Ratios {
	#known = new Map<DestinationId, Known>();
	#next = new Map<DestinationId, Known>();

	/**
	 * Weighs the destinations of one service against each other; `readings` has those that are watched.
	 * The first reading of a destination says nothing yet.
	 */
	weigh(
		ids: Iterable<DestinationId>,
		readings: ReadonlyMap<DestinationId, OutcomeReading>,
		limits: RatioLimits,
	): Signal[] {
		const intervals = [...ids].flatMap((id): Interval[] => {
			const reading = readings.get(id);
			return reading ? this.#advance(id, reading, limits) : [];
		});
		return [...outliers(intervals, limits), ...brownOuts(intervals, limits)];
	}

	/** The round is over: who was not weighed in it is forgotten. */
	turn(): void {
		this.#known = this.#next;
		this.#next = new Map();
	}

	#advance(id: DestinationId, reading: OutcomeReading, limits: RatioLimits): Interval[] {
		const known = this.#known.get(id);
		// Counters that fell belong to a destination that was removed and listed anew.
		const goesOn = known && reading.accepted >= known.reading.accepted && reading.asked >= known.reading.asked;
		if (!goesOn) {
			this.#next.set(id, { reading, usual: undefined });
			return [];
		}
		const interval = between(id, known, reading);
		this.#next.set(id, { reading, usual: usualShare(interval, limits) });
		return [interval];
	}
}

function between(id: DestinationId, { reading: before, usual }: Known, now: OutcomeReading): Interval {
	return {
		id,
		accepted: now.accepted - before.accepted,
		// What is unanswered may be answered late after all.
		failed: Math.max(now.failed - before.failed, 0),
		asked: now.asked - before.asked,
		answered: Math.max(now.answered - before.answered, 0),
		handshakeUs: now.handshakeUs,
		usual,
	};
}

/** An interval in which it answered badly is not what is usual. */
function usualShare(interval: Interval, { ratioVolumeMin, answerShareMin }: RatioLimits): number | undefined {
	const { usual, asked, answered } = interval;
	const share = answered / asked;
	if (asked < ratioVolumeMin || share < answerShareMin) return usual;
	return usual === undefined ? share : usual + smoothing * (share - usual);
}

type Counts = (interval: Interval) => { good: number; all: number };
const completion: Counts = ({ accepted, failed }) => ({ good: accepted, all: accepted + failed });
const answering: Counts = ({ asked, answered }) => ({ good: Math.min(answered, asked), all: asked });

/** The sums of a service: what all others did is these without one's own. */
function sum(intervals: Interval[], counts: Counts): { good: number; all: number } {
	const total = { good: 0, all: 0 };
	for (const interval of intervals) {
		const { good, all } = counts(interval);
		total.good += good;
		total.all += all;
	}
	return total;
}

/** The share of the others; undefined where they did too little to say. */
function othersShare(total: ReturnType<Counts>, own: ReturnType<Counts>, volumeMin: number): number | undefined {
	const all = total.all - own.all;
	return all < volumeMin ? undefined : (total.good - own.good) / all;
}

function outliers(intervals: Interval[], limits: RatioLimits): Signal[] {
	const { ratioVolumeMin, completionShareMin } = limits;
	const total = sum(intervals, completion);
	const threshold = deviationThreshold(intervals, limits);
	return intervals.flatMap((interval) => {
		const own = completion(interval);
		const others = othersShare(total, own, ratioVolumeMin);
		if (own.all < ratioVolumeMin || others === undefined) return [];
		const share = own.good / own.all;
		const isFarBelow = share < completionShareMin && others > share && others >= twice * share;
		if (!isFarBelow && share >= threshold) return [];
		const detail = `${own.good} of ${own.all} attempts were accepted, ${percent(others)} at the others`;
		return [signal('outlier', interval.id, own.all - own.good, detail)];
	});
}

/**
 * Envoy's success rate rule: below the mean by so many standard deviations. With shares of 1, 1, 1, 1 and 0.5 the mean is
 * 0.9, the deviation 0.2, and at 1.9 of them the threshold 0.52: the last one is an outlier.
 */
function deviationThreshold(intervals: Interval[], limits: RatioLimits): number {
	const shares = intervals.map(completion).filter(({ all }) => all >= limits.ratioVolumeMin);
	if (shares.length < limits.outlierDestinationsMin) return Number.NEGATIVE_INFINITY;
	const rates = shares.map(({ good, all }) => good / all);
	const mean = rates.reduce((total, rate) => total + rate, 0) / rates.length;
	const variance = rates.reduce((total, rate) => total + (rate - mean) ** 2, 0) / rates.length;
	return Math.min(mean - limits.outlierDeviations * Math.sqrt(variance), noticeableShare * mean);
}

function brownOuts(intervals: Interval[], limits: RatioLimits): Signal[] {
	const { ratioVolumeMin, answerShareMin } = limits;
	const total = sum(intervals, answering);
	return intervals.flatMap((interval) => {
		const own = answering(interval);
		const share = own.good / own.all;
		if (own.all < ratioVolumeMin || share >= answerShareMin) return [];
		const others = othersShare(total, own, ratioVolumeMin);
		const isWorse = [others, interval.usual].some(
			(known) => known !== undefined && known > 0 && known >= twice * share,
		);
		if (!isWorse) return [];
		const beside = others === undefined ? '' : `, ${percent(others)} at the others`;
		const before = interval.usual === undefined ? '' : `, ${percent(interval.usual)} here before`;
		const shake = `; handshakes take ${(interval.handshakeUs / 1_000).toFixed(1)} ms`;
		const detail = `${own.good} of ${own.all} requests were answered${beside}${before}${shake}`;
		return [signal('brown-out', interval.id, own.all - own.good, detail)];
	});
}

function signal(name: 'outlier' | 'brown-out', destination: DestinationId, count: number, detail: string): Signal {
	const scope = { kind: 'destination', destination, port: undefined } as const;
	return { name, scope, verified: false, count, client: undefined, detail };
}

const percent = (share: number) => `${Math.round(share * 100)} %`;
