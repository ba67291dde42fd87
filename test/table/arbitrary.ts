/**
 * Random tables for property tests: everything that a rules file and a netlink message can both say.
 */
import fc from 'fast-check';
import { canonicalAddress } from '../../src/table/address.js';
import { hostPort, serviceId } from '../../src/table/identity.js';
import {
	type Destination,
	type Family,
	noStats,
	noTunnel,
	type Service,
	type ServiceAddress,
	type Tunnel,
} from '../../src/table/model.js';

/** Objects like the ones that the code makes: fast-check's own may have no prototype, and deepEqual minds. */
const plainRecord = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
	fc.record<T>(model, { noNullPrototype: true });

const family = fc.constantFrom<Family>('inet', 'inet6');
const port = fc.integer({ min: 0, max: 65535 });
const signed = fc.integer({ min: 0, max: 0x7fffffff });
const addressOf = (kind: Family) =>
	(kind === 'inet' ? fc.ipV4() : fc.ipV6()).map((text) => canonicalAddress(text) ?? '');

const serviceAddress: fc.Arbitrary<ServiceAddress> = family.chain((kind) =>
	fc.oneof(
		plainRecord({
			kind: fc.constant('address' as const),
			protocol: fc.constantFrom('tcp' as const, 'udp' as const, 'sctp' as const),
			family: fc.constant(kind),
			address: addressOf(kind),
			port,
		}),
		plainRecord({
			kind: fc.constant('fwmark' as const),
			family: fc.constant(kind),
			fwmark: fc.integer({ min: 1, max: 0xffffffff }),
		}),
	),
);

const tunnel: fc.Arbitrary<Tunnel> = fc.oneof(
	fc.constant(noTunnel),
	plainRecord({ type: fc.constant('gue' as const), port, flags: fc.constantFrom(0, 1, 2) }),
	plainRecord({ type: fc.constant('gre' as const), port: fc.constant(0), flags: fc.constantFrom(0, 1) }),
);

const idle = { activeConnections: 0, inactiveConnections: 0, persistentConnections: 0, stats: noStats };

export const destination: fc.Arbitrary<Destination> = family.chain((kind) =>
	plainRecord({
		family: fc.constant(kind),
		address: addressOf(kind),
		port,
		forwarding: fc.constantFrom('masq' as const, 'tunnel' as const, 'droute' as const),
		weight: signed,
		upperThreshold: signed,
		lowerThreshold: signed,
		tunnel,
	})
		// Only a tunnel has tunnel options in a rules file.
		.map((made) => ({ ...made, tunnel: made.forwarding === 'tunnel' ? made.tunnel : noTunnel, ...idle })),
);

const destinations = fc.uniqueArray(destination, {
	maxLength: 4,
	selector: ({ address, port: at }) => hostPort(address, at),
});

const service: fc.Arbitrary<Service> = serviceAddress.chain((address) =>
	plainRecord({
		address: fc.constant(address),
		scheduler: fc.constantFrom('rr', 'wrr', 'wlc', 'sh', 'mh'),
		flags: fc.integer({ min: 0, max: 15 }).map((bits) => ((bits & 7) << 3) | ((bits >> 3) << 2)),
		persistenceSeconds: fc.integer({ min: 0, max: 2_678_400 }),
		netmask:
			address.family === 'inet' ? fc.constantFrom('255.255.255.255', '255.255.255.0') : fc.constantFrom('128', '64'),
		persistenceEngine: fc.constantFrom('', 'sip'),
		stats: fc.constant(noStats),
		destinations,
	}).map((made) => {
		const persistent = made.persistenceSeconds > 0;
		const whole = address.family === 'inet' ? '255.255.255.255' : '128';
		return { ...made, flags: made.flags | (persistent ? 1 : 0), netmask: persistent ? made.netmask : whole };
	}),
);

export const services = fc.uniqueArray(service, { maxLength: 4, selector: (made) => serviceId(made.address) });
