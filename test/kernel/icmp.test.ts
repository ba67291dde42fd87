/** ICMP errors in wire.bpf.c on the host's own kernel, by XDP and by tc: quotes, tunnels, whom they speak of. Needs root. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { UnreachableEvent } from '../../src/decode/event.js';
import { type Bench, endpoint4, endpoint6, programs } from './bench.js';
import {
	bare4,
	client4,
	client6,
	clientPacket4,
	clientPacket6,
	director4,
	directorBench,
	icmp4,
	icmp4Error,
	icmp6,
	icmp6Error,
	ports,
	sctp6,
	server4,
	server6,
	udp4,
	vip4,
} from './icmp-packets.js';
import {
	concat,
	destinationOptions,
	fragmentHeader,
	frame4,
	frame6,
	hopByHop,
	ipProtocol,
	ipv4,
	ipv6,
	serviceTag,
} from './packets.js';

for (const program of programs) {
	describe(`${program} and ICMP errors`, () => {
		let bench: Bench;
		beforeEach(() => {
			bench = directorBench();
		});
		afterEach(() => bench.close());

		function eventsOf(frame: Uint8Array): UnreachableEvent[] {
			bench.run(program, frame);
			return bench.take('unreachable');
		}

		function only(frame: Uint8Array): UnreachableEvent {
			const events = eventsOf(frame);
			assert.equal(events.length, 1);
			return events[0] ?? assert.fail();
		}

		it('sees one about a TCP packet of a client, with every field of it', () => {
			const { atUs: _, interfaceIndex: __, ...rest } = only(frame4(icmp4Error(clientPacket4())));
			assert.deepEqual(rest, {
				kind: 'unreachable',
				endpoint: endpoint4,
				client: client4,
				clientPort: 40_000,
				icmpType: 3,
				icmpCode: 1,
				reporter: server4,
				quotedSequence: 1000,
				tunnel: 'none',
				sender: 'unlearned',
				suppressed: 0,
			});
			assert.equal(bench.counters().unreachables, 1);
			assert.deepEqual(bench.losses(), {});
		});

		it('sees one over IPv6', () => {
			const event = only(frame6(icmp6Error(clientPacket6(), { reporter: 'fd00::1:1' })));
			assert.deepEqual([event.endpoint, event.client, event.reporter], [endpoint6, client6, 'fd00::1:1']);
			assert.deepEqual([event.icmpType, event.icmpCode, event.quotedSequence], [1, 3, 1000]);
		});

		it('tells every code apart', () => {
			for (let code = 0; code <= 15; code++) {
				const fresh = directorBench();
				fresh.run(program, frame4(icmp4Error(clientPacket4(), { code })));
				assert.deepEqual(
					fresh.take('unreachable').map(({ icmpCode }) => icmpCode),
					[code],
				);
				fresh.close();
			}
		});

		const about: [string, Uint8Array, Partial<UnreachableEvent>][] = [
			[
				'UDP, without a sequence number',
				frame4(icmp4Error(clientPacket4(ipProtocol.udp, ports(40_000, 53, 1000)), { code: 3 })),
				{ endpoint: udp4, quotedSequence: 0 },
			],
			[
				'SCTP over IPv6',
				frame6(icmp6Error(clientPacket6(ipProtocol.sctp, ports(40_000, 3868)), { code: 4 })),
				{ endpoint: sctp6 },
			],
			['a packet whose time ran out', frame4(icmp4Error(clientPacket4(), { type: 11, code: 0 })), { icmpType: 11 }],
			[
				'a packet whose time ran out over IPv6',
				frame6(icmp6Error(clientPacket6(), { type: 3, code: 0 })),
				{ icmpType: 3 },
			],
			['a VLAN', frame4(icmp4Error(clientPacket4()), [serviceTag]), { endpoint: endpoint4 }],
			[
				'a carrier with options',
				frame4(icmp4Error(clientPacket4(), { options: new Uint8Array(40) })),
				{ clientPort: 40_000 },
			],
			[
				'a quoted packet with options',
				frame4(
					icmp4Error(ipv4({ source: client4, destination: server4, options: new Uint8Array(40) }, ports(1, 8080, 7))),
				),
				{ endpoint: endpoint4, clientPort: 1, quotedSequence: 7 },
			],
			[
				'a quoted packet with extension headers',
				frame6(
					icmp6Error(
						ipv6(
							{ source: client6, destination: server6, extensions: [hopByHop, destinationOptions] },
							ports(1, 8080, 7),
						),
					),
				),
				{ endpoint: endpoint6, clientPort: 1, quotedSequence: 7 },
			],
			[
				'the first fragment of a packet',
				frame6(
					icmp6Error(
						ipv6({ source: client6, destination: server6, extensions: [fragmentHeader(1)] }, ports(1, 8080, 7)),
					),
				),
				{ endpoint: endpoint6, clientPort: 1 },
			],
		];
		for (const [what, frame, expected] of about) {
			it(`sees one about ${what}`, () => {
				const event = only(frame);
				assert.deepEqual({ ...event, ...expected }, event);
				assert.deepEqual(bench.losses(), {});
			});
		}

		it('counts those of failures and those of firewalls apart, each with events of its own', () => {
			const few = directorBench({ eventBurst: 1 });
			for (const code of [13, 9, 10, 4, 3, 1, 0]) few.run(program, frame4(icmp4Error(clientPacket4(), { code })));
			assert.deepEqual(
				few.take('unreachable').map(({ icmpCode }) => icmpCode),
				[13, 1],
			);
			const { unreachables, rejections, eventsSuppressed } = few.counters();
			assert.deepEqual([unreachables, rejections, eventsSuppressed], [2, 5, 5]);
			few.close();
		});

		it('takes a client whose hop limit runs out before the server for no failure', () => {
			const few = directorBench({ eventBurst: 1 });
			few.run(program, frame4(icmp4Error(clientPacket4(), { type: icmp4.timeExceeded, code: 0 })));
			few.run(program, frame6(icmp6Error(clientPacket6(), { type: icmp6.timeExceeded, code: 0 })));
			for (const code of [5, 8, 11, 12, 14, 15, 32, 33])
				few.run(program, frame4(icmp4Error(clientPacket4(), { code })));
			few.run(program, frame4(icmp4Error(clientPacket4(), { code: 1 })));
			const events = few.take('unreachable').map(({ icmpType, icmpCode }) => `${icmpType}/${icmpCode}`);
			assert.deepEqual(events, ['11/0', '3/0', '3/1']);
			assert.deepEqual([few.counters().unreachables, few.counters().rejections], [1, 9]);
			assert.deepEqual([few.counters(endpoint6).unreachables, few.counters(endpoint6).rejections], [0, 1]);
			few.close();
		});

		it('takes a closed UDP port for a failure, and a closed TCP port for a firewall', () => {
			eventsOf(frame4(icmp4Error(clientPacket4(ipProtocol.udp, ports(1, 53)), { code: 3 })));
			eventsOf(frame6(icmp6Error(clientPacket6(), { code: 4 })));
			eventsOf(frame6(icmp6Error(clientPacket6(), { code: 1 })));
			assert.equal(bench.counters(udp4).unreachables, 1);
			assert.deepEqual([bench.counters(endpoint6).unreachables, bench.counters(endpoint6).rejections], [0, 2]);
		});

		const byHost: [string, Uint8Array, Partial<UnreachableEvent['endpoint']>][] = [
			[
				'no endpoint of it is watched',
				icmp4Error(ipv4({ source: client4, destination: bare4 }, ports(1, 80))),
				{ protocol: 'tcp', address: bare4, port: 80 },
			],
			['the port is another', icmp4Error(clientPacket4(ipProtocol.tcp, ports(1, 81))), { port: 81 }],
			['no port is quoted', icmp4Error(clientPacket4(ipProtocol.tcp, new Uint8Array(3))), { protocol: 'tcp', port: 0 }],
			[
				'a later fragment is quoted',
				icmp4Error(ipv4({ source: client4, destination: server4, fragment: 1 }, ports(1, 8080))),
				{ protocol: 'tcp', port: 0 },
			],
		];
		for (const [why, packet, expected] of byHost) {
			it(`speaks of the host where ${why}`, () => {
				const { endpoint } = only(frame4(packet));
				assert.deepEqual({ ...endpoint, ...expected }, endpoint);
				assert.equal(bench.host(endpoint.address).unreachables, 1);
				assert.equal(bench.counters().unreachables, 0);
			});
		}

		it('speaks of the host where the quote ends inside the extension headers', () => {
			const quote = ipv6({ source: client6, destination: server6, extensions: [destinationOptions] }, new Uint8Array());
			const { endpoint } = only(frame6(icmp6Error(quote.subarray(0, 44))));
			assert.deepEqual(endpoint, { ...endpoint6, protocol: undefined, port: 0 });
			assert.equal(bench.host(server6).unreachables, 1);
		});

		it('gives each host events of its own, and counts what it does not send', () => {
			const few = directorBench({ eventBurst: 1 });
			const about = (address: string) =>
				few.run(program, frame4(icmp4Error(ipv4({ source: client4, destination: address }, ports(1, 80)))));
			for (const address of [bare4, bare4, server4]) about(address);
			assert.equal(few.take('unreachable').length, 2);
			assert.equal(few.host(bare4).unreachables, 2);
			few.close();
		});

		it("only counts what is about the director's own packets", () => {
			const own = (address: string) => ipv4({ source: director4, destination: address }, ports(1, 8080));
			assert.equal(eventsOf(frame4(icmp4Error(own(server4), { to: director4 }))).length, 0);
			assert.equal(eventsOf(frame4(icmp4Error(own(bare4), { to: director4 }))).length, 0);
			assert.deepEqual([bench.counters().ownUnreachables, bench.counters().unreachables], [1, 0]);
			assert.deepEqual([bench.host(bare4).ownUnreachables, bench.host(bare4).unreachables], [1, 0]);
		});

		const others: [string, Uint8Array][] = [
			['source quench', frame4(icmp4Error(clientPacket4(), { type: icmp4.sourceQuench }))],
			['an echo request', frame4(icmp4Error(clientPacket4(), { type: icmp4.echo }))],
			['a parameter problem', frame4(icmp4Error(clientPacket4(), { type: icmp4.parameterProblem }))],
			['packet too big', frame6(icmp6Error(clientPacket6(), { type: icmp6.tooBig }))],
			['an ICMPv6 parameter problem', frame6(icmp6Error(clientPacket6(), { type: icmp6.parameterProblem }))],
			[
				'an error about another host',
				frame4(icmp4Error(ipv4({ source: client4, destination: '10.1.0.99' }, ports(1, 8080)))),
			],
			[
				"a client's error about an answer",
				frame4(icmp4Error(ipv4({ source: vip4, destination: client4 }, ports(80, 1)))),
			],
			['an error about a ping', frame4(icmp4Error(clientPacket4(ipProtocol.icmp)))],
		];
		for (const [what, frame] of others) {
			it(`passes over ${what}`, () => {
				assert.equal(eventsOf(frame).length, 0);
				assert.deepEqual([bench.losses(), bench.host(server4).unreachables], [{}, 0]);
			});
		}

		const lost: [string, Uint8Array, Record<string, number>][] = [
			[
				'that went to another than the quoted sender',
				icmp4Error(clientPacket4(), { to: '192.0.2.8' }),
				{ badQuote: 1 },
			],
			['that quotes another IP version', icmp4Error(clientPacket6()), { badQuote: 1 }],
			['that quotes a header of less than 20 octets', icmp4Error(ipv4WithLength(16)), { badQuote: 1 }],
			['that quotes less than an IP header', icmp4Error(clientPacket4().subarray(0, 19)), { truncated: 1 }],
			['that is cut short itself', icmp4Error(clientPacket4()).subarray(0, 20 + 7), { truncated: 1 }],
			['that is longer than its packet', icmp4Error(clientPacket4()).subarray(0, 20 + 8 + 20), { malformedPacket: 1 }],
			['in fragments', withFragment(icmp4Error(clientPacket4())), { fragment: 1 }],
		];
		for (const [which, packet, expected] of lost) {
			it(`counts one ${which}, and tells nothing`, () => {
				assert.equal(eventsOf(frame4(packet)).length, 0);
				assert.deepEqual(bench.losses(), expected);
			});
		}

		it('counts a quoted chain of seven extension headers, and speaks of the host', () => {
			const extensions = Array(7).fill(hopByHop);
			only(frame6(icmp6Error(ipv6({ source: client6, destination: server6, extensions }, ports(1, 8080)))));
			assert.deepEqual(bench.losses(), { headerChain: 1 });
		});
	});
}

/** The client's packet with another header length in its first octet. */
function ipv4WithLength(octets: number): Uint8Array {
	return concat(Uint8Array.of(0x40 | (octets / 4)), clientPacket4().subarray(1));
}

/** "More fragments" in the header of a packet. */
function withFragment(packet: Uint8Array): Uint8Array {
	return concat(packet.subarray(0, 6), Uint8Array.of(0x20, 0), packet.subarray(8));
}
