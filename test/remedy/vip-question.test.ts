/** One question of the VIP probe, event by event; no clock, no socket. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Exchange, Verdict } from '../../src/remedy/exchange.js';
import { readAnswer, type VipAnswer } from '../../src/remedy/vip-answer.js';
import { ipProtocol, readFrame, readPacket, readSegment, type Segment, tcpFlag } from '../../src/remedy/vip-packet.js';
import { VipQuestion } from '../../src/remedy/vip-question.js';
import { decapsulate } from '../../src/remedy/vip-tunnel.js';
import {
	acceptance,
	inet,
	inet6,
	neighbourFrame,
	refusal,
	type Sample,
	segmentFrame,
	serverMac,
	strangerMac,
	tunnelled,
	unreachableFrame,
} from './vip-samples.js';
import { secret } from './vip-sent.js';

const expected = secret.sequence + 1;

class Asked {
	readonly sample: Sample;
	readonly sent: Uint8Array[] = [];
	readonly question: VipQuestion;

	constructor(sample: Sample, sequence = secret.sequence, exchange: Exchange = {}) {
		this.sample = sample;
		const { target, way } = sample;
		this.question = new VipQuestion(target, exchange, way, { ...secret, sequence }, (frame) => this.sent.push(frame));
		this.question.ask();
	}

	hear(frame: Uint8Array): Verdict | undefined {
		const answer: VipAnswer = readAnswer(frame) ?? assert.fail('no answer');
		return this.question.hear(answer);
	}

	/** With the neighbour's answer. */
	resolved(mac = serverMac): this {
		assert.equal(this.hear(neighbourFrame(this.sample, mac)), undefined);
		return this;
	}

	segment(flags: number, acknowledgement = expected, over: Partial<Segment> = {}, mac = serverMac) {
		return this.hear(segmentFrame(this.sample, { flags, acknowledgement, ...over }, mac))?.outcome;
	}

	/** The server has taken the request and says this. */
	answer(data: string, request: string) {
		const numbers = { sequence: 8, acknowledgement: expected + request.length };
		return this.hear(segmentFrame(this.sample, { flags: tcpFlag.ack, ...numbers }, serverMac, data))?.outcome;
	}

	/** What the last frame asks: "neighbour", or the TCP flags and the sequence number. */
	get last(): string {
		const frame = readFrame(this.sent.at(-1) ?? new Uint8Array());
		const outer = frame && readPacket(frame.payload);
		const packet = (outer && decapsulate(outer)) ?? outer;
		if (packet?.protocol !== ipProtocol.tcp) return 'neighbour';
		const { flags, sequence } = readSegment(packet.payload) ?? assert.fail('no segment');
		return `${flags} ${sequence} to ${frame?.destination}`;
	}
}

const syn = (mac = serverMac) => `${tcpFlag.syn} ${secret.sequence} to ${mac}`;
const rst = (sequence = expected) => `${tcpFlag.rst} ${sequence} to ${serverMac}`;

describe('a question', () => {
	for (const sample of [inet, inet6, tunnelled(inet), tunnelled(inet6, { type: 'gue', port: 6080 })])
		test(`to ${sample.target.vip} by ${sample.target.forwarding} goes its way: neighbour, SYN, verdict, RST`, () => {
			const asked = new Asked(sample);
			assert.equal(asked.last, 'neighbour');
			asked.resolved();
			assert.equal(asked.last, syn());
			assert.equal(asked.segment(acceptance), 'accepted');
			assert.equal(asked.last, rst());
			assert.equal(asked.sent.length, 3);
		});

	test('that is refused needs no RST', () => {
		const asked = new Asked(inet).resolved();
		assert.equal(asked.segment(refusal), 'refused');
		assert.equal(asked.sent.length, 2);
	});

	test('is answered by its own number only, which may wrap around', () => {
		const asked = new Asked(inet).resolved();
		for (const wrong of [expected - 1, expected + 1, 0])
			for (const flags of [acceptance, refusal]) assert.equal(asked.segment(flags, wrong), undefined);
		const wrapped = new Asked(inet, 0xffff_ffff).resolved();
		assert.equal(wrapped.segment(acceptance, 0), 'accepted');
		assert.equal(wrapped.last, rst(0));
	});

	test('is answered by these flags only', () => {
		const asked = new Asked(inet).resolved();
		for (const flags of [tcpFlag.rst, tcpFlag.syn, tcpFlag.syn | tcpFlag.rst])
			assert.equal(asked.segment(flags), undefined);
	});

	test('is answered from the VIP’s port to ours only', () => {
		const asked = new Asked(inet).resolved();
		assert.equal(asked.segment(acceptance, expected, { sourcePort: 81 }), undefined);
		assert.equal(asked.segment(acceptance, expected, { destinationPort: secret.port + 1 }), undefined);
		const host = { ...inet, target: { ...inet.target, vip: inet.target.host } };
		const fromHost = segmentFrame(host, { flags: acceptance, acknowledgement: expected });
		assert.equal(asked.hear(fromHost), undefined);
	});

	test('is not answered by another machine, nor by the first that says it is the neighbour twice', () => {
		const asked = new Asked(inet).resolved();
		assert.equal(asked.segment(acceptance, expected, {}, strangerMac), undefined);
		asked.resolved(strangerMac);
		assert.equal(asked.sent.length, 2, 'no second SYN');
		assert.equal(asked.segment(acceptance, expected, {}, strangerMac), undefined);
		assert.equal(asked.segment(acceptance), 'accepted');
	});

	test('is not answered before its SYN was sent', () => {
		assert.equal(new Asked(inet).segment(acceptance), undefined);
	});

	test('goes through a gateway to the gateway’s link address, and may be answered from another', () => {
		const asked = new Asked({ ...tunnelled(inet), way: { ...inet.way, nextHop: '10.1.0.254' } });
		assert.equal(asked.hear(neighbourFrame(inet)), undefined);
		assert.equal(asked.sent.length, 1, 'the host itself is not the next hop');
		asked.resolved(strangerMac);
		assert.equal(asked.last, syn(strangerMac));
		assert.equal(asked.segment(acceptance), 'accepted');
	});

	test('that nobody answers is repeated as far as it came', () => {
		const asked = new Asked(inet);
		asked.question.ask();
		assert.equal(asked.last, 'neighbour');
		asked.resolved().question.ask();
		assert.deepEqual([asked.last, asked.sent.length], [syn(), 4]);
	});

	test('ends with its time, with or without a neighbour, and nothing half-open', () => {
		const alone = new Asked(inet);
		const { outcome, detail } = alone.question.timeOver(500);
		assert.deepEqual([outcome, detail], ['unanswered', 'nobody says to have 10.1.0.11 within 500 ms']);
		assert.equal(alone.sent.length, 1);
		const silent = new Asked(inet6).resolved();
		const last = silent.question.timeOver(500);
		const sentence = 'fd00:1::11 says nothing for [fd00::100]:80 within 500 ms';
		assert.deepEqual(last, { outcome: 'unanswered', detail: sentence });
		assert.equal(silent.last, rst());
	});

	test('ends with an error about its own packet, and with no other’s', () => {
		const asked = new Asked(tunnelled(inet)).resolved();
		const error = unreachableFrame(asked.sample, asked.sent.at(-1) ?? new Uint8Array(), 3);
		assert.deepEqual(asked.hear(error), { outcome: 'unreachable', detail: '10.1.0.11 says: port unreachable' });
		const direct = new Asked(inet).resolved();
		const rejected = unreachableFrame(direct.sample, direct.sent.at(-1) ?? new Uint8Array(), 3);
		assert.deepEqual(direct.hear(rejected), { outcome: 'error', detail: '10.1.0.11 says: port unreachable' });
		const other = new Asked(tunnelled(inet), 1).resolved();
		assert.equal(other.hear(error), undefined);
	});

	for (const sample of [inet, inet6, tunnelled(inet), tunnelled(inet6, { type: 'gue', port: 6080 })])
		test(`with a request to ${sample.target.vip} by ${sample.target.forwarding} goes on when it is accepted`, () => {
			const asked = new Asked(sample, secret.sequence, { request: 'ping' }).resolved();
			assert.equal(asked.segment(acceptance), undefined);
			assert.equal(asked.last, `${tcpFlag.ack | tcpFlag.psh} ${expected} to ${serverMac}`);
			assert.equal(asked.answer('pong', 'ping'), 'accepted');
			assert.equal(asked.last, rst(expected + 4));
			assert.equal(asked.sent.length, 4);
		});

	test('with a request is refused as without one, and asks anew as far as it came', () => {
		const asked = new Asked(inet, secret.sequence, { request: 'ping' }).resolved();
		assert.equal(asked.segment(refusal), 'refused');
		const accepted = new Asked(inet, secret.sequence, { request: 'ping' }).resolved();
		accepted.segment(acceptance);
		accepted.question.ask();
		assert.deepEqual([accepted.last, accepted.sent.length], [`24 ${expected} to ${serverMac}`, 4]);
	});

	test('with a request is hung when its time is over, and ends the connection', () => {
		const asked = new Asked(inet, secret.sequence, { request: 'ping' }).resolved();
		asked.segment(acceptance);
		assert.equal(asked.question.timeOver(500).outcome, 'hung');
		assert.deepEqual([asked.last, asked.sent.length], [rst(), 5]);
	});

	test('with a request ends with an error about that, too, and ends the connection', () => {
		const asked = new Asked(tunnelled(inet), secret.sequence, { request: 'ping' }).resolved();
		asked.segment(acceptance);
		const error = unreachableFrame(asked.sample, asked.sent.at(-1) ?? new Uint8Array(), 3);
		assert.equal(asked.hear(error)?.outcome, 'unreachable');
		assert.deepEqual([asked.last, asked.sent.length], [rst(), 5]);
	});

	test('with a request is not cut off by another machine', () => {
		const asked = new Asked(inet, secret.sequence, { request: 'ping' }).resolved();
		asked.segment(acceptance);
		assert.equal(asked.segment(tcpFlag.rst, 0, { sequence: 8 }, strangerMac), undefined);
		assert.equal(asked.segment(tcpFlag.rst, 0, { sequence: 8 }), 'reset');
		assert.equal(asked.sent.length, 3, 'what is cut off needs no RST');
	});
});
