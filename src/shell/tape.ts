/**
 * What a daemon records where it was asked to: the raw batches of every vantage point and the table, for
 * `ipvigil replay`. Where it was not, everything here does nothing.
 */
import type { Logger } from 'pino';
import { type RecordedLosses, Recorder, type VantageName, vantageNames } from '../capture/recording.js';
import type { EventSink, StreamLosses } from '../capture/stream.js';
import type { Snapshot } from '../table/model.js';
import { bootMs, clockOffsets } from './clock.js';
import { OutputTakenError, openOutput } from './output-file.js';
import { version } from './version.js';

/** The vantage points that are open. */
export type TapedSources = { [Name in VantageName]?: { losses(): StreamLosses } | undefined };

export class Tape {
	readonly #recorder: Recorder | undefined;
	#losses: RecordedLosses = {};

	/** @throws OperatorError of kind `usage` where the file cannot be written. Undefined: nothing is recorded. */
	constructor(file: string | undefined, log: Logger) {
		if (file === undefined) return;
		const head = { version: version(), pid: process.pid, ...clockOffsets() };
		const onError = (error: Error) => log.error({ err: error, file }, 'the recording cannot be written any more');
		const onFull = () => log.warn({ file }, 'the recording is full and was closed');
		try {
			this.#recorder = openOutput(() => new Recorder(file, { head, nowMs: bootMs, onError, onFull }));
		} catch (error) {
			// A crash's recording is there when the supervisor starts us again, and we have more to do than to record.
			if (!(error instanceof OutputTakenError)) throw error;
			log.error({ file }, `${error.message} Nothing is recorded until it is moved away and ipvigil started anew.`);
		}
	}

	/** What a vantage point hands its batches to. */
	of(vantage: VantageName): EventSink['onBatch'] {
		const recorder = this.#recorder;
		return recorder && ((bytes, sizes) => recorder.batch(vantage, bytes, sizes));
	}

	/** Each time that a vantage point comes or goes: a replay must know who could have told, and did not. */
	opened(sources: TapedSources): void {
		this.#recorder?.opened(vantageNames.filter((name) => sources[name] !== undefined));
	}

	table(snapshot: Snapshot): void {
		this.#recorder?.table(snapshot);
	}

	/** What was lost until the end: asked before the vantage points are closed, written by `close`. */
	lost(sources: TapedSources): void {
		const open = vantageNames.flatMap((name) => {
			const source = sources[name];
			return source ? [[name, { ...source.losses() }]] : [];
		});
		this.#losses = Object.fromEntries(open);
	}

	/** Resolves when everything is in the file. */
	async close(): Promise<void> {
		await this.#recorder?.close(this.#losses);
	}
}
