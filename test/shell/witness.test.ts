/** Kernel events and the inputs they become. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WriteEvent } from '../../src/decode/event.js';
import { createState } from '../../src/judge/state.js';
import { termsForAll } from '../../src/judge/terms.js';
import { configuredEndpoints, Witness } from '../../src/shell/witness.js';
import { parseRules } from '../../src/table/rules.js';

const service = { kind: 'address', protocol: 'tcp', family: 'inet', address: '10.0.0.100', port: 80 } as const;

function write(over: Partial<WriteEvent> = {}): WriteEvent {
	return {
		kind: 'write',
		atUs: 0,
		service,
		destination: { address: '10.1.0.11', port: 80 },
		operation: 'edit',
		oldWeight: 1,
		newWeight: 0,
		result: 0,
		via: 'netlink',
		pid: 7,
		uid: 0,
		comm: 'ipvsadm',
		parentComm: 'bash',
		...over,
	};
}

test('a write names its writer, and whether that is ourselves', () => {
	const heard = new Witness(() => 1_000, 7).hear(write(), 5);
	const destination = 'tcp 10.0.0.100:80 > 10.1.0.11:80';
	const writer = { pid: 7, comm: 'ipvsadm', own: true };
	assert.deepEqual(heard, { kind: 'write', destination, operation: 'edit', weight: 0, writer });
	assert.equal((new Witness(() => 1_000, 8).hear(write(), 5) as { writer: { own: boolean } }).writer.own, false);
});

test('a write that IPVS refused has changed nothing', () =>
	assert.equal(new Witness(() => 1_000, 8).hear(write({ result: -2 }), 5), undefined));

test('a destination without a port learns its endpoint', () => {
	const endpoint = { protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 443 } as const;
	const fwmark = { kind: 'fwmark', family: 'inet', fwmark: 7 } as const;
	const destination = { address: '10.1.0.11', port: 0 };
	const heard = new Witness(() => 1_000, 8).hear(
		{ kind: 'learned', atUs: 0, service: fwmark, destination, endpoint },
		5,
	);
	assert.deepEqual(heard, { kind: 'learned', destination: 'fwmark 7 > 10.1.0.11:0', endpoint, configured: false });
});

test('a neighbour that failed speaks of its host, and is counted within the window', () => {
	const witness = new Witness(() => 1_000, 8);
	witness.neighbourFailed('10.1.0.11', 0);
	const heard = witness.neighbourFailed('10.1.0.11', 999);
	assert.ok(heard.kind === 'evidence');
	const { scope, count, clientPrefixes } = heard.edge;
	assert.deepEqual([scope, count, clientPrefixes], [{ kind: 'host', address: '10.1.0.11' }, 2, 0]);
});

test('what is in the table no more is forgotten', () => {
	const witness = new Witness(() => 1_000, 8);
	witness.neighbourFailed('10.1.0.11', 0);
	const parts = {
		terms: termsForAll({}),
		pid: 8,
		dryRun: false,
		binding: false,
		seed: 1,
	} as const;
	witness.retain(createState(parts));
	const heard = witness.neighbourFailed('10.1.0.11', 1);
	assert.ok(heard.kind === 'evidence' && heard.edge.count === 1);
});

test('a configured port gives every destination of its service an endpoint, and no other', () => {
	const parsed = parseRules(
		['-A -f 7 -s rr', '-a -f 7 -r 10.1.0.11:0 -g -w 1', '-A -f 8 -s rr', '-a -f 8 -r 10.1.0.11:0 -g -w 1'].join('\n'),
	);
	assert.ok(parsed.ok);
	const messages = configuredEndpoints(parsed.snapshot, { 'fwmark 7': { port: { protocol: 'udp', port: 53 } } });
	const endpoint = { protocol: 'udp', family: 'inet', address: '10.1.0.11', port: 53 };
	assert.deepEqual(messages, [{ kind: 'learned', destination: 'fwmark 7 > 10.1.0.11:0', endpoint, configured: true }]);
});
