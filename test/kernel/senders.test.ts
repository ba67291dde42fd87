/** Whom wire.bpf.c believes, by XDP and by tc: MAC addresses that are listed, learned, or a stranger's. Needs root. */
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Bench, endpoint4, programs } from './bench.js';
import { bare4, clientPacket4, director4, directorBench, icmp4Error, server4 } from './icmp-packets.js';
import { acceptanceFlags, concat, frame4, refusal4 } from './packets.js';

/** What frames of packets.ts come from. */
const serverMac = '02:00:00:00:00:02';
const otherMac = '02:00:00:00:00:99';

function from(mac: string, frame: Uint8Array): Uint8Array {
	const octets = mac.split(':').map((octet) => Number.parseInt(octet, 16));
	return concat(frame.subarray(0, 6), Uint8Array.from(octets), frame.subarray(12));
}

/** As in senders.bpf.h: eight acceptances, of which one in a second counts. */
const acceptancesToBeKnown = 8;
const acceptanceIntervalMs = 1_000;

for (const program of programs) {
	describe(`${program} and senders`, () => {
		let bench: Bench;
		beforeEach(() => {
			bench = directorBench();
		});
		afterEach(() => bench.close());

		const list = (...macs: string[]) => bench.wire.setSenders([{ address: server4, macs }]);

		it('knows one that is listed', () => {
			list(serverMac);
			assert.equal(bench.refusalsOf(program, refusal4())[0]?.sender, 'known');
			bench.run(program, frame4(icmp4Error(clientPacket4())));
			assert.equal(bench.take('unreachable')[0]?.sender, 'known');
		});

		it('knows each of eight that are listed', () => {
			const macs = Array.from({ length: 8 }, (_, index) => `02:00:00:00:01:0${index}`);
			assert.deepEqual(list(...macs), []);
			for (const mac of macs) bench.run(program, from(mac, refusal4()));
			assert.deepEqual([bench.counters().refusals, bench.counters().strangers], [8, 0]);
		});

		it('does not check a host with nine, and says so', () => {
			const macs = Array.from({ length: 9 }, (_, index) => `02:00:00:00:01:0${index}`);
			assert.deepEqual(list(...macs), [{ address: server4, macs }]);
			assert.equal(bench.refusalsOf(program, refusal4())[0]?.sender, 'unlearned');
		});

		it('rejects the RST of a stranger, and counts it', () => {
			list(otherMac);
			assert.equal(bench.refusalsOf(program, refusal4()).length, 0);
			const { refusals, resets, strangers } = bench.counters();
			assert.deepEqual([refusals, resets, strangers], [0, 0, 1]);
			assert.deepEqual(bench.losses(), { stranger: 1 });
		});

		it("rejects a stranger's ICMP errors about an endpoint or a host, and counts them", () => {
			list(otherMac);
			bench.wire.setSenders([{ address: bare4, macs: [otherMac] }]);
			bench.run(program, frame4(icmp4Error(clientPacket4())));
			const toBare = clientPacket4();
			toBare.set([10, 1, 0, 12], 16);
			bench.run(program, frame4(icmp4Error(toBare)));
			assert.equal(bench.take('unreachable').length, 0);
			assert.deepEqual([bench.counters().strangers, bench.host(bare4).strangers], [1, 1]);
			assert.deepEqual(bench.losses(), { stranger: 2 });
		});

		it('counts an acceptance whoever brings it', () => {
			list(otherMac);
			bench.run(program, refusal4({}, { flags: acceptanceFlags }));
			assert.deepEqual([bench.counters().acceptances, bench.counters().strangers], [1, 0]);
		});

		it('takes the new MAC address of a host at once, and the old one for a stranger', () => {
			list(otherMac);
			list(serverMac);
			assert.equal(bench.refusalsOf(program, refusal4()).length, 1);
			assert.equal(bench.refusalsOf(program, from(otherMac, refusal4())).length, 0);
		});

		it('keeps what a host was listed with while nobody knows better', () => {
			list(otherMac);
			list();
			assert.equal(bench.refusalsOf(program, refusal4()).length, 0);
		});

		it('forgets the senders of a host that is watched anew', () => {
			list(otherMac);
			bench.wire.setEndpoints([]);
			bench.wire.setEndpoints([endpoint4]);
			assert.equal(bench.refusalsOf(program, refusal4())[0]?.sender, 'unlearned');
		});

		it('admits nobody for a burst of acceptances', () => {
			list(otherMac);
			bench.run(program, refusal4({}, { flags: acceptanceFlags }), 1000);
			assert.equal(bench.refusalsOf(program, refusal4()).length, 0);
		});

		it('passes as unlearned what comes while nobody is known, however often it accepted in a second', () => {
			bench.run(program, refusal4({}, { flags: acceptanceFlags }), 1000);
			assert.equal(bench.refusalsOf(program, refusal4())[0]?.sender, 'unlearned');
			assert.equal(bench.refusalsOf(program, from(otherMac, refusal4()))[0]?.sender, 'unlearned');
		});
	});
}

describe('a sender that goes on accepting', () => {
	it('becomes known after so many seconds, and others are strangers from then on', { timeout: 30_000 }, async () => {
		const bench = directorBench();
		const accept = () => bench.run('wire_tc', refusal4({ destination: director4 }, { flags: acceptanceFlags }));
		const senderOf = (mac: string) => bench.refusalsOf('wire_tc', from(mac, refusal4()))[0]?.sender;
		for (let count = 1; count < acceptancesToBeKnown; count++) {
			accept();
			await new Promise((resolve) => setTimeout(resolve, acceptanceIntervalMs + 5));
		}
		assert.deepEqual([senderOf(serverMac), senderOf(otherMac)], ['unlearned', 'unlearned']);
		accept();
		assert.deepEqual([senderOf(serverMac), senderOf(otherMac)], ['known', undefined]);
		bench.close();
	});
});
