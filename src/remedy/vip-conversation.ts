/**
 * What follows in the VIP probe when the server accepts and a request or an expectation stands open: our ACK with the
 * request, the server's answer, our RST. A TCP as small as that: the request is one segment, of the answer what comes in
 * order is read, and what does not decide yet is acknowledged, so that a server that waits for that (RFC 896) goes on. It
 * knows no clock and no socket.
 */
import { AnswerReader, type Exchange, type Verdict } from './exchange.js';
import { latin1Octets, latin1Text } from './vip-octets.js';
import { type Segment, tcpFlag } from './vip-packet.js';

export type SegmentPart = Pick<Segment, 'sequence' | 'acknowledgement' | 'flags'>;
export type SendSegment = (part: SegmentPart, data?: Uint8Array) => void;

/** A reset from so far ahead still counts: what lies between may have been lost. It is our window (`vip-packet.ts`). */
const windowOctets = 64_240;

export class VipConversation {
	readonly #request: Uint8Array;
	readonly #reader: AnswerReader;
	readonly #send: SendSegment;
	/** Of the request's first octet, and the one after its last. */
	readonly #first: number;
	readonly #afterRequest: number;
	/** Of the octet that the server says next. */
	#theirs: number;
	/** The server has acknowledged the request. */
	#isReceived = false;

	/** `acceptance`: the SYN|ACK. */
	constructor({ request = '', expect }: Exchange, acceptance: Segment, send: SendSegment) {
		this.#request = latin1Octets(request);
		this.#reader = new AnswerReader(expect);
		this.#send = send;
		this.#first = acceptance.acknowledgement;
		this.#afterRequest = (this.#first + this.#request.length) >>> 0;
		this.#theirs = (acceptance.sequence + 1) >>> 0;
	}

	/** To be called again where no answer comes. */
	ask(): undefined {
		if (this.#isReceived) return;
		const flags = this.#request.length > 0 ? tcpFlag.ack | tcpFlag.psh : tcpFlag.ack;
		this.#send({ sequence: this.#first, acknowledgement: this.#theirs, flags }, this.#request);
	}

	/** Undefined: the answer is still open. */
	hear(segment: Segment, data: Uint8Array): Verdict | undefined {
		const { flags, sequence, acknowledgement } = segment;
		const ahead = difference(sequence, this.#theirs);
		if ((flags & tcpFlag.rst) !== 0) {
			if (ahead < 0 || ahead > windowOctets) return undefined;
			return { outcome: 'reset', detail: 'it accepted, and cut the connection off' };
		}
		// The acceptance once more: our ACK was lost.
		if ((flags & tcpFlag.syn) !== 0) return this.ask();
		if ((flags & tcpFlag.ack) === 0 || !this.#isOurs(acknowledgement)) return undefined;
		if (acknowledgement === this.#afterRequest) this.#isReceived = true;
		return ahead > 0 ? undefined : this.#read(data.subarray(-ahead), (flags & tcpFlag.fin) !== 0);
	}

	timeOver(waitedMs: number): Verdict {
		return this.#reader.timeOver(waitedMs);
	}

	/**
	 * A RST counts only with exactly the number that the server waits for (RFC 5961 §3.2): the one after the request, or,
	 * where that may have been lost, the request's own.
	 */
	reset(): void {
		const end = (sequence: number) => this.#send({ sequence, acknowledgement: 0, flags: tcpFlag.rst });
		end(this.#afterRequest);
		if (!this.#isReceived && this.#request.length > 0) end(this.#first);
	}

	#isOurs(acknowledgement: number): boolean {
		return acknowledgement === this.#first || acknowledgement === this.#afterRequest;
	}

	/** `isLast`: the server closes behind these octets. What was heard before is not among them. */
	#read(octets: Uint8Array, isLast: boolean): Verdict | undefined {
		if (octets.length === 0) return isLast ? this.#reader.closed() : undefined;
		this.#theirs = (this.#theirs + octets.length) >>> 0;
		const verdict = this.#reader.hear(latin1Text(octets)) ?? (isLast ? this.#reader.closed() : undefined);
		if (!verdict) this.#send({ sequence: this.#afterRequest, acknowledgement: this.#theirs, flags: tcpFlag.ack });
		return verdict;
	}
}

/** How far one sequence number is ahead of another, around the end of the numbers (RFC 9293 §3.4). */
function difference(one: number, other: number): number {
	return (one - other) | 0;
}
