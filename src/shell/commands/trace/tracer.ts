/**
 * What `trace` does with each event, wherever it comes from: filters it, prints it at once, keeps its packet, counts.
 * Where events come from, and when it is enough, others say.
 */
import type { PacketFile } from '../../../capture/pcapng.js';
import type { KernelEvent } from '../../../decode/event.js';
import type { Filter } from './filter.js';
import { type SignalName, toldBy } from './signals.js';
import { compactLine, jsonLine, type ViewOptions } from './view.js';

export interface TracerOptions {
	filter: Filter;
	output: TraceOutput;
	view: ViewOptions;
	/** Takes whole lines. */
	print: (text: string) => void;
	/** Events after which `onLimit` is called and nothing more is shown. */
	limit: number;
	onLimit: () => void;
	packets: PacketFile | undefined;
}

export const traceOutputs = ['compact', 'json'] as const;
export type TraceOutput = (typeof traceOutputs)[number];

export class Tracer {
	readonly #options: TracerOptions;
	readonly #shown = new Map<SignalName, number>();
	#total = 0;
	#hidden = 0;
	#withoutPacket = 0;

	constructor(options: TracerOptions) {
		this.#options = options;
	}

	hear(events: readonly KernelEvent[]): void {
		const { filter, limit } = this.#options;
		for (const event of events) {
			if (this.#total >= limit) return;
			if (filter.matches(event)) this.#show(event);
			else this.#hidden++;
		}
	}

	/** `12 events (10 refusal, 2 write), 3 filtered out`. */
	summary(): string {
		const counts = [...this.#shown].map(([signal, count]) => `${count} ${signal}`).join(', ');
		const shown = `${this.#total} ${this.#total === 1 ? 'event' : 'events'}${counts && ` (${counts})`}`;
		return [shown, ...this.#rest()].join(', ');
	}

	#rest(): string[] {
		const dropped = this.#options.packets?.dropped ?? 0;
		return [
			...(this.#hidden > 0 ? [`${this.#hidden} filtered out`] : []),
			...(this.#withoutPacket > 0 ? [`${this.#withoutPacket} without a packet to write`] : []),
			...(dropped > 0 ? [`${dropped} packets not written`] : []),
		];
	}

	#show(event: KernelEvent): void {
		const { output, view, print, packets, limit, onLimit } = this.#options;
		const { signal } = toldBy(event);
		this.#shown.set(signal, (this.#shown.get(signal) ?? 0) + 1);
		this.#total++;
		print(`${output === 'json' ? jsonLine(event, view) : compactLine(event, view)}\n`);
		if (packets) this.#keep(event, packets);
		if (this.#total === limit) onLimit();
	}

	#keep(event: KernelEvent, packets: PacketFile): void {
		const { view } = this.#options;
		const packet = 'packet' in event ? event.packet : undefined;
		if (packet) packets.write(event.atUs + view.epochOffsetUs, packet, compactLine(event, view));
		else this.#withoutPacket++;
	}
}
