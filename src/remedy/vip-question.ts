/**
 * One question of the VIP probe: who has the next hop's address, does the server accept on the VIP, and, where that is
 * asked, does it answer? It knows no clock and no socket: it is told when to ask and what was heard, and hands out frames.
 * Order of events: neighbour asked, its answer, SYN, the server's answer, what `VipConversation` makes of it, RST.
 */
import { hostPort } from '../table/identity.js';
import { type Exchange, isExchange, type Verdict } from './exchange.js';
import type { VipAnswer } from './vip-answer.js';
import { type SendSegment, VipConversation } from './vip-conversation.js';
import { writeNeighbourQuestion } from './vip-neighbour.js';
import { etherType, type Segment, tcpFlag, writeFrame, writeSegment } from './vip-packet.js';
import { encapsulate } from './vip-tunnel.js';
import type { VipTarget, Way } from './vip-way.js';

/** What nobody else shall guess. */
export interface Secret {
	port: number;
	/** The SYN's sequence number. */
	sequence: number;
}

const acceptance = tcpFlag.syn | tcpFlag.ack;
const refusal = tcpFlag.rst | tcpFlag.ack;

export class VipQuestion {
	readonly #target: VipTarget;
	readonly #exchange: Exchange;
	readonly #way: Way;
	readonly #secret: Secret;
	readonly #send: (frame: Uint8Array) => void;
	/** The next hop's, once it has said it. */
	#mac: string | undefined;
	/** Once the server has accepted, and more is asked. */
	#conversation: VipConversation | undefined;

	constructor(target: VipTarget, exchange: Exchange, way: Way, secret: Secret, send: (frame: Uint8Array) => void) {
		this.#target = target;
		this.#exchange = exchange;
		this.#way = way;
		this.#secret = secret;
		this.#send = send;
	}

	/** Asks what is still open; to be called again where no answer comes. */
	ask(): undefined {
		if (this.#mac === undefined) this.#send(writeNeighbourQuestion(this.#way, this.#way.nextHop));
		else if (this.#conversation) this.#conversation.ask();
		else this.#sendSegment({ sequence: this.#secret.sequence, acknowledgement: 0, flags: tcpFlag.syn });
	}

	/** Undefined: the question is still open. */
	hear(answer: VipAnswer): Verdict | undefined {
		switch (answer.kind) {
			case 'neighbour':
				return this.#hearNeighbour(answer.address, answer.mac);
			case 'segment':
				return this.#isFromServer(answer) ? this.#hearSegment(answer.segment, answer.data) : undefined;
			case 'unreachable': {
				const { source, destination, sourcePort, destinationPort, sequence } = answer.quote;
				if (!this.#areEnds(source, destination) || !this.#arePorts(sourcePort, destinationPort)) return undefined;
				if (sequence !== this.#secret.sequence && sequence !== this.#expected) return undefined;
				if (this.#conversation) this.reset();
				// A firewall that does not let us through says nothing of the server.
				return {
					outcome: answer.counts ? 'unreachable' : 'error',
					detail: `${answer.from} says: ${answer.reason}`,
				};
			}
		}
	}

	/** The last word when the time is over. */
	timeOver(waitedMs: number): Verdict {
		if (this.#mac === undefined)
			return { outcome: 'unanswered', detail: `nobody says to have ${this.#way.nextHop} within ${waitedMs} ms` };
		this.reset();
		if (this.#conversation) return this.#conversation.timeOver(waitedMs);
		const { vip, port, host } = this.#target;
		return { outcome: 'unanswered', detail: `${host} says nothing for ${hostPort(vip, port)} within ${waitedMs} ms` };
	}

	/**
	 * Ends what the server may have begun: in its SYN_RECV a RST with the next sequence number lets go of the half-open
	 * connection (tcp_check_req() in net/ipv4/tcp_minisocks.c), and a listener takes no notice of one (RFC 9293 §3.10.7.2).
	 */
	reset(): void {
		if (this.#conversation) this.#conversation.reset();
		else if (this.#mac !== undefined)
			this.#sendSegment({ sequence: this.#expected, acknowledgement: 0, flags: tcpFlag.rst });
	}

	get #expected(): number {
		return (this.#secret.sequence + 1) >>> 0;
	}

	#hearNeighbour(address: string, mac: string): undefined {
		if (this.#mac !== undefined || address !== this.#way.nextHop) return;
		this.#mac = mac;
		this.ask();
	}

	/**
	 * Another real server has the VIP too, so that only the link address tells which one speaks. Behind a gateway it tells
	 * nothing: a VRRP router answers for a virtual address and may send by its own, and the way back may be another one.
	 */
	#isFromServer({ mac, source, destination, segment }: Extract<VipAnswer, { kind: 'segment' }>): boolean {
		if (this.#mac === undefined) return false;
		if (this.#way.nextHop === this.#target.host && mac !== this.#mac) return false;
		return this.#areEnds(destination, source) && this.#arePorts(segment.destinationPort, segment.sourcePort);
	}

	#hearSegment(segment: Segment, data: Uint8Array): Verdict | undefined {
		if (this.#conversation) return this.#converse(this.#conversation, segment, data);
		const { flags, acknowledgement } = segment;
		if (acknowledgement !== this.#expected) return undefined;
		if (flags === refusal) return { outcome: 'refused', detail: '' };
		if ((flags & acceptance) !== acceptance) return undefined;
		if (isExchange(this.#exchange)) {
			this.#conversation = new VipConversation(this.#exchange, segment, this.#sendSegment);
			return this.ask();
		}
		this.reset();
		return { outcome: 'accepted', detail: '' };
	}

	#converse(conversation: VipConversation, segment: Segment, data: Uint8Array): Verdict | undefined {
		const verdict = conversation.hear(segment, data);
		if (verdict && verdict.outcome !== 'reset') conversation.reset();
		return verdict;
	}

	#areEnds(ours: string, theirs: string): boolean {
		return ours === this.#way.source && theirs === this.#target.vip;
	}

	#arePorts(ours: number, theirs: number): boolean {
		return ours === this.#secret.port && theirs === this.#target.port;
	}

	/** To the next hop, which has said by now that it is there. */
	readonly #sendSegment: SendSegment = (part, data) => {
		if (this.#mac === undefined) return;
		const { vip, port, host, forwarding, tunnel } = this.#target;
		const { source } = this.#way;
		const sourcePort = this.#secret.port;
		const inner = writeSegment({ source, destination: vip }, { sourcePort, destinationPort: port, ...part }, data);
		const payload =
			forwarding === 'tunnel' ? encapsulate(inner, { source, destination: host }, tunnel, sourcePort) : inner;
		const type = vip.includes(':') ? etherType.ipv6 : etherType.ipv4;
		this.#send(writeFrame({ destination: this.#mac, source: this.#way.mac, type, payload }));
	};
}
