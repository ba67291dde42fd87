/**
 * `ipvigil replay`: what would have been decided. Here its options and how it prints; the deciding is in
 * shell/replay.ts.
 */
import { Command, Option } from 'commander';
import type { RecordingHead } from '../../capture/recording.js';
import type { JournalEntry } from '../../judge/action.js';
import { type Assumption, assumptions, modes } from '../choices.js';
import type { Config } from '../config.js';
import type { ReplayHandlers } from '../replay.js';

const outputs = ['text', 'json'] as const;

interface ReplayCommandOptions {
	config?: string;
	mode?: Config['mode'];
	probes: Assumption;
	output: (typeof outputs)[number];
}

export function makeReplayCommand(): Command {
	return new Command('replay')
		.description('decide on a recording again, and print what would have been decided')
		.argument('<file>', 'a recording of ipvigil trace --record or ipvigil run --record; - for standard input')
		.option('-c, --config <file>', 'configuration (default: /etc/ipvigil/config.yaml where it exists)')
		.addOption(new Option('-m, --mode <mode>', 'instead of the mode in the configuration').choices(modes))
		.addOption(
			new Option('--probes <outcome>', 'what each probe is taken to have met, see below')
				.choices(assumptions)
				.default('none'),
		)
		.addOption(new Option('-o, --output <format>', 'for people or for programs').choices(outputs).default('text'))
		.addHelpText('after', explanation)
		.action(replay);
}

const explanation = `
Nothing is done by it: no probe is sent, no weight written, no monitor asked. Time is the recording's.
Routes are not recorded: servers behind a link that the director itself had lost are judged as if it stood.

A recording has what the kernel told and the table, but not what ipvigil's own probes met. With --probes
  none      no probe is answered: what the evidence alone decides, and when a probe would have been sent
  refused   every probe is refused: what would have been decided had the servers been dead
  accepted  every probe is accepted: what would have been decided had the servers been well

JSON: a line each, as in the journal, { "at", "bootMs", "scenario", "service", "destination", "sentence",
"facts" }; a probe that would have been sent to confirm has the scenario "would-probe".`;

async function replay(file: string, options: ReplayCommandOptions): Promise<void> {
	const { loadConfig } = await import('../config.js');
	const { openInput } = await import('../input-file.js');
	const { readRecording } = await import('../../capture/recording.js');
	const { Replay } = await import('../replay.js');
	const { withMode } = await import('./run.js');
	const { notice, tellEnd } = await import('./notices.js');
	const config = loadConfig(options.config);
	const printer = new Printer(options.output === 'json', notice);
	let player: InstanceType<typeof Replay> | undefined;
	for await (const block of readRecording(openInput(file))) {
		if (block.kind === 'head') {
			printer.head = block.head;
			player = new Replay(
				{ ...printer.handlers(), config: withMode(config, options.mode), probes: options.probes },
				block.head,
			);
			continue;
		}
		player?.play(block);
		if (block.kind === 'end' || block.kind === 'torn') tellEnd(block);
	}
	player?.close();
	notice(printer.summary());
}

class Printer {
	head: RecordingHead | undefined;
	readonly #counts = new Map<string, number>();

	constructor(
		private readonly asJson: boolean,
		private readonly notice: (sentence: string) => void,
	) {}

	handlers(): ReplayHandlers {
		return {
			onEntry: (atMs, entry) => this.#print(atMs, entry),
			onProbe: (atMs, listener, purpose, outcome) => {
				// The others are routine: they calibrate, and look whether a failed server is back.
				if (purpose !== 'confirm') return;
				const assumed = outcome === 'error' ? 'no answer is assumed' : `taken to be ${outcome}`;
				const sentence = `would have asked ${listener} itself: ${assumed}.`;
				this.#print(atMs, { scenario: 'would-probe', sentence, facts: { outcome } });
			},
			onMalformed: (reason) => this.notice(`a record makes no sense: ${reason}`),
		};
	}

	/** `2 suspect, 1 failed`. */
	summary(): string {
		const counts = [...this.#counts].map(([scenario, count]) => `${count} ${scenario}`);
		return counts.length === 0 ? 'nothing would have been decided' : counts.join(', ');
	}

	#print(bootMs: number, entry: JournalEntry): void {
		this.#counts.set(entry.scenario, (this.#counts.get(entry.scenario) ?? 0) + 1);
		const at = this.#timeOf(bootMs);
		const text = this.asJson
			? JSON.stringify({ at, bootMs, ...entry })
			: `${at.slice('2026-11-22T'.length)}  ${entry.scenario.padEnd(scenarioColumns)}  ${entry.sentence}`;
		process.stdout.write(`${text}\n`);
	}

	#timeOf(bootMs: number): string {
		const { epochOffsetUs = 0, bootOffsetUs = 0 } = this.head ?? {};
		return new Date(bootMs + (epochOffsetUs - bootOffsetUs) / 1000).toISOString();
	}
}

/** Wide enough for most; a longer name pushes its sentence on. */
const scenarioColumns = 16;
