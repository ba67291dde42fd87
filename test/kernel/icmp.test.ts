/** ICMP errors in wire.bpf.c on the host's own kernel, by XDP and by tc: quotes, tunnels, whom they speak of. Needs root. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { UnreachableEvent } from '../../src/decode/event.js';
import type { Endpoint } from '../../src/table/model.js';
import { Bench, endpoint4, endpoint6, programs } from './bench.js';
import {
	client4,
	client6,
	clientPacket4,
	clientPacket6,
	director4,
	director6,
	icmp4Error,
	icmp6Error,
	ports,
	server4,
	server6,
	tunnelPort,
	vip4,
} from './icmp-packets.js';
import {
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

const udp4: Endpoint = { ...endpoint4, protocol: 'udp', port: 53 };
const sctp6: Endpoint = { ...endpoint6, protocol: 'sctp', port: 3868 };
/** A host without a known endpoint, as behind a firewall mark. */
const bare4 = '10.1.0.12';

for (const program of programs) {
	describe(`${program} and ICMP errors`, () => {
		let bench: Bench;
		beforeEach(() => {
			bench = new Bench();
			bench.wire.setEndpoints([endpoint4, endpoint6, udp4, sctp6], [bare4]);
			bench.wire.setLocalAddresses([director4, director6, vip4]);
			bench.wire.setTunnelPorts([tunnelPort]);
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

		function lossesBut(expected: Record<string, number>): void {
			const found = Object.entries(bench.wire.losses()).filter(([, count]) => count > 0);
			assert.deepEqual(Object.fromEntries(found), expected);
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
			lossesBut({});
		});

		it('sees one over IPv6', () => {
			const event = only(frame6(icmp6Error(clientPacket6(), { reporter: 'fd00::1:1' })));
			assert.deepEqual([event.endpoint, event.client, event.reporter], [endpoint6, client6, 'fd00::1:1']);
			assert.deepEqual([event.icmpType, event.icmpCode, event.quotedSequence], [1, 3, 1000]);
		});

		it('tells every code apart', () => {
			for (let code = 0; code <= 15; code++) {
				const fresh = new Bench();
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
				lossesBut({});
			});
		}
	});
}
