import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RefusalEvent } from '../../src/decode/event.js';
import { clientPrefix, createEvidence, observe, retain } from '../../src/evidence/evidence.js';

function refusal(client: string, over: Partial<RefusalEvent> = {}): RefusalEvent {
	return {
		kind: 'refusal',
		atUs: 0,
		endpoint: { protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 80 },
		client,
		clientPort: 40_000,
		interfaceIndex: 2,
		answersSyn: true,
		sender: 'known',
		suppressed: 0,
		...over,
	};
}

test('a refusal counts for the whole window and not a millisecond longer', () => {
	const pool = createEvidence(() => 10_000);
	observe(pool, refusal('192.0.2.1'), 1_000);
	assert.equal(observe(pool, refusal('192.0.2.2'), 10_999)?.count, 2);
	assert.equal(observe(pool, refusal('192.0.2.3'), 11_000)?.count, 2);
});

test('what the kernel suppressed counts, but gives no further client', () => {
	const edge = observe(
		createEvidence(() => 10_000),
		refusal('192.0.2.1', { suppressed: 41 }),
		5,
	);
	assert.deepEqual([edge?.count, edge?.clientPrefixes], [42, 1]);
});

test('a RST that answers no SYN is no refusal', () => {
	assert.equal(
		observe(
			createEvidence(() => 10_000),
			refusal('192.0.2.1', { answersSyn: false }),
			5,
		),
		undefined,
	);
});

test('clients of one network are one voice', () => {
	const pool = createEvidence(() => 10_000);
	observe(pool, refusal('192.0.2.1'), 0);
	observe(pool, refusal('192.0.2.200'), 1);
	assert.equal(observe(pool, refusal('192.0.3.1'), 2)?.clientPrefixes, 2);
});

test('a prefix is /24 in IPv4 and /56 in IPv6, however the address is written', () => {
	assert.equal(clientPrefix('192.0.2.1'), '192.0.2');
	assert.equal(clientPrefix('2001:db8:0:ab01::1'), clientPrefix('2001:db8:0:abff:1:2:3:4'));
	assert.notEqual(clientPrefix('2001:db8:0:ab01::1'), clientPrefix('2001:db8:0:ac01::1'));
	assert.equal(clientPrefix('2001:db8::1'), '2001:db8:0:00');
	assert.equal(clientPrefix('::1'), '0:0:0:00');
});

test('an endpoint remembers 64 refusals and no more', () => {
	const pool = createEvidence(() => 10_000);
	for (let i = 0; i < 64; i++) observe(pool, refusal('192.0.2.1'), i);
	assert.equal(observe(pool, refusal('192.0.2.1'), 64)?.count, 64);
});

test('endpoints that left the table are forgotten', () => {
	const pool = createEvidence(() => 10_000);
	observe(pool, refusal('192.0.2.1'), 0);
	retain(pool, () => false);
	assert.equal(pool.windows.size, 0);
});
