/** What follows on an acceptance, segment by segment; no clock, no socket. On the wire: test/kernel/vip-exchange.test.ts. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Exchange } from '../../src/remedy/exchange.js';
import { type SegmentPart, VipConversation } from '../../src/remedy/vip-conversation.js';
import { latin1Octets, latin1Text } from '../../src/remedy/vip-octets.js';
import { tcpFlag } from '../../src/remedy/vip-packet.js';
import { acceptance } from './vip-samples.js';

/** Both numbers are about to pass the end of theirs. */
const ours = 0xffff_fffe;
const theirs = 0xffff_ffff;
const { ack, fin, psh, rst } = tcpFlag;

class Spoken {
	readonly sent: string[] = [];
	readonly conversation: VipConversation;

	constructor(exchange: Exchange) {
		const send = ({ sequence, acknowledgement, flags }: SegmentPart, data?: Uint8Array) =>
			this.sent.push(`${flags} ${sequence} ${acknowledgement} ${data ? latin1Text(data) : ''}`);
		this.conversation = new VipConversation(exchange, this.#segment(acceptance, -1, 0), send);
		this.conversation.ask();
	}

	/** `at`: how many octets the server has said before; `taken`: how many of ours it acknowledges. */
	hear(flags: number, at: number, taken: number, text = ''): string | undefined {
		const verdict = this.conversation.hear(this.#segment(flags, at, taken), latin1Octets(text));
		return verdict && [verdict.outcome, verdict.detail].filter(Boolean).join(': ');
	}

	#segment(flags: number, at: number, taken: number) {
		const numbers = { sequence: (theirs + 1 + at) >>> 0, acknowledgement: (ours + taken) >>> 0 };
		return { sourcePort: 80, destinationPort: 61_234, flags, ...numbers };
	}
}

const ping = { request: 'ping', expect: 'pong' };

describe('a conversation', () => {
	test('begins with an acknowledgement that carries the request, or with one that waits', () => {
		assert.deepEqual(new Spoken(ping).sent, [`${ack | psh} ${ours} 0 ping`]);
		assert.deepEqual(new Spoken({ expect: '220' }).sent, [`${ack} ${ours} 0 `]);
	});

	test('is decided by an answer in one piece', () => {
		assert.equal(new Spoken(ping).hear(ack | psh, 0, 4, 'pong and more'), 'accepted');
		assert.equal(new Spoken(ping).hear(ack | psh, 0, 4, 'no'), 'refused: it answered "no"');
		assert.equal(new Spoken({ request: 'ping' }).hear(ack, 0, 4, '?'), 'accepted');
		assert.equal(new Spoken({ expect: '220' }).hear(ack, 0, 0, '220'), 'accepted');
	});

	test('puts pieces together in their order, once each, and acknowledges those that decide nothing', () => {
		const spoken = new Spoken(ping);
		assert.equal(spoken.hear(ack, 2, 4, 'xx'), undefined, 'what is ahead is not read');
		assert.equal(spoken.hear(ack, 0, 4, 'po'), undefined);
		assert.deepEqual(spoken.sent.slice(1), [`${ack} 2 2 `]);
		assert.equal(spoken.hear(ack, 0, 4, 'po'), undefined, 'nor what was read before');
		assert.equal(spoken.sent.length, 2);
		assert.equal(spoken.hear(ack, 1, 4, 'ong'), 'accepted');
	});

	test('is refused by a good-bye, with or without octets in the same segment', () => {
		assert.equal(new Spoken(ping).hear(ack | fin, 0, 4), 'refused: it closed without an answer');
		assert.equal(new Spoken(ping).hear(ack | fin, 0, 4, 'po'), 'refused: it answered "po" and closed');
		assert.equal(new Spoken(ping).hear(ack | fin, 0, 4, 'pong'), 'accepted');
		assert.equal(new Spoken(ping).hear(ack | fin, 3, 4), undefined, 'what comes before it is missing');
	});

	test('is reset by a RST within the window, whatever it acknowledges, and by none from elsewhere', () => {
		for (const at of [0, 64_240]) assert.match(new Spoken(ping).hear(rst, at, 99) ?? '', /^reset: /);
		for (const at of [-1, 64_241]) assert.equal(new Spoken(ping).hear(rst | ack, at, 4), undefined);
	});

	test('does not hear who acknowledges what was not said', () => {
		for (const taken of [-1, 1, 3, 5]) assert.equal(new Spoken(ping).hear(ack, 0, taken, 'pong'), undefined);
		assert.equal(new Spoken(ping).hear(psh, 0, 4, 'pong'), undefined, 'nor who acknowledges nothing');
	});

	test('is asked once more until the request is acknowledged, and at once where the acceptance comes again', () => {
		const spoken = new Spoken(ping);
		spoken.conversation.ask();
		assert.equal(spoken.hear(acceptance, -1, 0), undefined);
		assert.deepEqual(new Set(spoken.sent), new Set([`${ack | psh} ${ours} 0 ping`]));
		assert.equal(spoken.sent.length, 3);
		assert.equal(spoken.hear(ack, 0, 4), undefined);
		spoken.conversation.ask();
		assert.equal(spoken.sent.length, 3);
	});

	test('ends by a RST with the number that the server waits for: two where that is not known', () => {
		const taken = new Spoken(ping);
		taken.hear(ack, 0, 4);
		taken.conversation.reset();
		assert.deepEqual(taken.sent.slice(1), [`${rst} 2 0 `]);
		const lost = new Spoken(ping);
		lost.conversation.reset();
		assert.deepEqual(lost.sent.slice(1), [`${rst} 2 0 `, `${rst} ${ours} 0 `]);
		const silent = new Spoken({ expect: '220' });
		silent.conversation.reset();
		assert.deepEqual(silent.sent.slice(1), [`${rst} ${ours} 0 `]);
	});

	test('is hung when the time is over', () => {
		const spoken = new Spoken(ping);
		const nothing = { outcome: 'hung', detail: 'it accepted, and answered nothing within 500 ms' };
		assert.deepEqual(spoken.conversation.timeOver(500), nothing);
		spoken.hear(ack, 0, 4, 'po');
		const little = { outcome: 'hung', detail: 'it accepted, and answered no more than "po" within 500 ms' };
		assert.deepEqual(spoken.conversation.timeOver(500), little);
	});
});
