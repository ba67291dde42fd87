/**
 * The comparison: what wire.bpf.c says of each frame, beside what the oracle says it should, word by word. Where they
 * differ, a text shows the frame and both opinions; with the seed that is all it takes to look again.
 */
import type {
	EndpointCounters,
	HostCounters,
	KernelEvent,
	Losses,
	QuotedEndpoint,
	RefusalEvent,
	UnreachableEvent,
} from '../../src/decode/event.js';
import { Bench, type Program } from './bench.js';
import { localAddresses, watched } from './fuzz-addresses.js';
import { tunnelPort } from './icmp-packets.js';
import { losses, nothing, type Opinion } from './oracle-words.js';

/** What one program made of one frame: undefined where the kernel would not even start it on such a frame. */
export type Heard = { said: string; loss: string } | undefined;

function nameOf({ protocol, address, port }: QuotedEndpoint): string {
	return `${protocol ?? 'nothing known'} [${address}]:${port}`;
}

function refusalWords({ endpoint, client, clientPort, answersSyn }: RefusalEvent): string {
	return `${answersSyn ? 'refusal' : 'reset'} ${nameOf(endpoint)} to ${client} ${clientPort}`;
}

function unreachableWords(event: UnreachableEvent): string {
	const { icmpType, icmpCode, endpoint, client, clientPort, reporter, quotedSequence, tunnel } = event;
	const from = `from ${client} ${clientPort} by ${reporter}`;
	return `unreachable ${icmpType}/${icmpCode} ${nameOf(endpoint)} ${from} sequence ${quotedSequence} tunnel ${tunnel}`;
}

function eventWords(event: KernelEvent): string[] {
	if (event.kind === 'refusal') return [refusalWords(event)];
	return event.kind === 'unreachable' ? [unreachableWords(event)] : [];
}

type Counters = Partial<EndpointCounters & HostCounters>;

/** What is counted without an event. */
const countedWords: Partial<Record<keyof Counters, string>> = {
	acceptances: 'acceptance',
	ownRefusals: 'own refusal',
	ownAcceptances: 'own acceptance',
	ownUnreachables: 'own unreachable',
	strangers: 'stranger',
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
	#counters: Map<string, Counters>;
	#losses: Losses;

	constructor() {
		this.#bench.wire.setEndpoints(watched);
		this.#bench.wire.setLocalAddresses(localAddresses);
		this.#bench.wire.setTunnelPorts([tunnelPort]);
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
		return { said: words.join(', ') || nothing.said, loss: losses(this.#takeLosses()) };
	}

	close(): void {
		this.#bench.close();
	}

	#readCounters(): Map<string, Counters> {
		const { wire } = this.#bench;
		const hosts = wire.hostCounters().map(({ address, counters }): [string, Counters] => [address, counters]);
		const endpoints = wire.counters().map(({ endpoint, counters }): [string, Counters] => [nameOf(endpoint), counters]);
		return new Map([...endpoints, ...hosts]);
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
	const expectedLoss = opinion.loss ?? heard.loss;
	if (heard.said === opinion.said && heard.loss === expectedLoss) return [];
	const hex = Buffer.from(frame).toString('hex');
	return [
		`${program}: ${heard.said}; lost: ${heard.loss}\n  oracle: ${opinion.said}; lost: ${expectedLoss}\n  frame: ${hex}`,
	];
}
