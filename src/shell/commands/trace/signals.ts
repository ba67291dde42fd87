/**
 * The names by which people pick and read signals, each with what it means: the words of `--signal`, of the lines that
 * `trace` prints and of its help. What a signal proves is evidence's business.
 */
import type { VantageName } from '../../../capture/recording.js';
import type { KernelEvent, Outcome } from '../../../decode/event.js';

interface Signal {
	/** Who tells it; a refusal is plausible on the wire, and verified where its connection is known. */
	vantages: readonly VantageName[];
	meaning: string;
}

export const signals = {
	refusal: {
		vantages: ['wire', 'outcome'],
		meaning: 'a RST that answers a SYN; plausible from wire, and from outcome as its line says',
	},
	reset: { vantages: ['wire', 'outcome'], meaning: 'any other RST; from outcome, of an accepted connection' },
	unreachable: { vantages: ['wire'], meaning: 'an ICMP error about a packet to a real server' },
	'syn-repeated': { vantages: ['outcome'], meaning: 'the client sent its SYN again: nobody answered' },
	overdue: { vantages: ['outcome'], meaning: 'attempts wait longer than is usual, and none is accepted' },
	'data-repeated': { vantages: ['outcome'], meaning: 'the client sent its data again: the host died' },
	'gave-up': { vantages: ['outcome'], meaning: 'the client closed, its request unanswered' },
	'accepted-again': { vantages: ['outcome'], meaning: 'the first acceptance after any of the above' },
	'no-destination': { vantages: ['outcome'], meaning: 'the scheduler found no destination' },
	learned: { vantages: ['outcome'], meaning: 'the port behind a destination that has none of its own' },
	write: { vantages: ['audit'], meaning: 'somebody wrote a destination' },
	service: { vantages: ['audit'], meaning: 'somebody wrote a service' },
	link: { vantages: ['link'], meaning: 'an interface changed: carrier, active slave, slave' },
	neighbour: { vantages: ['link'], meaning: 'a neighbour (ARP, ND) failed or came back' },
} as const satisfies Record<string, Signal>;

export type SignalName = keyof typeof signals;

/** Words that stand for all that one vantage point tells. */
const vantageWords = ['wire', 'outcome', 'audit'] as const satisfies readonly VantageName[];

const outcomeSignals: Record<Outcome, SignalName> = {
	refused: 'refusal',
	synRepeated: 'syn-repeated',
	overdue: 'overdue',
	dataRepeated: 'data-repeated',
	reset: 'reset',
	gaveUp: 'gave-up',
	acceptedAgain: 'accepted-again',
	plausiblyRefused: 'refusal',
	noDestination: 'no-destination',
};

const vantageOfKind: Record<KernelEvent['kind'], VantageName> = {
	refusal: 'wire',
	unreachable: 'wire',
	outcome: 'outcome',
	learned: 'outcome',
	write: 'audit',
	service: 'audit',
	link: 'link',
	neighbour: 'link',
};

/** A signal as it was told. */
export interface Told {
	signal: SignalName;
	vantage: VantageName;
}

export function toldBy(event: KernelEvent): Told {
	return { signal: signalOf(event), vantage: vantageOfKind[event.kind] };
}

function signalOf(event: KernelEvent): SignalName {
	if (event.kind === 'refusal') return event.answersSyn ? 'refusal' : 'reset';
	return event.kind === 'outcome' ? outcomeSignals[event.outcome] : event.kind;
}

/** Whatever can be told, once per vantage point. */
export const everyTold: readonly Told[] = Object.entries<Signal>(signals).flatMap(([signal, { vantages }]) =>
	vantages.map((vantage) => ({ signal: signal as SignalName, vantage })),
);

/** What `--signal` takes. */
export const signalWords: readonly string[] = [...Object.keys(signals), ...vantageWords];

/** Whether one of `signalWords` means this. */
export function means(word: string, { signal, vantage }: Told): boolean {
	return word === signal || (word === vantage && vantageWords.some((one) => one === word));
}

/** For the help: a line each. */
export function signalTable(): string {
	const rows = Object.entries(signals).map(([name, { meaning }]) => `  ${name.padEnd(15)} ${meaning}`);
	return `${rows.join('\n')}\nAnd ${vantageWords.join(', ')}: everything that this vantage point tells.`;
}
