/**
 * Which destination somebody means who names one in full (`tcp 10.0.0.100:80 > 10.1.0.11:8080`) or by a part of that: the
 * server's address with or without its port, the service and the server. An address counts whole, so that 10.1.0.1
 * never means 10.1.0.11. The daemon and the commands read names the same way.
 */
import { type DestinationId, hostPort, parseHostPort } from '../table/identity.js';
import { nearest } from './config-issue.js';

export type Found =
	| { kind: 'one'; id: DestinationId }
	| { kind: 'several'; ids: DestinationId[] }
	/** `near`: what is most like it. */
	| { kind: 'none'; near: DestinationId[] };

/** More are no help to a reader. */
const nearMax = 5;

export function findDestination(text: string, known: Iterable<DestinationId>): Found {
	const ids = [...known];
	const wanted = wordsOf(text);
	const whole = wanted.join(' ');
	const same = ids.find((id) => wordsOf(id).join(' ') === whole);
	if (same !== undefined) return { kind: 'one', id: same };
	const found = wanted.length === 0 ? [] : ids.filter((id) => hasPart(wordsOf(id), wanted));
	const [first] = found;
	if (first === undefined) return { kind: 'none', near: nearTo(wanted, ids) };
	return found.length === 1 ? { kind: 'one', id: first } : { kind: 'several', ids: found };
}

/** The words without the `>`, which a shell may have eaten, and addresses in the one spelling. */
function wordsOf(text: string): string[] {
	const words = text.split(/[\s>]+/).filter((word) => word !== '');
	return words.map((word) => {
		const host = parseHostPort(word);
		return host ? hostPort(host.address, host.port) : word;
	});
}

function hasPart(words: string[], part: string[]): boolean {
	return words.some((_, start) =>
		part.every((wanted, index) => {
			const word = words[start + index];
			return word === wanted || hostOf(word) === wanted;
		}),
	);
}

/** `10.1.0.11` of `10.1.0.11:80`, `fd00::11` of `[fd00::11]:80`. */
function hostOf(word: string | undefined): string | undefined {
	return word === undefined ? undefined : parseHostPort(word)?.address;
}

function nearTo(wanted: string[], ids: DestinationId[]): DestinationId[] {
	const last = wanted.at(-1) ?? '';
	const address = hostOf(last) ?? last;
	const like = address.length < 3 ? [] : ids.filter((id) => id.includes(address));
	if (like.length > 0) return like.slice(0, nearMax);
	const servers = new Map(ids.map((id) => [wordsOf(id).at(-1) ?? id, id]));
	const one = nearest(wanted.join(' '), ids) ?? servers.get(nearest(last, [...servers.keys()]) ?? '');
	return one === undefined ? [] : [one];
}
