/**
 * `trace` on the running kernel: opens the table and the vantage points that the filters need, listens until it is
 * enough, and says what was seen and lost. No daemon is needed for it, and none is disturbed.
 */
import { once } from 'node:events';
import { PacketFile } from '../../../capture/pcapng.js';
import { Recorder, type VantageName, vantageNames } from '../../../capture/recording.js';
import { RouteClient } from '../../../netlink/route-client.js';
import type { Snapshot } from '../../../table/model.js';
import { bootMs, clockOffsets } from '../../clock.js';
import type { Config } from '../../config.js';
import { OperatorError, toExit } from '../../errors.js';
import { openOutput } from '../../output-file.js';
import { TableFeed } from '../../table-feed.js';
import { openTable, type TableAccess } from '../../table-source.js';
import { version } from '../../version.js';
import { notice, noticeLog } from '../notices.js';
import type { Filter } from './filter.js';
import { lossesOf, openSources, type Source } from './sources.js';
import { summaryOf } from './summary.js';
import { type TraceOutput, Tracer } from './tracer.js';

export interface LiveOptions {
	config: Config;
	filter: Filter;
	output: TraceOutput;
	limit: number;
	/** Undefined: until a signal ends it. */
	durationMs: number | undefined;
	/** Where packets go. */
	write: string | undefined;
	/** Where the raw batches go. */
	record: string | undefined;
}

/** Everything that is open, to be let go of in one place however it ends. */
class Session {
	readonly #ending = new AbortController();
	readonly #recorder: Recorder | undefined;
	readonly #packets: PacketFile | undefined;
	readonly #tracer: Tracer;
	readonly #links = new Map<number, string>();
	#sources = new Map<VantageName, Source>();

	constructor(private readonly options: LiveOptions) {
		const offsets = clockOffsets();
		const onError = (error: Error) => notice(`a file could not be written: ${error.message}`);
		const { write, record, filter, output, limit } = options;
		this.#packets =
			write === undefined ? undefined : openOutput(() => new PacketFile(write, `ipvigil ${version()}`, onError));
		const head = { version: version(), pid: process.pid, ...offsets };
		const onFull = () => notice('the recording is full and was closed; the trace goes on');
		this.#recorder =
			record === undefined
				? undefined
				: openOutput(() => new Recorder(record, { head, nowMs: bootMs, onError, onFull }));
		this.#tracer = new Tracer({
			filter,
			output,
			limit,
			view: { epochOffsetUs: offsets.epochOffsetUs, interfaceName: (index) => this.#links.get(index) },
			print: (text) => process.stdout.write(text),
			onLimit: () => this.end(),
			packets: this.#packets,
		});
	}

	end(): void {
		this.#ending.abort();
	}

	async run(): Promise<void> {
		// Heard from the beginning: one that comes while things are opened must not leave them behind.
		const end = () => this.end();
		for (const name of endingSignals) process.once(name, end);
		try {
			await this.#trace();
		} finally {
			for (const name of endingSignals) process.off(name, end);
		}
	}

	async #trace(): Promise<void> {
		const { config, durationMs } = this.options;
		const table = await openTraceTable(config);
		const routes = new RouteClient();
		const feed = this.#feed(config, () => table.snapshot());
		try {
			const snapshot = await table.snapshot();
			for (const { index, name } of await routes.links()) this.#links.set(index, name);
			this.#open(config, routes);
			await this.#see(snapshot);
			feed.refresh();
			await this.#ended(durationMs);
			notice(summaryOf(this.#tracer, lossesOf(this.#sources)));
		} finally {
			feed.close();
			await this.#close();
			routes.close();
			table.close();
		}
	}

	#feed({ snapshotIntervalMs }: Config, read: () => Promise<Snapshot>): TableFeed {
		return new TableFeed({
			read,
			intervalMs: snapshotIntervalMs,
			nowMs: bootMs,
			onSnapshot: (snapshot) => void this.#see(snapshot),
			onFailure: ({ message }) => notice(`the table could not be read (${message}); trying again`),
		});
	}

	#open(config: Config, routes: RouteClient): void {
		const { filter } = this.options;
		const wanted = vantageNames.filter((name) => filter.wants(name));
		const parts = { config, routes, log: noticeLog(), packets: this.#packets !== undefined };
		this.#sources = openSources(wanted, parts, (name) => ({
			onEvents: (events) => this.#tracer.hear(events),
			onBatch: this.#recorder && ((bytes, sizes) => this.#recorder?.batch(name, bytes, sizes)),
			onError: ({ message }) => notice(`the events of ${name} could not be read: ${message}`),
		}));
		this.#recorder?.opened([...this.#sources.keys()]);
	}

	async #see(snapshot: Snapshot): Promise<void> {
		this.options.filter.setTable(snapshot);
		this.#recorder?.table(snapshot);
		for (const source of this.#sources.values()) await source.follow(snapshot);
	}

	/** By a signal, a reader that went away, the limit or the time. */
	async #ended(durationMs: number | undefined): Promise<void> {
		const { signal } = this.#ending;
		const timer = durationMs === undefined ? undefined : setTimeout(() => this.end(), durationMs);
		if (!signal.aborted) await once(signal, 'abort');
		clearTimeout(timer);
	}

	async #close(): Promise<void> {
		const losses = lossesOf(this.#sources);
		for (const source of this.#sources.values()) source.close();
		await Promise.all([this.#packets?.close(), this.#recorder?.close(losses)]);
	}
}

/** Without IPVS there are real servers all the same: whoever tries ipvigil out names them. */
async function openTraceTable(config: Config): Promise<TableAccess> {
	try {
		return await openTable(config, 'refuse');
	} catch (error) {
		const { kind, sentence } = toExit(error);
		if (kind !== 'no-ipvs') throw error;
		throw new OperatorError(kind, sentence, 'Load it with modprobe ip_vs, or name the real servers with --rules FILE.');
	}
}

/** SIGPIPE is what cli.ts says when the reader of our output has gone. */
const endingSignals = ['SIGINT', 'SIGTERM', 'SIGPIPE'] as const;

/** @throws OperatorError where there is no table, nothing to listen to, or a file that cannot be written. */
export function traceLive(options: LiveOptions): Promise<void> {
	return new Session(options).run();
}
