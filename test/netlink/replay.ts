/**
 * A kernel made of captured conversations (test/fixtures/netlink): it knows what was once asked, compares requests octet
 * for octet, and answers what the kernel answered, under the sequence number of today.
 */
import { readFileSync } from 'node:fs';
import type { NetlinkHandle, OpenSocket, SocketHandlers } from '../../src/netlink/socket.js';

const headerLength = 16;
const sequenceOffset = 8;

export interface Exchange {
	request: Uint8Array;
	replies: Uint8Array[];
}

function octetsOf(hex: string): Uint8Array {
	return Uint8Array.from(Buffer.from(hex, 'hex'));
}

/** The conversations of a fixture. Datagrams that nobody asked for stand in one with an empty request. */
export function exchanges(name: string): Exchange[] {
	const text = readFileSync(new URL(`../../../test/fixtures/netlink/${name}.hex`, import.meta.url), 'utf8');
	const found: Exchange[] = [];
	for (const line of text.trim().split('\n')) {
		const octets = octetsOf(line.slice(2));
		if (line.startsWith('>')) found.push({ request: octets, replies: [] });
		else {
			if (found.length === 0) found.push({ request: new Uint8Array(0), replies: [] });
			found.at(-1)?.replies.push(octets);
		}
	}
	return found;
}

/** What the kernel sent in a fixture. */
export function replies(name: string): Uint8Array[] {
	return exchanges(name).flatMap((exchange) => exchange.replies);
}

/** Type, and all that follows the header: what makes two requests the same question. */
function question(request: Uint8Array): string {
	return Buffer.concat([request.subarray(4, 6), request.subarray(headerLength)]).toString('hex');
}

function withSequence(datagram: Uint8Array, sequence: number): Uint8Array {
	const copy = datagram.slice();
	const view = new DataView(copy.buffer);
	for (let at = 0; at + headerLength <= copy.length; at += (view.getUint32(at, true) + 3) & ~3) {
		view.setUint32(at + sequenceOffset, sequence, true);
	}
	return copy;
}

/** Stands in for the socket. `intercept` may take an exchange over: what it returns is delivered instead. */
export class ReplayKernel {
	readonly asked: Uint8Array[] = [];
	readonly unknown: string[] = [];
	opened = 0;
	closed = 0;
	intercept: (count: number, answers: Uint8Array[], handlers: SocketHandlers) => Uint8Array[] = (_count, answers) =>
		answers;
	readonly #known = new Map<string, Uint8Array[]>();

	constructor(...names: string[]) {
		for (const { request, replies: answers } of names.flatMap(exchanges)) this.learn(request, answers);
	}

	learn(request: Uint8Array, answers: Uint8Array[]): void {
		this.#known.set(question(request), answers);
	}

	readonly open: OpenSocket = (_protocol, _groups, handlers): NetlinkHandle => {
		this.opened += 1;
		let isOpen = true;
		const send = (bytes: Uint8Array) => {
			const request = bytes.slice();
			this.asked.push(request);
			const sequence = new DataView(request.buffer).getUint32(sequenceOffset, true);
			const known = this.#known.get(question(request));
			if (!known) this.unknown.push(question(request));
			const answers = (known ?? []).map((datagram) => withSequence(datagram, sequence));
			setImmediate((count: number) => {
				const delivered = this.intercept(count, answers, handlers);
				if (isOpen && delivered.length > 0) handlers.onBatch(delivered);
			}, this.asked.length);
		};
		const close = () => {
			isOpen = false;
			this.closed += 1;
		};
		return { send, close };
	};
}
