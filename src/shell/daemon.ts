/**
 * The daemon, wired: the table feeds the judge, kernel events become evidence, the judge's actions are carried out,
 * and everything is told. This file reads as the table of contents; each line of it is explained where it leads.
 */
import type { KernelEvent } from '../decode/event.js';
import type { Writer } from '../judge/input.js';
import type { EarlierWrite, Lease } from '../judge/lease.js';
import { createState, type State } from '../judge/state.js';
import { isSettled } from '../judge/step.js';
import type { TermsBook } from '../judge/terms.js';
import { RouteClient } from '../netlink/route-client.js';
import { Calibration } from '../remedy/calibration.js';
import { Ledger, ledgerDirectory } from '../remedy/ledger.js';
import { Probes } from '../remedy/probes.js';
import { Weights } from '../remedy/weights.js';
import { Journal } from '../report/journal.js';
import { createLog, type Log } from '../report/log.js';
import type { Snapshot } from '../table/model.js';
import { AttemptWatch } from './attempts.js';
import { bootMs } from './clock.js';
import { Comparison } from './comparison.js';
import type { Config } from './config.js';
import { Control } from './control.js';
import { createExecutors } from './executor.js';
import { found } from './found.js';
import { claim } from './instance.js';
import { IpvsHooks } from './ipvs-hooks.js';
import { type Executors, Loop } from './loop.js';
import { rehearse } from './rehearsal.js';
import { serveReport } from './report.js';
import { giveBackAll, nextSignal } from './stopping.js';
import { createServiceNotifier } from './systemd.js';
import { TableFeed } from './table-feed.js';
import { openTable, type TableAccess } from './table-source.js';
import { Tape, type TapedSources } from './tape.js';
import { openTargets, type Targets } from './targets.js';
import { termsFrom } from './terms.js';
import { openVantage, type Vantage } from './vantage.js';
import { Ways } from './ways.js';
import { configuredEndpoints, Witness, windowOf } from './witness.js';

export interface DaemonOptions {
	dryRun: boolean;
	/** Where to record what the kernel tells. */
	record?: string | undefined;
	/** Instead of the table that the configuration names: a stand-in that records what is written. */
	table?: TableAccess;
}

/** Runs until SIGTERM or SIGINT (gives back every lease) or SIGUSR2 (leaves the leases to a successor). */
export async function runDaemon(config: Config, options: DaemonOptions): Promise<void> {
	// Heard from here on, not only when everything is open: one that comes during the start stops what has started.
	const signalled = nextSignal();
	const log = createLog(config.log.level);
	const instance = await claim(config.runtimeDirectory);
	let tape: Tape | undefined;
	try {
		tape = new Tape(options.record, log);
		const daemon = await Daemon.start(config, options, log, tape);
		const signal = await signalled;
		log.info({ signal }, 'stopping');
		await daemon.stop(signal !== 'SIGUSR2');
	} finally {
		await tape?.close();
		instance.release();
		await log.close();
	}
}

class Daemon {
	/** Opens everything in the order in which it is needed: the audit first, so that no write is missed after the snapshot. */
	static async start(config: Config, { dryRun, table: given }: DaemonOptions, log: Log, tape: Tape): Promise<Daemon> {
		const table = given ?? (await openTable(config, 'wait'));
		const routes = new RouteClient();
		let daemon: Daemon;
		try {
			daemon = new Daemon(config, dryRun, log, tape, table, routes);
		} catch (error) {
			routes.close();
			table.close();
			throw error;
		}
		try {
			await daemon.#begin();
		} catch (error) {
			// What was resumed stays in the ledger: a start that fails must not change what an earlier one decided.
			await daemon.stop(false);
			throw error;
		}
		return daemon;
	}

	readonly #notifier = createServiceNotifier();
	readonly #terms: TermsBook;
	readonly #witness: Witness;
	readonly #probes: Probes;
	readonly #targets: Targets;
	readonly #ledger: Ledger;
	readonly #calibration: Calibration;
	readonly #control: Control;
	readonly #journal: Journal;
	readonly #hooks: IpvsHooks;
	readonly #loop: Loop;
	readonly #vantage: Vantage;
	readonly #attempts: AttemptWatch;
	readonly #comparison: Comparison;
	#ways: Ways | undefined;
	readonly #feed: TableFeed;
	/** Writes that happened before the ledger was read are history: the last-writer map says what they came to. */
	#resumed = false;
	#unreadable = 0;
	#report: { close(): Promise<void> } | undefined;

	private constructor(
		private readonly config: Config,
		private readonly dryRun: boolean,
		private readonly log: Log,
		private readonly tape: Tape,
		private readonly table: TableAccess,
		private readonly routes: RouteClient,
	) {
		this.#terms = termsFrom(config);
		this.#witness = new Witness(windowOf(this.#terms), process.pid);
		this.#probes = new Probes(routes);
		this.#targets = openTargets(config, log, dryRun);
		this.#ledger = new Ledger(ledgerDirectory(config.runtimeDirectory, dryRun), this.#targets.trackFile);
		this.#calibration = new Calibration(config.runtimeDirectory, (error) =>
			log.warn({ err: error }, 'calibrated probes could not be remembered'),
		);
		this.#control = new Control(config.runtimeDirectory, log);
		const onTrouble = (sentence: string) => log.error(sentence);
		this.#journal = new Journal({ directory: config.journalDirectory, ...config.journal, onTrouble });
		// The last thing that may fail; what is opened after it only says that it is not to be had.
		this.#vantage = this.#openVantage();
		this.#attempts = new AttemptWatch({
			log,
			onSource: (source) => {
				this.#witness.attempts = source;
			},
		});
		this.#hooks = this.#openHooks();
		this.#attempts.use(this.#hooks.outcome);
		this.#loop = new Loop(this.#newState(), bootMs, this.#executors());
		this.#comparison = this.#openComparison();
		this.#feed = new TableFeed({
			read: () => table.snapshot(),
			intervalMs: config.snapshotIntervalMs,
			nowMs: bootMs,
			onSnapshot: (snapshot, sinceMs) => this.#see(snapshot, sinceMs),
			onFailure: (error) => log.error({ err: error }, 'the table could not be read; trying again'),
		});
	}

	async #begin(): Promise<void> {
		this.#ways = await this.#openWays();
		this.tape.opened(this.#sources());
		const sinceMs = bootMs();
		const snapshot = await this.table.snapshot();
		// Whom a fault of our own hides must be known before anybody can be judged.
		await this.#ways?.follow(snapshot);
		this.#hooks.audit?.drain();
		this.#loop.take({ kind: 'table', snapshot, sinceMs });
		this.#resume();
		await this.#follow(snapshot);
		await rehearse(this.config.runtimeDirectory, this.log);
		this.#report = await serveReport({
			config: this.config,
			dryRun: this.dryRun,
			log: this.log,
			state: this.#loop.state,
			wire: this.#vantage.wire,
			hooks: this.#hooks,
			links: () => this.#ways?.links,
			journal: this.#journal,
			targets: this.#targets,
			tableAge: () => this.#feed.age(),
		});
		this.#comparison.start();
		await this.#control.open(this.#loop);
		this.#feed.refresh();
		const { services } = snapshot;
		const status = `observing ${services.length} services in mode ${this.config.mode}`;
		this.log.info({ mode: this.config.mode, services: services.length }, status);
		this.#notifier.ready(status);
		this.#notifier.startWatchdog(() => true);
	}

	#newState(): State {
		return createState({
			terms: this.#terms,
			pid: process.pid,
			dryRun: this.dryRun,
			binding: this.#targets.binding.length > 0,
			// Jitter must differ from director to director, not from run to run of a test: the judge's own seed is an input.
			seed: process.pid,
		});
	}

	#executors(): Omit<Executors, 'schedule'> {
		const { table, dryRun, log } = this;
		return createExecutors({
			probes: this.#probes,
			weights: new Weights({ table, ledger: this.#ledger, dryRun, nowMs: bootMs, lastWriter: this.#lastWriter }),
			ledger: this.#ledger,
			calibration: this.#calibration,
			holds: this.#control.holds,
			binding: this.#targets.binding,
			telling: this.#targets.telling,
			journal: this.#journal,
			log,
			dryRun,
			nowMs: bootMs,
			hearAudit: () => this.#hooks.audit?.drain(),
			feed: (message) => this.#loop.take(message),
			noted: this.#targets.noted,
		});
	}

	#openComparison(): Comparison {
		return new Comparison({
			state: this.#loop.state,
			read: () => this.#hooks.outcome?.readings(),
			nowMs: bootMs,
			onAccepting: (destinations) => this.#loop.take({ kind: 'accepting', destinations }),
			onSignal: (signal) => this.#loop.take(this.#witness.inferred(signal, bootMs())),
			onFailure: (error) => this.log.warn({ err: error }, 'destinations could not be compared; trying again'),
		});
	}

	#openVantage(): Vantage {
		return openVantage({
			config: this.config,
			routes: this.routes,
			log: this.log,
			onEvents: (events) => this.#hear(events),
			onBatch: this.tape.of('wire'),
		});
	}

	#openHooks(): IpvsHooks {
		return new IpvsHooks({
			config: this.config,
			log: this.log,
			onEvents: (events) => this.#hear(events),
			tape: this.tape,
			onChange: () => this.#hooksChanged(),
		});
	}

	#openWays(): Promise<Ways> {
		return Ways.open({
			config: this.config,
			routes: this.routes,
			log: this.log,
			feed: (message) => this.#loop.take(message),
			onBatch: this.tape.of('link'),
			onMoved: () => this.#vantage.reroute(),
			onNeighbourFailed: (address) => this.#loop.take(this.#witness.neighbourFailed(address, bootMs())),
		});
	}

	/** The table is another one where ip_vs has come or gone, and who tells of attempts may be too. */
	#hooksChanged(): void {
		this.#attempts.use(this.#hooks.outcome);
		this.tape.opened(this.#sources());
		this.#feed.refresh();
	}

	/** What is open now. */
	#sources(): TapedSources {
		const { outcome, audit } = this.#hooks;
		return { wire: this.#vantage.wire, outcome, audit, link: this.#ways?.links?.hooks };
	}

	/** Takes up what an earlier ipvigil left in the ledger, and clears away what is nobody's. */
	#resume(): void {
		for (const message of this.#control.recall()) this.#loop.take(message);
		this.#loop.take({
			kind: 'resume',
			leases: found(this.#ledger, this.#lastWriter, this.log),
			calibrated: this.#calibration.recall(),
		});
		this.#targets.sweep(this.#ledger.list().entries.map(({ lease }) => lease));
		this.#resumed = true;
	}

	#see(snapshot: Snapshot, sinceMs: number): void {
		this.#tellUnreadable();
		this.#loop.take({ kind: 'table', snapshot, sinceMs });
		this.#witness.retain(this.#loop.state);
		void this.#follow(snapshot);
	}

	/** Every vantage point follows the table. */
	async #follow(snapshot: Snapshot): Promise<void> {
		this.tape.table(snapshot);
		this.#attempts.follow(snapshot);
		for (const message of configuredEndpoints(snapshot, this.config.services)) this.#loop.take(message);
		await Promise.all([this.#vantage.follow(snapshot), this.#ways?.follow(snapshot)]);
	}

	/** Once: a destination that we cannot read is one that we do not watch. */
	#tellUnreadable(): void {
		const { unreadable } = this.table;
		if (unreadable > 0 && this.#unreadable === 0)
			this.log.error({ unreadable }, 'entries of the table were not understood: they are not watched');
		this.#unreadable = unreadable;
	}

	/** What the kernel tells goes to the judge at once; a change of the table by others brings a fresh snapshot too. */
	#hear(events: KernelEvent[]): void {
		for (const event of events) {
			const ofTable = event.kind === 'write' || event.kind === 'service';
			if (ofTable && !this.#resumed) continue;
			const message = this.#witness.hear(event, bootMs());
			if (message) this.#loop.take(message);
			if (ofTable && event.pid !== process.pid) this.#feed.refresh();
		}
	}

	/** Who wrote a leased destination last. Own: this process, or the one that entered the lease. */
	readonly #lastWriter = (lease: Lease, earlier?: EarlierWrite): Writer | undefined => {
		const last = this.#hooks.audit?.lastWriter(lease.service, lease.destination);
		return last && { pid: last.pid, comm: last.comm, own: [process.pid, lease.pid, earlier?.pid].includes(last.pid) };
	};

	/** Gives back what is held (`givingBack`) or leaves it to a successor, then lets go of everything. */
	async stop(givingBack: boolean): Promise<void> {
		this.#notifier.stopping(givingBack ? 'giving back every lease' : 'leaving the leases to a successor');
		await this.#control.close();
		if (givingBack) await giveBackAll(this.#loop, this.log);
		this.tape.lost(this.#sources());
		this.#loop.close();
		this.#feed.close();
		this.#comparison.close();
		this.#vantage.close();
		this.#ways?.close();
		// Where something is still owed, the helper and a successor need to know who wrote last.
		this.#hooks.close(!(givingBack && isSettled(this.#loop.state)));
		this.#probes.close();
		this.#calibration.flush();
		await Promise.allSettled([this.#report?.close(), this.#targets.close(), this.#journal.close()]);
		this.routes.close();
		this.table.close();
	}
}
