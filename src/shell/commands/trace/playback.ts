/** `trace --read`: a recording, printed as `trace` would have printed it live. */
import { PacketFile } from '../../../capture/pcapng.js';
import { type RecordedLosses, type RecordingBlock, readRecording } from '../../../capture/recording.js';
import { decodeBatch } from '../../../decode/decode.js';
import { openInput } from '../../input-file.js';
import { keepApart, openOutput } from '../../output-file.js';
import { version } from '../../version.js';
import { notice, tellEnd } from '../notices.js';
import type { Filter } from './filter.js';
import { summaryOf } from './summary.js';
import { type TraceOutput, Tracer } from './tracer.js';

export interface PlaybackOptions {
	/** A recording, or `-`. */
	read: string;
	filter: Filter;
	output: TraceOutput;
	limit: number;
	write: string | undefined;
}

/** @throws OperatorError, or RecordingError where the file is none that can be read. */
export async function playBack(options: PlaybackOptions): Promise<void> {
	const { read, write, limit } = options;
	const blocks = readRecording(openInput(read));
	if (write !== undefined) keepApart(write, read);
	const onError = (error: Error) => notice(`a file could not be written: ${error.message}`);
	const packets =
		write === undefined ? undefined : openOutput(() => new PacketFile(write, `ipvigil ${version()}`, onError));
	let enough = limit === 0;
	// An interface that is recorded has only its number: its name may be another's by now.
	const view = { epochOffsetUs: 0, interfaceName: () => undefined };
	const print = (text: string) => process.stdout.write(text);
	const end = () => {
		enough = true;
	};
	// What cli.ts says when the reader of our output has gone: the packets until then are still to be written.
	process.on('SIGPIPE', end);
	const tracer = new Tracer({ ...options, view, print, onLimit: end, packets });
	let losses: RecordedLosses = {};
	for await (const block of blocks) {
		if (block.kind === 'head') view.epochOffsetUs = block.head.epochOffsetUs;
		else show(block, tracer, options.filter);
		if (block.kind === 'end') losses = block.losses;
		if (enough) break;
	}
	await packets?.close();
	process.off('SIGPIPE', end);
	notice(summaryOf(tracer, losses));
}

function show(block: Exclude<RecordingBlock, { kind: 'head' }>, tracer: Tracer, filter: Filter): void {
	switch (block.kind) {
		case 'table':
			return filter.setTable(block.snapshot);
		case 'batch': {
			const { events, malformed } = decodeBatch(block.bytes, block.sizes);
			tracer.hear(events);
			for (const { reason } of malformed) notice(`a record makes no sense: ${reason}`);
			return;
		}
		case 'opened':
			return;
		case 'end':
		case 'torn':
			return tellEnd(block);
	}
}
