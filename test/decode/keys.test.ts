/** Map keys and values beside their octets. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
	decodeLastWrite,
	encodeAddressKey,
	encodeDestinationKey,
	encodeEndpointKey,
	encodeEndpointState,
	sumEndpointCounters,
	sumLoss,
} from '../../src/decode/keys.js';
import type { ServiceAddress } from '../../src/table/model.js';

function hex(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString('hex');
}

const mapped = '00000000000000000000ffff';

describe('a key', () => {
	it('of an endpoint holds address, port and protocol in network order', () => {
		const endpoint = { protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 8080 } as const;
		assert.equal(hex(encodeEndpointKey(endpoint)), `${mapped}0a01000b1f900600`);
	});

	it('of an IPv6 endpoint holds its sixteen octets', () => {
		const endpoint = { protocol: 'sctp', family: 'inet6', address: 'fd00::11', port: 65_535 } as const;
		assert.equal(hex(encodeEndpointKey(endpoint)), 'fd000000000000000000000000000011ffff8400');
	});

	it('of an address is the address', () => assert.equal(hex(encodeAddressKey('192.0.2.7')), `${mapped}c0000207`));

	it('of no address is our own mistake', () => assert.throws(() => encodeAddressKey('localhost'), TypeError));

	it("of a new endpoint has its slot, its host's, and open gates", () => {
		assert.equal(hex(encodeEndpointState(0x01020304, 0x05060708)), `0403020108070605${'00'.repeat(64)}`);
	});
});

describe('a last write', () => {
	const services: ServiceAddress[] = [
		{ kind: 'address', protocol: 'tcp', family: 'inet', address: '10.0.0.100', port: 80 },
		{ kind: 'address', protocol: 'udp', family: 'inet6', address: '2001:db8::1', port: 53 },
		{ kind: 'fwmark', family: 'inet', fwmark: 4_294_967_295 },
		{ kind: 'fwmark', family: 'inet6', fwmark: 7 },
	];
	const value = Uint8Array.from(
		Buffer.from(
			'0300000000000000d0070000000000006712000000000000020000000000000069707669670a000000000000000000000',
			'hex',
		),
	);
	const full = new Uint8Array(48);
	full.set(value.subarray(0, 48));

	for (const service of services) {
		it(`is found under the key of its service: ${JSON.stringify(service)}`, () => {
			const destination = { address: service.family === 'inet' ? '10.1.0.11' : 'fd00::11', port: 8080 };
			assert.deepEqual(decodeLastWrite(encodeDestinationKey(service, destination), full), {
				service,
				destination,
				operation: 'edit',
				weight: 0,
				writes: 3,
				atUs: 2,
				pid: 4711,
				comm: 'ipvig?',
			});
		});
	}

	it('of another size or an unknown operation is malformed', () => {
		const key = encodeDestinationKey({ kind: 'fwmark', family: 'inet', fwmark: 1 }, { address: '10.1.0.11', port: 80 });
		assert.ok('kind' in decodeLastWrite(key.subarray(1), full));
		assert.ok('kind' in decodeLastWrite(key, full.subarray(1)));
		assert.ok('kind' in decodeLastWrite(key, new Uint8Array(48)));
	});
});

describe('per-CPU values', () => {
	it('are summed by name, beyond 32 bits', () => {
		const fields = 12;
		const values = new BigUint64Array(2 * fields).map(
			(_, index) => BigInt(index % fields) + (index < fields ? 0n : 2n ** 32n),
		);
		const sum = sumEndpointCounters(new Uint8Array(values.buffer));
		assert.deepEqual(
			Object.values(sum),
			Array.from({ length: fields }, (_, value) => 2 * value + 2 ** 32),
		);
		assert.equal(sum.refusals, 2 ** 32);
		assert.equal(sum.eventsLost, 2 ** 32 + 14);
	});

	it('of a loss are summed', () => {
		assert.equal(sumLoss(new Uint8Array(BigUint64Array.of(1n, 2n, 3n).buffer)), 6);
		assert.equal(sumLoss(new Uint8Array()), 0);
	});
});
