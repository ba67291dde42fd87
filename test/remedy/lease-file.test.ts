import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
	decodeLease,
	encodeLease,
	isLeaseName,
	type LedgerEntry,
	leaseBytesMax,
	leaseName,
} from '../../src/remedy/lease-file.js';
import type { ServiceAddress } from '../../src/table/model.js';
import { lease, server } from './example.js';

const expectedText = `format=1
state=held
id=tcp 10.0.0.100:8080
service=-t 10.0.0.100:8080
server=10.1.0.11:8080
edit=-t 10.0.0.100:8080 -r 10.1.0.11:8080 -m -w 3
written=0
earlier=
owed=3
until=1031
writer=4711
earlierWriter=
file=/run/ipvigil/keepalived/tcp_10.0.0.100_8080_10.1.0.11_8080
sinceMs=1000000
untilMs=1030000.5
count=1
forwarding=masq
thresholds=0 0
tunnel=ipip 0 0
connections=5 7 0
stats=0 0 0 0 0
reason="failed: tcp 10.0.0.100:8080 > 10.1.0.11:8080 has failed"
`;

const entry: LedgerEntry = {
	lease,
	earlier: undefined,
	trackFile: '/run/ipvigil/keepalived/tcp_10.0.0.100_8080_10.1.0.11_8080',
};

const address = fc.oneof(
	fc.ipV4().map((text) => ({ family: 'inet' as const, address: text })),
	fc.constantFrom('fd00::11', '2001:db8::1', '::1', 'fe80::5054:ff:fe12:3456').map((text) => ({
		family: 'inet6' as const,
		address: text,
	})),
);
const port = fc.integer({ min: 0, max: 65_535 });
const weight = fc.integer({ min: 0, max: 2_147_483_647 });
const counter = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const timeMs = fc.double({ min: 0, max: 1e13, noNaN: true });

const service: fc.Arbitrary<ServiceAddress> = fc.oneof(
	fc.record({
		kind: fc.constant('fwmark' as const),
		family: fc.constantFrom('inet' as const, 'inet6' as const),
		fwmark: fc.integer({ min: 1, max: 4_294_967_295 }),
	}),
	fc
		.tuple(address, port, fc.constantFrom('tcp' as const, 'udp' as const, 'sctp' as const))
		.map(([where, number, protocol]) => ({ kind: 'address' as const, protocol, ...where, port: number })),
);

const destination = fc
	.tuple(
		address,
		fc.record({
			port,
			weight,
			forwarding: fc.constantFrom(
				'masq' as const,
				'localnode' as const,
				'tunnel' as const,
				'droute' as const,
				'bypass' as const,
			),
			upperThreshold: weight,
			lowerThreshold: weight,
			tunnel: fc.record({
				type: fc.constantFrom('ipip' as const, 'gue' as const, 'gre' as const),
				port,
				flags: fc.constantFrom(0, 1, 2),
			}),
			activeConnections: weight,
			inactiveConnections: weight,
			persistentConnections: weight,
			stats: fc.record({
				connections: counter,
				packetsIn: counter,
				packetsOut: counter,
				bytesIn: counter,
				bytesOut: counter,
			}),
		}),
	)
	.map(([where, rest]) => ({ ...where, ...rest }));

const anyEntry: fc.Arbitrary<LedgerEntry> = fc
	.record({
		lease: fc.record({
			service,
			destination,
			state: fc.constantFrom('held' as const, 'with-monitor' as const),
			written: fc.option(weight, { nil: undefined }),
			sinceMs: timeMs,
			untilMs: timeMs,
			count: fc.nat(),
			pid: fc.nat(4_194_304),
			reason: fc.string({ unit: 'binary', maxLength: 400 }),
		}),
		earlier: fc.option(fc.record({ weight, pid: fc.nat(4_194_304) }), { nil: undefined }),
		trackFile: fc.option(fc.constantFrom('/run/a b/x', '/run/ü'), { nil: undefined }),
	})
	.map((made) => structuredClone(made)); // fast-check's records have no prototype; ours do

describe('the text of a lease', () => {
	test('stands as the shell helper and the operator read it', () => {
		assert.equal(encodeLease(entry), expectedText);
	});

	test('gives the lease back exactly', () => {
		fc.assert(fc.property(anyEntry, (one) => assert.deepEqual(decodeLease(encodeLease(one)), one)));
	});

	test('is one line for each key, whatever the reason says, and no longer than is read back', () => {
		fc.assert(
			fc.property(fc.string({ unit: 'binary', maxLength: 3_000 }), (reason) => {
				const text = encodeLease({ ...entry, lease: { ...lease, reason } });
				assert.equal(text.split('\n').length, expectedText.split('\n').length);
				assert.ok(Buffer.byteLength(text) <= leaseBytesMax);
			}),
		);
	});

	test('rounds its end up to whole seconds, so that nobody undoes a lease before it ends', () => {
		const until = (untilMs: number) =>
			/^until=(.*)$/m.exec(encodeLease({ ...entry, lease: { ...lease, untilMs } }))?.[1];
		assert.deepEqual([until(29_999), until(30_000), until(30_000.1), until(30_001)], ['30', '30', '31', '31']);
	});

	test('carries every attribute that ipvsadm must put back', () => {
		const gue = { ...server, forwarding: 'tunnel' as const, tunnel: { type: 'gue' as const, port: 6080, flags: 1 } };
		const text = encodeLease({
			...entry,
			lease: { ...lease, destination: { ...gue, upperThreshold: 100, lowerThreshold: 80 } },
		});
		assert.match(
			text,
			/^edit=-t 10\.0\.0\.100:8080 -r 10\.1\.0\.11:8080 -i -w 3 -x 100 -y 80 --tun-type gue .*6080.*--tun-csum$/m,
		);
	});

	test('names a firewall mark as ipvsadm and the audit map do', () => {
		const mark = { kind: 'fwmark' as const, family: 'inet6' as const, fwmark: 7 };
		const text = encodeLease({
			...entry,
			lease: { ...lease, service: mark, destination: { ...server, family: 'inet6', address: 'fd00::11', port: 0 } },
		});
		assert.match(text, /^service=-f 7 -6$/m);
		assert.match(text, /^server=\[fd00::11\]:0$/m);
		assert.match(text, /^id=fwmark 7 inet6$/m);
	});

	test('refuses values that would break out of their line', () => {
		const broken = (destination: Partial<typeof server>) => () =>
			encodeLease({ ...entry, lease: { ...lease, destination: { ...server, ...destination } } });
		assert.throws(broken({ address: '10.1.0.11\nowed=9' }), RangeError);
		assert.throws(broken({ address: '$(reboot)' }), RangeError);
		assert.throws(broken({ weight: -1 }), RangeError);
		assert.throws(broken({ weight: 1.5 }), RangeError);
		assert.throws(() => encodeLease({ ...entry, trackFile: '/run/x\nformat=2' }), RangeError);
	});
});

describe('a text that is no lease', () => {
	const problems: [name: string, text: string, problem: RegExp][] = [
		['of another format', expectedText.replace('format=1', 'format=2'), /format is 2/],
		['without an end', expectedText.replace(/^untilMs.*\n/m, ''), /untilMs is missing/],
		['with a key twice', `${expectedText}owed=9\n`, /owed stands twice/],
		['with a weight that is none', expectedText.replace('owed=3', 'owed=many'), /owed "many"/],
		['with a negative weight', expectedText.replace('owed=3', 'owed=-3'), /owed "-3"/],
		['with a state unknown', expectedText.replace('state=held', 'state=yielded'), /state "yielded"/],
		['with a service that is none', expectedText.replace('id=tcp ', 'id=icmp '), /names no service/],
		['with a reason cut short', expectedText.replace('failed"\n', ''), /./],
		['that is empty', '', /format is missing/],
		['that is binary', '\0\x01\n', /no key=value/],
	];
	for (const [name, text, problem] of problems) {
		test(`gives the problem: one ${name}`, () => {
			const read = decodeLease(text);
			assert.ok('problem' in read);
			assert.match(read.problem, problem);
		});
	}

	test('never throws, however it is cut or changed', () => {
		fc.assert(
			fc.property(fc.nat(expectedText.length), fc.string({ maxLength: 5 }), (at, noise) => {
				decodeLease(expectedText.slice(0, at));
				decodeLease(expectedText.slice(0, at) + noise + expectedText.slice(at));
			}),
		);
	});
});

describe('the name of a lease', () => {
	test('says service and server with nothing that a shell trips over', () => {
		fc.assert(
			fc.property(service, destination, (one, behind) => {
				const name = leaseName({ service: one, destination: behind });
				assert.match(name, /^[a-z0-9_.:]+$/);
				assert.ok(isLeaseName(name));
			}),
		);
		assert.equal(leaseName(lease), 'tcp_10.0.0.100_8080_10.1.0.11_8080');
		const mark = { kind: 'fwmark' as const, family: 'inet' as const, fwmark: 7 };
		assert.equal(leaseName({ service: mark, destination: { address: '10.1.0.11', port: 0 } }), 'fwmark_7_10.1.0.11_0');
	});

	test('is never that of a foreign file', () => {
		for (const name of ['uplink', 'tcp_', 'tcp_a_b', '.tcp_10.0.0.100_8080_10.1.0.11_8080.new', 'fwmark_7']) {
			assert.equal(isLeaseName(name), false, name);
		}
	});
});
