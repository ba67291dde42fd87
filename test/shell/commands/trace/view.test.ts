/** What `trace` prints for each kind of event. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KernelEvent } from '../../../../src/decode/event.js';
import { compactLine, jsonLine } from '../../../../src/shell/commands/trace/view.js';
import * as events from './events.js';

const epochOffsetUs = Date.parse('2026-11-22T17:35:00.000Z') * 1000;
const options = { epochOffsetUs, interfaceName: (index: number) => (index === 3 ? 'eth1' : undefined) };

const lines: [KernelEvent, string][] = [
	[events.refusal, 'refusal         tcp 10.1.0.11:8080 -> 192.0.2.7:40000  RST to a SYN, on eth1'],
	[
		events.reset,
		'reset           tcp 10.1.0.11:8080 -> 192.0.2.7:40000  RST, no answer to a SYN, on eth1, sender not known yet (4 more not told)',
	],
	[
		events.unreachable,
		'unreachable     fd00::1 -> [2001:db8::7]:5353  address unreachable about a packet to udp [fd00::11]:53 through gue, on eth1',
	],
	[
		events.outcome,
		'syn-repeated    fwmark 7 > 10.1.0.12:0 (port 443) -> 192.0.2.7:40000  SYN sent again: nobody answered; 3 waiting, the oldest for 312 ms',
	],
	[events.noDestination, 'no-destination  tcp 10.0.0.100:80 -> 192.0.2.7:40000  no destination left (1 more not told)'],
	[
		events.learned,
		'learned         fwmark 7 > 10.1.0.12:0 -> tcp 10.1.0.12:443  the port behind a destination that has none of its own',
	],
	[
		events.write,
		'write           ipvsadm (pid 4711) -> tcp 10.0.0.100:80 > 10.1.0.11:8080  edit, weight 1 to 0, by netlink, of bash, uid 0',
	],
	[
		events.service,
		'service         ipvsadm (pid 4711) -> the table  flush, by setsockopt, of bash, uid 0; refused with EPERM',
	],
	[events.link, 'link            bond0  active slave is interface 4'],
	[{ ...events.link, change: 'carrier', value: 0 }, 'link            bond0  carrier lost'],
	[
		{ ...events.link, change: 'slave', value: 2, otherIndex: 3, interfaceName: 'eth7' },
		'link            eth7  slave of eth1 is down',
	],
	[events.neighbour, 'neighbour       10.1.0.11 on eth1  failed'],
];

test('every kind of event is one line of time, signal, who, to whom and why', () => {
	for (const [event, line] of lines) assert.equal(compactLine(event, options), `17:35:05.000001Z  ${line}`);
});

test('the time of day has its microseconds, and the first of a second its zeros', () => {
	const at = (atUs: number) => JSON.parse(jsonLine({ ...events.link, atUs }, options)).at;
	assert.equal(at(1_000_000), '2026-11-22T17:35:01.000000Z');
	assert.equal(at(999_999), '2026-11-22T17:35:00.999999Z');
	assert.equal(at(123_456), '2026-11-22T17:35:00.123456Z');
});

test('JSON has the event as it is, its names, and octets as hex', () => {
	const { packet, ...rest } = events.refusal;
	const octets = Buffer.from(packet?.octets ?? []).toString('hex');
	assert.deepEqual(JSON.parse(jsonLine(events.refusal, options)), {
		at: '2026-11-22T17:35:05.000001Z',
		signal: 'refusal',
		vantage: 'wire',
		...rest,
		packet: { packetOctets: 54, protocol: 0, octets },
	});
	assert.equal(JSON.parse(jsonLine({ ...events.outcome, outcome: 'refused' }, options)).signal, 'refusal');
	assert.equal(JSON.parse(jsonLine({ ...events.outcome, outcome: 'refused' }, options)).vantage, 'outcome');
});
