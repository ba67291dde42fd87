/**
 * The comparison: what wire.bpf.c says of each frame, beside what the oracle says it should, word by word. Where they
 * differ, a text shows the frame and both opinions; with the seed that is all it takes to look again.
 */
import type { EndpointCounters, KernelEvent, Losses } from '../../src/decode/event.js';
import type { Endpoint } from '../../src/table/model.js';
import { Bench, type Program } from './bench.js';
import { localAddresses, watched } from './fuzz-packets.js';
import type { Opinion } from './oracle-opinion.js';

/** What one program made of one frame: undefined where the kernel would not even start it on such a frame. */
export type Heard = { said: string; losses: (keyof Losses)[] } | undefined;

function nameOf({ protocol, address, port }: Endpoint): string {
	return `${protocol} [${address}]:${port}`;
}

function eventWords(event: KernelEvent): string[] {
	if (event.kind !== 'refusal') return [];
	const { endpoint, client, clientPort, answersSyn } = event;
	return [`${answersSyn ? 'refusal' : 'reset'} ${nameOf(endpoint)} to ${client} ${clientPort}`];
}

/** What is counted without an event. */
const countedWords: Partial<Record<keyof EndpointCounters, string>> = {
	acceptances: 'acceptance',
	ownRefusals: 'own refusal',
	ownAcceptances: 'own acceptance',
};

/** A test run of tc refuses frames without a whole IP header (net/bpf/test_run.c). */
function isTooShort(error: unknown, program: Program): boolean {
	return program === 'wire_tc' && (error as { code?: string }).code === 'EINVAL';
}

/** The names whose numbers differ. */
function grown<T extends object>(before: T, after: T): (keyof T)[] {
	return (Object.keys(after) as (keyof T)[]).filter((name) => after[name] !== before[name]);
}

/** Both programs with every event let through, and what each frame adds to their counters. */
export class Listener {
	readonly #bench = new Bench({ eventIntervalMs: 0 });
	#counters: Map<string, EndpointCounters>;
	#losses: Losses;

	constructor() {
		this.#bench.wire.setEndpoints(watched);
		this.#bench.wire.setLocalAddresses(localAddresses);
		this.#counters = this.#readCounters();
		this.#losses = this.#bench.wire.losses();
	}

	hear(program: Program, frame: Uint8Array): Heard {
		try {
			this.#bench.run(program, frame);
		} catch (error) {
			if (isTooShort(error, program)) return undefined;
			throw error;
		}
		const words = [...this.#bench.takeEvents().flatMap(eventWords), ...this.#takeCounted()];
		return { said: words.join(', ') || 'nothing', losses: this.#takeLosses() };
	}

	close(): void {
		this.#bench.close();
	}

	#readCounters(): Map<string, EndpointCounters> {
		return new Map(this.#bench.wire.counters().map(({ endpoint, counters }) => [nameOf(endpoint), counters]));
	}

	#takeCounted(): string[] {
		const before = this.#counters;
		this.#counters = this.#readCounters();
		return [...this.#counters].flatMap(([name, after]) =>
			grown(before.get(name) ?? after, after).flatMap((counter) => {
				const word = countedWords[counter];
				return word === undefined ? [] : [`${word} ${name}`];
			}),
		);
	}

	#takeLosses(): (keyof Losses)[] {
		const before = this.#losses;
		this.#losses = this.#bench.wire.losses();
		return grown(before, this.#losses);
	}
}

/** One text for each disagreement; none where the program and the oracle say the same. */
export function disagreement(
	program: Program,
	frame: Uint8Array,
	heard: Heard,
	opinion: Opinion | undefined,
): string[] {
	if (heard === undefined || opinion === undefined) return [];
	const losses = heard.losses.join(' and ') || 'none';
	const expectedLoss = opinion.loss ?? losses;
	if (heard.said === opinion.said && losses === expectedLoss) return [];
	const hex = Buffer.from(frame).toString('hex');
	return [
		`${program}: ${heard.said}; lost: ${losses}\n  oracle: ${opinion.said}; lost: ${expectedLoss}\n  frame: ${hex}`,
	];
}
