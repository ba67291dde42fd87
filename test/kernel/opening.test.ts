/** How wire.bpf.c begins to read, and what it hands on of the packet itself: on the host's own kernel. Needs root. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Bench, endpoint6, ipPrograms, programs } from './bench.js';
import { clientPacket4, clientPacket6, directorBench, icmp4Error, icmp6Error } from './icmp-packets.js';
import { concat, frame4, ipv4, ipv6, refusal4, refusalFlags, tcp } from './packets.js';

const refusal = tcp({ flags: refusalFlags });

for (const program of ipPrograms) {
	describe(`${program}, where packets begin with the IP header`, () => {
		let bench: Bench;
		beforeEach(() => {
			bench = directorBench({ packets: true });
		});
		afterEach(() => bench.close());

		it('sees refusals, from nobody it could know', () => {
			bench.wire.setSenders([{ address: '10.1.0.11', macs: ['02:00:00:00:00:02'] }]);
			assert.equal(bench.refusalsOf(program, ipv4({}, refusal))[0]?.sender, 'unlearned');
			assert.deepEqual(bench.refusalsOf(program, ipv6({}, refusal))[0]?.endpoint, endpoint6);
			assert.deepEqual(bench.losses(), {});
		});

		it('sees ICMP errors', () => {
			bench.run(program, icmp4Error(clientPacket4()));
			bench.run(program, icmp6Error(clientPacket6()));
			assert.equal(bench.take('unreachable').length, 2);
		});

		it('passes over what is no IP', () => {
			bench.run(program, ipv4({}, refusal).with(0, 0x55));
			assert.deepEqual([bench.takeEvents(), bench.losses()], [[], {}]);
		});

		it('counts a packet that ends inside its header', () => {
			bench.run(program, ipv6({}, refusal).subarray(0, 39));
			assert.deepEqual(bench.losses(), { truncated: 1 });
		});

		it('says of the packet which protocol it begins with', () => {
			const four = bench.refusalsOf(program, ipv4({}, refusal))[0]?.packet;
			const six = bench.refusalsOf(program, ipv6({}, refusal))[0]?.packet;
			assert.deepEqual([four?.protocol, six?.protocol], [0x0800, 0x86dd]);
			assert.deepEqual([...(four?.octets ?? [])], [...ipv4({}, refusal)]);
		});
	});
}

for (const program of programs) {
	describe(`${program}, asked for packets`, () => {
		let bench: Bench;
		beforeEach(() => {
			bench = directorBench({ packets: true });
		});
		afterEach(() => bench.close());

		it('gives the whole of a short one with a refusal', () => {
			const packet = bench.refusalsOf(program, refusal4())[0]?.packet;
			assert.deepEqual([packet?.protocol, packet?.packetOctets], [0, 54]);
			assert.deepEqual([...(packet?.octets ?? [])], [...refusal4()]);
		});

		it('gives the first 128 octets of a long one with an ICMP error', () => {
			const frame = frame4(
				icmp4Error(
					concat(
						clientPacket4(),
						Uint8Array.from({ length: 100 }, (_, at) => at),
					),
				),
			);
			bench.run(program, frame);
			const [event] = bench.take('unreachable');
			assert.equal(event?.packet?.packetOctets, frame.length);
			assert.deepEqual([...(event?.packet?.octets ?? [])], [...frame.subarray(0, 128)]);
		});

		it('gives none where none was asked for', () => {
			const plain = directorBench();
			assert.equal(plain.refusalsOf(program, refusal4())[0]?.packet, undefined);
			plain.close();
		});
	});
}
