/**
 * `ipvigil trace`: what the kernel tells, line by line. Here only its options; live.ts listens to the kernel, playback.ts
 * reads a recording.
 */
import { Command, Option } from 'commander';
import { attachKinds } from '../choices.js';
import type { Config } from '../config.js';
import { readDuration } from '../duration.js';
import { OperatorError } from '../errors.js';
import { Filter, type FilterKind } from './trace/filter.js';
import { signalTable } from './trace/signals.js';
import { type TraceOutput, traceOutputs } from './trace/tracer.js';

interface TraceOptions {
	config?: string;
	rules?: string;
	interface?: string[];
	attach?: Config['attach'];
	output: TraceOutput;
	limit?: number;
	duration?: number;
	write?: string;
	record?: string;
	read?: string;
}

export function makeTraceCommand(): Command {
	const filter = new Filter();
	const command = new Command('trace')
		.description('print what the kernel tells of real servers, links and the table, as it happens')
		.optionsGroup('Filters:')
		.option('--signal <name,...>', 'only these signals, see below', picks(filter, 'signal'))
		.option('--service <id,...>', 'only of these services, as in "tcp 10.0.0.100:80"', picks(filter, 'service'))
		.option('--server <cidr,...>', 'only of real servers in these networks', picks(filter, 'server'))
		.option('--client <cidr,...>', 'only of clients in these networks', picks(filter, 'client'))
		.option('--not', 'the next filter is turned round')
		.optionsGroup('Output:')
		.addOption(
			new Option('-o, --output <format>', 'for people or for programs').choices(traceOutputs).default('compact'),
		)
		.option('--limit <n>', 'end after so many events', readLimit)
		.option('--duration <time>', 'end after this time, as in 500ms, 10s, 5m or 1h', readDuration)
		.option('--write <file>', 'also write the packets behind the events, as pcapng, in a new file')
		.option('--record <file>', 'also record what the kernel sent, in a new file, for --read and replay')
		.optionsGroup('Source:')
		.option('-c, --config <file>', 'configuration (default: /etc/ipvigil/config.yaml where it exists)')
		.option('-r, --rules <file>', "real servers from a file of ipvsadm rules instead of the kernel's table")
		.option('--interface <name>', 'watch this interface; may be repeated (default: from the routes)', collect)
		.addOption(new Option('--attach <how>', 'instead of the way in the configuration').choices(attachKinds))
		.addOption(readOption())
		.addHelpText('after', () => `\n${explanation()}`)
		.action((options: TraceOptions) => trace(options, filter));
	return command.on('option:not', () => filter.not());
}

/** A recording has its table and its batches: what only a live trace can do is refused beside it. */
function readOption(): Option {
	return new Option('--read <file>', 'print a recording instead, or standard input where it is "-"').conflicts([
		'config',
		'rules',
		'attach',
		'duration',
		'record',
	]);
}

function explanation(): string {
	return `Signals:
${signalTable()}

Filters of different kinds must all agree; of filters of one kind one is enough. --not turns the one filter
behind it round: trace --server 10.1.0.0/16 --not --signal reset,learned --not --client 192.0.2.0/24

No daemon is needed, and none is disturbed. SIGINT ends it; what was seen and lost is then told on standard error.

JSON: a line per event, { "at", "signal", "vantage", "kind", "atUs", ... }, with "packet" where --write asks for
packets: { "packetOctets", "protocol", "octets" }. "at" is UTC; "atUs" is the kernel's CLOCK_MONOTONIC.`;
}

/** Commander calls this for each filter in the order in which they were typed, and the event of --not between them. */
function picks(filter: Filter, kind: FilterKind): (text: string) => string {
	return (text) => {
		filter.add(kind, text);
		return text;
	};
}

function collect(name: string, names: string[] = []): string[] {
	return [...names, name];
}

/** An event number; more than this is "until I stop it". */
const limitMax = 1_000_000_000;

function readLimit(text: string): number {
	const limit = Number(text);
	if (/^\d+$/.test(text) && limit >= 1 && limit <= limitMax) return limit;
	throw new OperatorError('usage', `"${text}" is no number of events.`, `Write a whole number from 1 to ${limitMax}.`);
}

async function trace(options: TraceOptions, filter: Filter): Promise<void> {
	filter.finish();
	const { output, limit = Number.POSITIVE_INFINITY, write, read, record, duration: durationMs } = options;
	if (read !== undefined) {
		const { playBack } = await import('./trace/playback.js');
		return playBack({ read, filter, output, limit, write });
	}
	const { loadConfig } = await import('../config.js');
	const { traceLive } = await import('./trace/live.js');
	const { keepApart } = await import('../output-file.js');
	if (write !== undefined && record !== undefined) keepApart(write, record);
	const config = withTraceOptions(loadConfig(options.config), options);
	await traceLive({ config, filter, output, limit, durationMs, write, record });
}

/** Tracing only looks, so the mode is observe whatever the daemon's is. */
function withTraceOptions(config: Config, { rules, interface: named, attach }: TraceOptions): Config {
	return {
		...config,
		mode: 'observe',
		attach: attach ?? config.attach,
		interfaces: named ?? config.interfaces,
		table: rules === undefined ? config.table : { rules },
	};
}
