/** ICMP errors about a tunnel's outer packet (IPVS TUN) in wire.bpf.c, by XDP and by tc. Needs root. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { QuotedTunnel, UnreachableEvent } from '../../src/decode/event.js';
import { type Bench, endpoint4, endpoint6, programs } from './bench.js';
import {
	client4,
	client6,
	director4,
	director6,
	directorBench,
	gre,
	gue,
	gueDirect,
	icmp4Error,
	icmp6Error,
	innerPacket4,
	innerPacket6,
	outer4,
	outer6,
	ports,
	server4,
	server6,
	tunnelPort,
	udp4,
} from './icmp-packets.js';
import { frame4, frame6, ipProtocol, ipv4 } from './packets.js';

const inIpip = innerPacket4();
/** The outer header, and eight octets of what follows: as much as RFC 792 asks for. */
const shortQuote = 20 + 8;
const toDirector = { to: director4 };
const about4 = (protocol: number, payload: Uint8Array) => frame4(icmp4Error(outer4(protocol, payload), toDirector));
const cut4 = (protocol: number, payload: Uint8Array, octets = shortQuote) =>
	frame4(icmp4Error(outer4(protocol, payload).subarray(0, octets), toDirector));
const about6 = (protocol: number, payload: Uint8Array) =>
	frame6(icmp6Error(outer6(protocol, payload), { to: director6 }));

const whole: [string, Uint8Array, QuotedTunnel, 4 | 6][] = [
	['IPIP', about4(ipProtocol.ipip, inIpip), 'ipip', 4],
	['IPIP over IPv6', about6(ipProtocol.ipip, inIpip), 'ipip', 4],
	['IPv6 in IPv6', about6(ipProtocol.ipv6, innerPacket6()), 'ipip', 6],
	['IPv6 in IPv4', about4(ipProtocol.ipv6, innerPacket6()), 'ipip', 6],
	['GUE', about4(ipProtocol.udp, gue(inIpip)), 'gue', 4],
	['GUE with optional fields', about4(ipProtocol.udp, gue(inIpip, ipProtocol.ipip, 2)), 'gue', 4],
	[
		'GUE with as many optional fields as there may be',
		about4(ipProtocol.udp, gue(inIpip, ipProtocol.ipip, 31)),
		'gue',
		4,
	],
	['GUE with IPv6 inside', about4(ipProtocol.udp, gue(innerPacket6(), ipProtocol.ipv6)), 'gue', 6],
	['GUE over IPv6', about6(ipProtocol.udp, gue(innerPacket6(), ipProtocol.ipv6)), 'gue', 6],
	['GUE without a header', about4(ipProtocol.udp, gueDirect(inIpip)), 'gue', 4],
	['GUE without a header, IPv6 inside', about4(ipProtocol.udp, gueDirect(innerPacket6())), 'gue', 6],
	['GRE', about4(ipProtocol.gre, gre(inIpip)), 'gre', 4],
	['GRE with a checksum, as IPVS has it', about4(ipProtocol.gre, gre(inIpip, 0x0800, 0x8000)), 'gre', 4],
	['GRE with checksum, key and sequence number', about4(ipProtocol.gre, gre(inIpip, 0x0800, 0xb000)), 'gre', 4],
	['GRE with IPv6 inside', about4(ipProtocol.gre, gre(innerPacket6(), 0x86dd)), 'gre', 6],
	['GRE over IPv6', about6(ipProtocol.gre, gre(inIpip)), 'gre', 4],
];

const hostOnly: [string, Uint8Array, QuotedTunnel][] = [
	['IPIP with eight octets', cut4(ipProtocol.ipip, inIpip), 'ipip'],
	['IPIP with an inner header cut short', cut4(ipProtocol.ipip, inIpip, 20 + 19), 'ipip'],
	['IPIP with nothing behind the outer header', cut4(ipProtocol.ipip, inIpip, 20), 'ipip'],
	['GUE with the UDP header alone', cut4(ipProtocol.udp, gue(inIpip)), 'gue'],
	['GUE with its header cut short', cut4(ipProtocol.udp, gue(inIpip), 20 + 8 + 3), 'gue'],
	['GUE with a control message', about4(ipProtocol.udp, gue(inIpip, ipProtocol.ipip, 0x20)), 'gue'],
	['GUE with a payload that is no IP', about4(ipProtocol.udp, gue(inIpip, 59)), 'gue'],
	['GRE with eight octets', cut4(ipProtocol.gre, gre(inIpip)), 'gre'],
	['GRE of another version', about4(ipProtocol.gre, gre(inIpip, 0x0800, 1)), 'gre'],
	['GRE with Ethernet inside', about4(ipProtocol.gre, gre(inIpip, 0x6558)), 'gre'],
];

for (const program of programs) {
	describe(`${program} and errors about a tunnel`, () => {
		let bench: Bench;
		beforeEach(() => {
			bench = directorBench();
		});
		afterEach(() => bench.close());

		function eventsOf(frame: Uint8Array): UnreachableEvent[] {
			bench.run(program, frame);
			return bench.take('unreachable');
		}

		for (const [what, frame, tunnel, inner] of whole) {
			it(`finds endpoint and client in ${what}`, () => {
				const [event, ...more] = eventsOf(frame);
				const isOuter6 = event?.endpoint.family === 'inet6';
				assert.equal(more.length, 0);
				assert.deepEqual(event?.endpoint, isOuter6 ? endpoint6 : endpoint4);
				assert.equal(event?.client, inner === 4 ? client4 : client6);
				assert.deepEqual([event?.tunnel, event?.clientPort, event?.quotedSequence], [tunnel, 40_000, 1000]);
				assert.equal(bench.counters(isOuter6 ? endpoint6 : endpoint4).unreachables, 1);
				assert.deepEqual(bench.losses(), {});
			});
		}

		for (const [what, frame, tunnel] of hostOnly) {
			it(`speaks of the host for ${what}`, () => {
				const [event, ...more] = eventsOf(frame);
				assert.equal(more.length, 0);
				assert.deepEqual(event?.endpoint, { protocol: undefined, family: 'inet', address: server4, port: 0 });
				assert.deepEqual([event?.tunnel, event?.client, event?.clientPort], [tunnel, '::', 0]);
				assert.equal(bench.host(server4).unreachables, 1);
				assert.deepEqual(bench.losses(), {});
			});
		}

		it('takes a closed port of the tunnel for a failure of the host, whatever was inside', () => {
			const quote = outer4(ipProtocol.udp, gue(inIpip));
			assert.equal(eventsOf(frame4(icmp4Error(quote, { ...toDirector, code: 3 }))).length, 1);
			assert.equal(eventsOf(frame4(icmp4Error(quote.subarray(0, shortQuote), { ...toDirector, code: 3 }))).length, 1);
			assert.deepEqual([bench.counters().unreachables, bench.host(server4).unreachables], [1, 1]);
		});

		it('takes UDP to another port, or from a client, for no tunnel', () => {
			const fromClient = ipv4({ source: client4, destination: server4, protocol: ipProtocol.udp }, gue(inIpip));
			const toOther = outer4(ipProtocol.udp, ports(50_000, tunnelPort + 1));
			assert.deepEqual(
				eventsOf(frame4(icmp4Error(fromClient))).map(({ tunnel, endpoint }) => [tunnel, endpoint.port]),
				[['none', tunnelPort]],
			);
			assert.equal(eventsOf(frame4(icmp4Error(toOther, toDirector))).length, 0);
			assert.equal(bench.host(server4).ownUnreachables, 1);
		});

		it('takes a tunnel port for one only as long as it is set', () => {
			bench.wire.setTunnelPorts([]);
			assert.equal(eventsOf(about4(ipProtocol.udp, gue(inIpip))).length, 0);
			assert.equal(bench.host(server4).ownUnreachables, 1);
		});

		it("takes what the director's own probe was in for its own", () => {
			const probe = ipv4({ source: director4, destination: '203.0.113.80' }, ports(40_000, 8080));
			assert.equal(eventsOf(about4(ipProtocol.ipip, probe)).length, 0);
			assert.equal(bench.counters().ownUnreachables, 1);
		});

		it('rejects a tunnel that the director did not open', () => {
			const foreign = ipv4({ source: client4, destination: server4, protocol: ipProtocol.ipip }, inIpip);
			assert.equal(eventsOf(frame4(icmp4Error(foreign))).length, 0);
			assert.deepEqual(bench.losses(), { badQuote: 1 });
		});

		it('rejects an inner packet of another version than was announced', () => {
			assert.equal(eventsOf(about4(ipProtocol.ipip, innerPacket6())).length, 0);
			assert.deepEqual(bench.losses(), { badQuote: 1 });
		});

		it('finds a UDP endpoint in a tunnel', () => {
			const inner = ipv4({ source: client4, destination: '203.0.113.80', protocol: ipProtocol.udp }, ports(1, 53));
			assert.deepEqual(eventsOf(about4(ipProtocol.ipip, inner))[0]?.endpoint, udp4);
		});

		it('speaks of the host where the inner packet is of no protocol that is balanced', () => {
			const ping = ipv4({ source: client4, destination: '203.0.113.80', protocol: ipProtocol.icmp }, ports(1, 2));
			const [event] = eventsOf(about4(ipProtocol.ipip, ping));
			assert.deepEqual([event?.endpoint.protocol, event?.endpoint.port, event?.client], [undefined, 0, client4]);
		});

		it('speaks of the IPv6 host, too, with the outer header alone', () => {
			const quote = outer6(ipProtocol.ipv6, innerPacket6()).subarray(0, 40 + 8);
			const [event] = eventsOf(frame6(icmp6Error(quote, { to: director6 })));
			assert.deepEqual(event?.endpoint, { protocol: undefined, family: 'inet6', address: server6, port: 0 });
		});
	});
}
