/**
 * How each kind of action is carried out: one record keyed by kind (DESIGN: ledger the intention, act, feed the outcome
 * back, journal the outcome). What an action means is the judge's; how it is done is remedy's and the monitors'.
 */
import type { Logger } from 'pino';
import type { Action, JournalEntry } from '../judge/action.js';
import type { Lease } from '../judge/lease.js';
import type { ScenarioName } from '../judge/scenario.js';
import type { BindingTarget, Delivery, TellingTarget } from '../monitors/contract.js';
import type { Calibration } from '../remedy/calibration.js';
import type { HoldFile } from '../remedy/hold-file.js';
import type { Ledger } from '../remedy/ledger.js';
import type { Probes } from '../remedy/probes.js';
import type { WeightOutcome, Weights } from '../remedy/weights.js';
import type { Journal } from '../report/journal.js';
import type { Executors, Message } from './loop.js';

export interface ExecutorParts {
	probes: Pick<Probes, 'probe'>;
	weights: Weights;
	ledger: Ledger;
	calibration: Calibration;
	holds: Pick<HoldFile, 'keep'>;
	binding: BindingTarget[];
	telling: TellingTarget[];
	journal: Journal;
	log: Logger;
	/** Everything but the last step: no binding notification goes out either. */
	dryRun: boolean;
	/** The boot clock. */
	nowMs: () => number;
	/** Delivers what the audit has recorded until now. */
	hearAudit: () => void;
	/** Where outcomes go: the loop's `take`. */
	feed: (message: Message) => void;
	/** What became of each notification, for the metrics: target's name, and how it ended. */
	noted: (target: string, delivery: Delivery) => void;
}

export function createExecutors(parts: ExecutorParts): Omit<Executors, 'schedule'> {
	return {
		probe: ({ id, listener, asking, purpose, timeoutMs }) => {
			void parts.probes.probe(listener, asking, timeoutMs).then((result) => {
				parts.feed({ kind: 'probe', listener: id, purpose, ...result });
			});
		},
		setWeight: ({ id, lease, expect, to }) => answer(parts, id, parts.weights.take(lease, expect, to)),
		giveBack: ({ id, lease }) => answer(parts, id, parts.weights.giveBack(lease)),
		ledger: ({ lease }) => enter(parts, lease),
		forget: ({ service, destination }) => forget(parts, { service, destination }),
		bind: (action) => bind(parts, action),
		tell: ({ entry }) => tell(parts, entry),
		journal: ({ entry }) => record(parts, entry),
		remember: ({ calibrated }) => parts.calibration.remember(calibrated),
		keepHolds: ({ holds }) => parts.holds.keep(holds),
	};
}

/**
 * The audit saw every write that came before ours while it was made; those are delivered first, so that the judge knows
 * whose word our write has covered when it hears that it stands.
 */
function answer({ feed, hearAudit }: ExecutorParts, action: number, outcome: Promise<WeightOutcome>): void {
	const settle = ({ result, detail }: WeightOutcome) => {
		hearAudit();
		feed({ kind: 'outcome', action, result, detail });
	};
	void outcome.then(settle, (error: Error) => settle({ result: 'unknown', detail: error.message }));
}

/** A renewal that cannot be entered leaves the older file, whose end the helper will honour: told, not fatal. */
function enter({ ledger, log }: ExecutorParts, lease: Lease): void {
	try {
		ledger.enter(lease);
	} catch (error) {
		log.error(
			{ err: error },
			'a lease could not be entered in the ledger; the give-back helper will end it at its earlier end',
		);
	}
}

function forget({ ledger, log }: ExecutorParts, key: Parameters<Ledger['remove']>[0]): void {
	try {
		ledger.remove(key);
	} catch (error) {
		log.error({ err: error }, 'a lease that is over could not be removed from the ledger');
	}
}

/** No monitor is asked to act under a lease that is not on record: the helper would never take that back. */
function bind({ binding, dryRun, ledger, noted, log }: ExecutorParts, action: Extract<Action, { kind: 'bind' }>): void {
	if (dryRun) return;
	if (action.state === 'down' && binding.length > 0 && !ledger.read(action)) {
		log.error('no monitor was asked to act, because the lease is not in the ledger');
		return;
	}
	for (const target of binding)
		void target.bind(action.service, action.destination, action.state).then((delivery) => {
			noted(target.name, delivery);
			if (!delivery.ok)
				log.error({ target: target.name, reason: delivery.reason }, 'a monitor could not be asked to act');
		});
}

function tell({ telling, noted, log }: ExecutorParts, entry: JournalEntry): void {
	for (const target of telling)
		void target.tell(entry).then((delivery) => {
			noted(target.name, delivery);
			if (!delivery.ok) log.warn({ target: target.name, reason: delivery.reason }, 'a notification was not delivered');
		});
}

/** Scenarios that a person should see in the log without looking for them. */
const loud = new Set<string>([
	'failed',
	'quiesced',
	'reduced',
	'overflow',
	'frozen',
	'brown-out',
	'write-failed',
	'cap-reached',
	'cannot-confirm',
	'yielded',
	'held-back',
] satisfies ScenarioName[]);

function record({ journal, log, nowMs }: ExecutorParts, entry: JournalEntry): void {
	journal.write(entry, nowMs(), new Date());
	const { scenario, service, destination, facts, sentence } = entry;
	log[loud.has(scenario) ? 'warn' : 'info']({ scenario, service, destination, ...facts }, sentence);
}
