/** wire.bpf.c on the host's own kernel, frame by frame, by XDP and by tc. Needs root. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { EndpointCounters } from '../../src/decode/event.js';
import { Bench, endpoint4, endpoint6, passed, programs } from './bench.js';
import {
	acceptanceFlags,
	arpFrame,
	customerTag,
	destinationOptions,
	fragmentHeader,
	frame4,
	frame6,
	hopByHop,
	ipv4,
	ipv6,
	refusal4,
	refusalFlags,
	serviceTag,
	tcp,
	tcpFlag,
} from './packets.js';

const nothing: EndpointCounters = {
	refusals: 0,
	resets: 0,
	acceptances: 0,
	ownRefusals: 0,
	ownAcceptances: 0,
	eventsSent: 0,
	eventsSuppressed: 0,
	eventsLost: 0,
	unreachables: 0,
	rejections: 0,
	ownUnreachables: 0,
	strangers: 0,
};
const noLosses = {
	ringFull: 0,
	truncated: 0,
	fragment: 0,
	headerChain: 0,
	writersFull: 0,
	malformedPacket: 0,
	unreadable: 0,
	noSyn: 0,
	unlisted: 0,
	stranger: 0,
	badQuote: 0,
	malformed: 0,
};
const refusal = tcp({ flags: refusalFlags });

/** Octet 12 of the TCP header: how long it says that it is, in its upper half. */
function refusalOf(lengthOctet: number, options = new Uint8Array()): Uint8Array {
	const segment = Uint8Array.from([...refusal, ...options]);
	segment[12] = lengthOctet;
	return frame4(ipv4({}, segment));
}

/** The first octet of the IP header: version and length. */
function startingWith(frame: Uint8Array, firstOctet: number): Uint8Array {
	frame[14] = firstOctet;
	return frame;
}

for (const program of programs) {
	describe(`${program} sees`, () => {
		let bench: Bench;
		beforeEach(() => {
			bench = new Bench();
		});
		afterEach(() => bench.close());

		it('a refusal over IPv4, with every field of it', () => {
			const before = process.hrtime.bigint() / 1000n;
			const events = bench.refusalsOf(program, refusal4());
			const after = process.hrtime.bigint() / 1000n;
			assert.equal(events.length, 1);
			const { atUs, interfaceIndex, ...rest } = events[0] ?? assert.fail();
			assert.deepEqual(rest, {
				kind: 'refusal',
				endpoint: endpoint4,
				client: '192.0.2.7',
				clientPort: 40_000,
				answersSyn: true,
				sender: 'unlearned',
				suppressed: 0,
			});
			assert.ok(atUs >= Number(before) && atUs <= Number(after), 'bpf_ktime_get_ns and hrtime are one clock');
			assert.ok(interfaceIndex >= 1);
			assert.deepEqual(bench.counters(), { ...nothing, refusals: 1, eventsSent: 1 });
			assert.deepEqual(bench.wire.losses(), noLosses);
		});

		it('a refusal over IPv6', () => {
			const [event] = bench.refusalsOf(program, frame6(ipv6({}, refusal)));
			assert.deepEqual(event?.endpoint, endpoint6);
			assert.equal(event?.client, '2001:db8::7');
			assert.equal(bench.counters(endpoint6).refusals, 1);
		});

		const dressed: [string, Uint8Array][] = [
			['in a VLAN', frame4(ipv4({}, refusal), [customerTag])],
			['in a VLAN inside a VLAN', frame4(ipv4({}, refusal), [serviceTag, customerTag])],
			['over IPv6 in a VLAN inside a VLAN', frame6(ipv6({}, refusal), [serviceTag, customerTag])],
			['behind IPv4 options', frame4(ipv4({ options: Uint8Array.of(1, 1, 1, 0) }, refusal))],
			['behind as many IPv4 options as there may be', frame4(ipv4({ options: new Uint8Array(40) }, refusal))],
			['behind a hop-by-hop header', frame6(ipv6({ extensions: [hopByHop] }, refusal))],
			['behind two extension headers', frame6(ipv6({ extensions: [hopByHop, destinationOptions] }, refusal))],
			['behind six extension headers', frame6(ipv6({ extensions: Array(6).fill(destinationOptions) }, refusal))],
			['with options of TCP', refusalOf(0x60, new Uint8Array(4))],
			['in a fragment that is the whole packet', frame6(ipv6({ extensions: [fragmentHeader(0)] }, refusal))],
		];
		for (const [how, frame] of dressed) {
			it(`a refusal ${how}`, () => assert.equal(bench.refusalsOf(program, frame).length, 1));
		}

		it('an acceptance, which it only counts', () => {
			assert.equal(bench.refusalsOf(program, refusal4({}, { flags: acceptanceFlags })).length, 0);
			assert.deepEqual(bench.counters(), { ...nothing, acceptances: 1 });
		});

		const otherResets: [string, number, number][] = [
			['with a sequence number', refusalFlags, 1],
			['without ACK', tcpFlag.rst, 0],
			['with FIN', refusalFlags | tcpFlag.fin, 0],
			['with SYN', refusalFlags | tcpFlag.syn, 0],
		];
		for (const [how, flags, sequence] of otherResets) {
			it(`a RST ${how} as a reset that answers no SYN`, () => {
				const [event] = bench.refusalsOf(program, refusal4({}, { flags, sequence }));
				assert.equal(event?.answersSyn, false);
				assert.deepEqual(bench.counters(), { ...nothing, resets: 1, eventsSent: 1 });
			});
		}

		it("what goes to the director's own address as answers to itself, without an event", () => {
			bench.wire.setLocalAddresses(['192.0.2.7', 'fd00::1']);
			assert.equal(bench.refusalsOf(program, refusal4()).length, 0);
			bench.run(program, refusal4({}, { flags: acceptanceFlags }));
			assert.deepEqual(bench.counters(), { ...nothing, ownRefusals: 1, ownAcceptances: 1 });
			bench.wire.setLocalAddresses(['fd00::1']);
			assert.equal(bench.refusalsOf(program, refusal4()).length, 1);
		});

		it("what goes to the last of 10,000 addresses of the director's", () => {
			const addresses = Array.from({ length: 9_999 }, (_, index) => `10.200.${index >> 8}.${index & 255}`);
			bench.wire.setLocalAddresses([...addresses, '192.0.2.7']);
			assert.equal(bench.refusalsOf(program, refusal4()).length, 0);
			assert.equal(bench.counters().ownRefusals, 1);
		});

		it('as from anybody again what went to an address of ours that was set just before the setting failed', () => {
			assert.throws(() => bench.wire.setLocalAddresses(['192.0.2.7', 'no address']));
			bench.wire.setLocalAddresses([]);
			assert.equal(bench.refusalsOf(program, refusal4()).length, 1);
		});
	});

	describe(`${program} passes over`, () => {
		let bench: Bench;
		beforeEach(() => {
			bench = new Bench();
		});
		afterEach(() => bench.close());

		const dull: [string, Uint8Array][] = [
			['another address', refusal4({ source: '10.1.0.12' })],
			['another port', refusal4({}, { sourcePort: 8081 })],
			['data', refusal4({}, { flags: tcpFlag.ack })],
			['a SYN', refusal4({}, { flags: tcpFlag.syn })],
			['UDP that looks like a RST', frame4(ipv4({ protocol: 17 }, refusal))],
			['ICMPv6 that looks like a RST', frame6(ipv6({ protocol: 58 }, refusal))],
			['ARP', arpFrame()],
			['three VLAN tags', frame4(ipv4({}, refusal), [serviceTag, serviceTag, customerTag])],
		];
		for (const [what, frame] of dull) {
			it(`${what}, without an event, a count or a loss`, () => {
				assert.equal(bench.refusalsOf(program, frame).length, 0);
				assert.deepEqual(bench.counters(), nothing);
				assert.deepEqual(bench.wire.losses(), noLosses);
			});
		}

		const truncated: [string, Uint8Array][] = [
			['inside the TCP header', refusal4().subarray(0, 14 + 20 + 19)],
			['inside an extension header', frame6(ipv6({ extensions: [hopByHop] }, refusal)).subarray(0, 14 + 40 + 7)],
			['inside a VLAN tag', frame4(ipv4({}, refusal), [customerTag]).subarray(0, 14 + 3)],
			['inside the options of TCP', refusalOf(0x60)],
			['where the IPv4 length says so', refusal4({ totalLength: 39 })],
		];
		// A test run of a tc program refuses frames without a whole IP header (net/bpf/test_run.c).
		if (program === 'wire_xdp') {
			truncated.push(['inside the IPv4 header', refusal4().subarray(0, 14 + 19)]);
			truncated.push(['inside the IPv6 header', frame6(ipv6({}, refusal)).subarray(0, 14 + 39)]);
		}
		for (const [where, frame] of truncated) {
			it(`a packet that ends ${where}, and counts it`, () => {
				assert.equal(bench.refusalsOf(program, frame).length, 0);
				assert.deepEqual(bench.wire.losses(), { ...noLosses, truncated: 1 });
			});
		}

		const malformed: [string, Uint8Array][] = [
			['of IPv4 behind the EtherType of IPv6', startingWith(frame6(ipv6({}, refusal)), 0x40)],
			['of IPv6 behind the EtherType of IPv4', startingWith(refusal4(), 0x65)],
			['with an IPv4 header of four words', startingWith(refusal4(), 0x44)],
			['with a TCP header of four words', refusalOf(0x40)],
		];
		for (const [how, frame] of malformed) {
			it(`a packet ${how}, and counts it`, () => {
				assert.equal(bench.refusalsOf(program, frame).length, 0);
				assert.deepEqual(bench.wire.losses(), { ...noLosses, malformedPacket: 1 });
			});
		}

		const tooLong: [string, Uint8Array][] = [
			['IPv4', refusal4({ totalLength: 41 })],
			['IPv6', frame6(ipv6({ extensions: [destinationOptions] }, refusal)).with(14 + 5, 16 + 21)],
		];
		for (const [version, frame] of tooLong) {
			it(`a packet that is shorter than its ${version} header says, and counts it`, () => {
				assert.equal(bench.refusalsOf(program, frame).length, 0);
				assert.deepEqual(bench.losses(), { malformedPacket: 1 });
			});
		}

		const fragments: [string, Uint8Array][] = [
			['first IPv4', refusal4({ fragment: 0x2000 })],
			['later IPv4', refusal4({ fragment: 0x0001 })],
			['first IPv6', frame6(ipv6({ extensions: [fragmentHeader(0x0001)] }, refusal))],
			['later IPv6', frame6(ipv6({ extensions: [fragmentHeader(0x0008)] }, refusal))],
		];
		for (const [which, frame] of fragments) {
			it(`a ${which} fragment, and counts it`, () => {
				assert.equal(bench.refusalsOf(program, frame).length, 0);
				assert.deepEqual(bench.wire.losses(), { ...noLosses, fragment: 1 });
			});
		}

		it('a seventh extension header, and counts it', () => {
			const frame = frame6(ipv6({ extensions: Array(7).fill(destinationOptions) }, refusal));
			assert.equal(bench.refusalsOf(program, frame).length, 0);
			assert.deepEqual(bench.wire.losses(), { ...noLosses, headerChain: 1 });
		});

		it('an endpoint that is no longer listed', () => {
			bench.wire.setEndpoints([endpoint6]);
			assert.equal(bench.refusalsOf(program, refusal4()).length, 0);
		});
	});

	describe(`${program} under load`, () => {
		it('tells the burst at once and suppresses the rest', () => {
			const bench = new Bench({ eventBurst: 5 });
			bench.run(program, refusal4(), 1000);
			assert.equal(bench.takeRefusals().length, 5);
			const counted = bench.counters();
			assert.deepEqual(counted, { ...nothing, refusals: 1000, eventsSent: 5, eventsSuppressed: 995 });
			bench.close();
		});

		it('tells with the next event how many were suppressed before it, once', async () => {
			const bench = new Bench({ eventBurst: 1, eventIntervalMs: 100 });
			bench.run(program, refusal4(), 4);
			assert.deepEqual(
				bench.takeRefusals().map(({ suppressed }) => suppressed),
				[0],
			);
			await new Promise((resolve) => setTimeout(resolve, 120));
			assert.deepEqual(
				bench.refusalsOf(program, refusal4()).map(({ suppressed }) => suppressed),
				[3],
			);
			await new Promise((resolve) => setTimeout(resolve, 120));
			assert.deepEqual(
				bench.refusalsOf(program, refusal4()).map(({ suppressed }) => suppressed),
				[0],
			);
			bench.close();
		});

		it('keeps the events of refusals from being used up by resets that a client provoked', () => {
			const bench = new Bench({ eventBurst: 1 });
			bench.run(program, refusal4({}, { sequence: 1 }), 100);
			bench.takeRefusals();
			assert.equal(bench.refusalsOf(program, refusal4())[0]?.answersSyn, true);
			bench.close();
		});

		it('counts what a full ring could not take, and what it lost is not told as suppressed twice', () => {
			const bench = new Bench({ eventBurst: 100_000, ringBytes: 4096 });
			bench.run(program, refusal4(), 1000);
			const taken = bench.takeRefusals().length;
			const { eventsSent, eventsLost, refusals } = bench.counters();
			assert.ok(taken > 0 && taken < 1000);
			assert.deepEqual([eventsSent, eventsSent + eventsLost, refusals], [taken, 1000, 1000]);
			assert.equal(bench.wire.losses().ringFull, eventsLost);
			assert.equal(bench.refusalsOf(program, refusal4())[0]?.suppressed, eventsLost);
			bench.close();
		});

		it('lets every packet pass as it was', () => {
			const bench = new Bench();
			const frames = [refusal4(), arpFrame(), refusal4().subarray(0, 14 + 20 + 5), frame6(ipv6({}, refusal))];
			for (const frame of frames) {
				const { returnValue, packet } = bench.run(program, frame);
				assert.equal(returnValue, passed[program]);
				assert.deepEqual([...packet], [...frame]);
			}
			bench.close();
		});
	});
}
