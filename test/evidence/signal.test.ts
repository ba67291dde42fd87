/** What each kernel event says, of whom, and when it says nothing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { KernelEvent, Outcome, OutcomeEvent, UnreachableEvent } from '../../src/decode/event.js';
import { icmpBlame, icmpName } from '../../src/evidence/icmp.js';
import { signalOf } from '../../src/evidence/signal.js';
import type { Endpoint, Protocol } from '../../src/table/model.js';

const endpoint: Endpoint = { protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 80 };

function unreachable(icmpType: number, icmpCode: number, over: Partial<Endpoint> = {}): UnreachableEvent {
	return {
		kind: 'unreachable',
		atUs: 0,
		endpoint: { ...endpoint, ...over },
		client: '192.0.2.7',
		clientPort: 40_000,
		icmpType,
		icmpCode,
		reporter: '10.1.0.254',
		quotedSequence: 1,
		tunnel: 'none',
		sender: 'known',
		interfaceIndex: 2,
		suppressed: 0,
	};
}

/** At 10 s; the last acceptance `acceptedMsAgo` before, or never. */
function outcome(what: Outcome, acceptedMsAgo?: number): OutcomeEvent {
	const lastAcceptedNs = acceptedMsAgo === undefined ? 0 : (10_000 - acceptedMsAgo) * 1_000_000;
	const none = { scheduled: 9, accepted: 0, asked: 0, answered: 0, refused: 0, synRepeated: 0, unanswered: 0 };
	return {
		kind: 'outcome',
		atUs: 10_000_000,
		outcome: what,
		service: { kind: 'address', protocol: 'tcp', family: 'inet', address: '10.0.0.100', port: 80 },
		destination: what === 'noDestination' ? undefined : { address: '10.1.0.11', port: 80 },
		client: '192.0.2.7',
		clientPort: 40_000,
		serverPort: 80,
		suppressed: 2,
		waiting: 3,
		waitingUs: 312_400,
		counters: { ...none, dataRepeated: 0, resets: 0, gaveUp: 0, withdrawn: 0, lastAcceptedNs },
	};
}

describe('an ICMP error', () => {
	const blames: [number, number, Protocol, 'nobody' | 'endpoint' | 'host'][] = [
		[3, 0, 'tcp', 'host'],
		[3, 1, 'tcp', 'host'],
		[3, 2, 'tcp', 'host'],
		[3, 3, 'tcp', 'nobody'],
		[3, 3, 'udp', 'endpoint'],
		[3, 4, 'udp', 'nobody'],
		[3, 9, 'udp', 'nobody'],
		[3, 10, 'tcp', 'nobody'],
		[3, 13, 'tcp', 'nobody'],
		[3, 16, 'tcp', 'nobody'],
		[11, 0, 'tcp', 'nobody'],
		[11, 1, 'tcp', 'nobody'],
		[12, 0, 'tcp', 'nobody'],
	];
	for (const [type, code, protocol, blame] of blames)
		it(`of type ${type} code ${code} about ${protocol} blames ${blame}`, () =>
			assert.equal(icmpBlame(unreachable(type, code, { protocol })), blame));

	it('of ICMPv6 has other numbers', () => {
		const v6 = { family: 'inet6', address: 'fd00::11' } as const;
		assert.deepEqual(
			[0, 1, 3, 4].map((code) => icmpBlame(unreachable(1, code, { ...v6, protocol: 'udp' }))),
			['host', 'nobody', 'host', 'endpoint'],
		);
		assert.equal(icmpName(unreachable(3, 0, v6)), 'time to live exceeded');
		assert.equal(icmpBlame(unreachable(3, 0, v6)), 'nobody');
		assert.equal(icmpName(unreachable(3, 0)), 'net unreachable');
	});

	it('about a tunnel that ends nowhere blames the host, whatever was in it', () => {
		for (const protocol of ['tcp', undefined] as const) {
			const event = unreachable(3, 3);
			const endpoint = { ...event.endpoint, protocol };
			assert.equal(icmpBlame({ ...event, endpoint, tunnel: 'gue' }), 'host');
		}
	});

	it('without a name keeps its numbers', () => assert.equal(icmpName(unreachable(3, 77)), 'ICMP type 3 code 77'));

	it('speaks of the whole host where no way leads to it, and of the endpoint where nothing listens', () => {
		assert.deepEqual(signalOf(unreachable(3, 1), 'outcome')?.scope, { kind: 'host', address: '10.1.0.11' });
		const udp = unreachable(3, 3, { protocol: 'udp' });
		assert.deepEqual(signalOf(udp, 'wire')?.scope, { kind: 'endpoint', endpoint: udp.endpoint });
	});

	it('says what, and who says so', () =>
		assert.equal(signalOf(unreachable(3, 1), 'wire')?.detail, 'host unreachable, says 10.1.0.254'));

	it('from a firewall is no signal', () => assert.equal(signalOf(unreachable(3, 13), 'wire'), undefined));

	it('about a port that the quote does not reach is no signal', () =>
		assert.equal(signalOf(unreachable(3, 3, { protocol: 'udp', port: 0 }), 'wire'), undefined));
});

describe('an outcome', () => {
	it('is a signal only where outcome tells of attempts', () => {
		assert.equal(signalOf(outcome('refused'), 'wire'), undefined);
		assert.equal(signalOf(outcome('refused'), 'outcome')?.verified, true);
	});

	it('is only plausible where the refusal came from the client’s side', () => {
		const signal = signalOf(outcome('plausiblyRefused'), 'outcome');
		assert.deepEqual([signal?.name, signal?.verified], ['refusal', false]);
	});

	it('speaks of one destination, of the port that was asked, and counts what was not sent', () => {
		const signal = signalOf(outcome('refused'), 'outcome');
		assert.deepEqual(signal?.scope, { kind: 'destination', destination: 'tcp 10.0.0.100:80 > 10.1.0.11:80', port: 80 });
		assert.equal(signal?.count, 3);
	});

	it('of attempts that wait says how long', () =>
		assert.equal(signalOf(outcome('overdue'), 'outcome')?.detail, '3 attempts wait, the oldest for 312 ms'));

	for (const what of ['synRepeated', 'dataRepeated'] as const) {
		it(`${what} is a lost packet where another client was accepted within a second`, () =>
			assert.equal(signalOf(outcome(what, 999), 'outcome'), undefined));
		it(`${what} counts where nobody was accepted for a second, or ever`, () => {
			assert.notEqual(signalOf(outcome(what, 1_000), 'outcome'), undefined);
			assert.notEqual(signalOf(outcome(what), 'outcome'), undefined);
		});
	}

	for (const what of ['reset', 'gaveUp', 'acceptedAgain', 'noDestination'] as const)
		it(`${what} is counted, and raises no suspicion`, () =>
			assert.equal(signalOf(outcome(what), 'outcome'), undefined));
});

describe('a refusal on the wire', () => {
	const refusal: KernelEvent = {
		kind: 'refusal',
		atUs: 0,
		endpoint,
		client: '192.0.2.7',
		clientPort: 40_000,
		interfaceIndex: 2,
		answersSyn: true,
		sender: 'known',
		suppressed: 0,
	};

	it('is only plausible', () => assert.equal(signalOf(refusal, 'wire')?.verified, false));

	it('is not counted a second time where outcome tells of attempts', () =>
		assert.equal(signalOf(refusal, 'outcome'), undefined));
});
