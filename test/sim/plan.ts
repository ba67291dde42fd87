/**
 * What a seed means: the table, the policy, who else is there, and what goes wrong when. All of it is decided before the
 * first instant, so that a story can be told beforehand and a mutation of ipvigil meets the very same world.
 */
import type { HoldScope } from '../../src/judge/hold.js';
import { defaultPolicy, type Mode, type Policy } from '../../src/judge/policy.js';
import { destinationId } from '../../src/table/identity.js';
import { type Destination, type Forwarding, noStats, noTunnel, type Service } from '../../src/table/model.js';
import { Random } from '../support/random.js';

/** What a server truly is. Flapping is a quick succession of these. */
export type Condition = 'healthy' | 'dead-process' | 'dead-host' | 'slow' | 'half-firewalled' | 'brown-out';

/** From `atMs` to `untilMs` the server (of a dead host: all of its address) is so. */
export interface Trouble {
	atMs: number;
	untilMs: number;
	address: string;
	port: number;
	condition: Condition;
	/** Slow: how late it answers. Brown-out: which share of connection attempts is lost. Else 0. */
	degree: number;
}

export type Mishap =
	/** Killed between two instants, or at the so many-th effect from then on, in the midst of what it was doing. */
	| { kind: 'crash'; atMs: number; atEffect: number; downMs: number }
	/** An orderly stop gives back; a hand-over leaves the leases. */
	| { kind: 'stop' | 'hand-over'; atMs: number; downMs: number }
	/** The process stands still, the machine does not. */
	| { kind: 'stall'; atMs: number; forMs: number }
	/** The boot clock leaps forward: the machine slept. */
	| { kind: 'clock-jump'; atMs: number; byMs: number }
	| { kind: 'disk-full'; atMs: number; forMs: number }
	| { kind: 'release'; atMs: number }
	/** With an end of its own, and with the operator's, after so long; Infinity for neither. */
	| { kind: 'hold'; atMs: number; scope: HoldScope; forMs: number; resumedAfterMs: number }
	/** A link of the director's own carries nothing; for `darkMs` after it is back, neither. */
	| { kind: 'own-link'; atMs: number; forMs: number; darkMs: number; addresses: string[] };

export interface Plan {
	seed: number;
	endMs: number;
	mode: Mode;
	dryRun: boolean;
	/** Whether keepalived can be told. */
	binding: boolean;
	/** What follows from a failure, whatever the signal. */
	remedy: 'quiesce' | 'reduce';
	/** Whether the audit hook runs. */
	audit: boolean;
	/** The share of the audit's records that find its ring full. */
	auditLost: number;
	attempts: 'outcome' | 'wire';
	asksVips: boolean;
	/** Servers in DR that listen on the VIP alone: their own address refuses whatever they do. */
	vipOnly: boolean;
	policy: Policy;
	snapshotIntervalMs: number;
	services: Service[];
	/** What the monitor does to a server that it finds dead: nobody there, weight 0, or out of the table. */
	monitor: 'none' | 'inhibits' | 'removes';
	monitorEveryMs: number;
	/** Means; Infinity for never. */
	adminEveryMs: number;
	clientEveryMs: number;
	forgeEveryMs: number;
	brokenClientEveryMs: number;
	clientPrefixes: number;
	netlink: { failing: number; lostReply: number; torn: number };
	events: { lost: number; late: number; duplicated: number };
	troubles: Trouble[];
	mishaps: Mishap[];
}

/** Time to calibrate before the first trouble, as a director that was started in quiet times has had it. */
const calmMs = 8_000;
const endMs = 160_000;
/** No new trouble in the last part, so that what must come about has time to. */
const lastTroubleMs = 105_000;

export function planOf(seed: number): Plan {
	const random = new Random(Math.imul(seed, 0x9e3779b1) ^ 0x51ab);
	const forwarding: Forwarding = random.chance(0.6) ? 'masq' : 'droute';
	const vipOnly = forwarding === 'droute' && random.chance(0.6);
	const mode = random.pick<Mode>(['assist', 'assist', 'assist', 'assist', 'assist', 'assist', 'notify', 'observe']);
	const services = servicesOf(random, forwarding);
	const policy = policyOf(random);
	const sometimes = (share: number, least: number, most: number) =>
		random.chance(share) ? random.between(least, most) : Number.POSITIVE_INFINITY;
	const monitor = random.pick<Plan['monitor']>(['none', 'none', 'inhibits', 'removes']);
	return {
		seed,
		endMs,
		mode,
		dryRun: random.chance(0.04),
		remedy: random.chance(0.15) ? 'reduce' : 'quiesce',
		binding: monitor !== 'none' && (mode === 'notify' || random.chance(0.4)),
		audit: random.chance(0.8),
		auditLost: random.chance(0.6) ? 0 : random.between(0, 0.1),
		attempts: forwarding === 'droute' || random.chance(0.7) ? 'outcome' : 'wire',
		asksVips: forwarding === 'masq' || random.chance(0.8),
		vipOnly,
		policy,
		snapshotIntervalMs: 2_000,
		services,
		monitor,
		// One that comes round seldom leaves it to ipvigil's word.
		monitorEveryMs: random.chance(0.3) ? 60_000 : random.between(1_000, 10_000),
		adminEveryMs: sometimes(0.4, 5_000, 60_000),
		clientEveryMs: random.between(200, 1_000),
		forgeEveryMs: sometimes(0.4, 300, 4_000),
		brokenClientEveryMs: sometimes(0.4, 500, 6_000),
		clientPrefixes: 3 + random.below(10),
		netlink: {
			failing: random.chance(0.5) ? 0 : random.between(0, 0.15),
			lostReply: random.chance(0.5) ? 0 : random.between(0, 0.1),
			torn: random.between(0, 0.5),
		},
		events: { lost: random.between(0, 0.1), late: random.between(0, 0.1), duplicated: random.between(0, 0.1) },
		troubles: troublesOf(random, services),
		mishaps: mishapsOf(random, services, policy),
	};
}

/** The shipped policy, or one whose leases run their whole course within the simulated time. */
function policyOf(random: Random): Policy {
	if (random.chance(0.5)) return { ...defaultPolicy };
	return {
		...defaultPolicy,
		leaseMs: random.pick([5_000, 10_000, 20_000]),
		leaseCapMs: random.pick([10_000, 20_000, 40_000]),
		leaseTotalMs: random.pick([30_000, 50_000, 90_000]),
		holdDownMs: random.pick([5_000, 15_000, 30_000]),
		takenShareMax: random.pick([0.34, 0.5, 0.7]),
		ejectionsPerMinuteMax: random.pick([2, 5, 30]),
		flapsMax: random.pick([2, 4, 6]),
		flapPeriodMs: random.pick([40_000, 300_000]),
		graceMs: random.pick([1_000, 2_000, 5_000]),
	};
}

function servicesOf(random: Random, forwarding: Forwarding): Service[] {
	const count = 1 + random.below(3);
	// One web server behind several VIPs, or each service with servers of its own.
	const shared = random.chance(0.3);
	return Array.from({ length: count }, (_, index) => {
		const port = shared || forwarding === 'droute' ? 80 : 8_080 + index;
		return serviceOf(random, forwarding, index, port);
	});
}

function serviceOf(random: Random, forwarding: Forwarding, index: number, port: number): Service {
	const weight = random.pick([1, 1, 3, 100]);
	const destinations = Array.from(
		{ length: 2 + random.below(4) },
		(_, at): Destination => ({
			family: 'inet',
			address: `10.1.0.${11 + at}`,
			port,
			forwarding,
			weight: random.chance(0.8) ? weight : 1 + random.below(100),
			upperThreshold: random.chance(0.2) ? 10_000 : 0,
			lowerThreshold: 0,
			tunnel: noTunnel,
			activeConnections: 0,
			inactiveConnections: 0,
			persistentConnections: 0,
			stats: noStats,
		}),
	);
	return {
		address: { kind: 'address', protocol: 'tcp', family: 'inet', address: `10.0.0.${100 + index}`, port: 80 },
		scheduler: random.pick(['wrr', 'wlc', 'wrr', 'wlc', 'wrr', 'sh']),
		flags: 0,
		persistenceSeconds: 0,
		netmask: '255.255.255.255',
		persistenceEngine: '',
		stats: noStats,
		destinations,
	};
}

function troublesOf(random: Random, services: Service[]): Trouble[] {
	const ports = new Map<string, Set<number>>();
	for (const { address, port } of services.flatMap(({ destinations }) => destinations))
		ports.set(address, (ports.get(address) ?? new Set()).add(port));
	const troubles: Trouble[] = [];
	for (const [address, listening] of ports) {
		const first = [...listening][random.below(listening.size)] ?? 0;
		let atMs = (random.chance(0.9) ? calmMs : 0) + random.exponential(40_000);
		while (atMs < lastTroubleMs) {
			const made = random.chance(0.15)
				? flapping(random, address, first, atMs)
				: [troubleOf(random, address, first, atMs)];
			troubles.push(...made);
			atMs = (made.at(-1)?.untilMs ?? atMs) + random.exponential(30_000);
		}
	}
	// A rack, a switch, a bad deployment: all at once.
	const together = random.chance(0.15) ? random.between(calmMs, lastTroubleMs) : undefined;
	if (together === undefined) return troubles;
	const hit = [...ports.keys()].filter(() => random.chance(0.8));
	const untilMs = together + random.exponential(20_000);
	const spared = troubles.filter(
		({ address, atMs: from, untilMs: to }) => !hit.includes(address) || to < together || from > untilMs,
	);
	const all = hit.map(
		(address): Trouble => ({ atMs: together, untilMs, address, port: 0, condition: 'dead-host', degree: 0 }),
	);
	return [...spared, ...all];
}

function troubleOf(random: Random, address: string, port: number, atMs: number): Trouble {
	const condition = random.pick<Condition>([
		'dead-process',
		'dead-process',
		'dead-process',
		'dead-host',
		'slow',
		'half-firewalled',
		'brown-out',
	]);
	const degree = { slow: random.between(50, 2_500), 'brown-out': random.between(0.1, 0.8) }[condition as string] ?? 0;
	const lastsMs = random.chance(0.2) ? random.between(100, 2_000) : random.exponential(30_000);
	return { atMs, untilMs: atMs + lastsMs, address, port, condition, degree };
}

function flapping(random: Random, address: string, port: number, beginMs: number): Trouble[] {
	const periodMs = random.between(200, 8_000);
	return Array.from({ length: 2 + random.below(8) }, (_, index): Trouble => {
		const atMs = beginMs + index * periodMs;
		return { atMs, untilMs: atMs + periodMs / 2, address, port, condition: 'dead-process', degree: 0 };
	});
}

function mishapsOf(random: Random, services: Service[], policy: Policy): Mishap[] {
	const mishaps: Mishap[] = [];
	const times = random.chance(0.3) ? 0 : 1 + random.below(3);
	const addresses = [...new Set(services.flatMap(({ destinations }) => destinations.map(({ address }) => address)))];
	for (let index = 0; index < times; index++) {
		const atMs = random.between(1_000, lastTroubleMs);
		const downMs = random.chance(0.8) ? random.between(100, 10_000) : random.between(10_000, 90_000);
		mishaps.push(
			random.pick<() => Mishap>([
				() => ({ kind: 'crash', atMs, atEffect: 0, downMs }),
				() => ({ kind: 'crash', atMs, atEffect: 1 + random.below(12), downMs }),
				() => ({ kind: 'crash', atMs, atEffect: 1 + random.below(12), downMs }),
				() => ({ kind: 'crash', atMs, atEffect: 1 + random.below(4), downMs }),
				() => ({ kind: 'stop', atMs, downMs }),
				() => ({ kind: 'hand-over', atMs, downMs }),
				// Also for longer than the lease, between ledger and write too: then the helper has undone it.
				() => ({ kind: 'stall', atMs, forMs: random.between(50, policy.leaseMs * 1.5) }),
				() => ({ kind: 'clock-jump', atMs, byMs: random.between(1_000, 120_000) }),
				() => ({ kind: 'disk-full', atMs, forMs: random.between(1_000, 30_000) }),
				() => ({ kind: 'release', atMs }),
				() => holdOf(random, services, atMs),
				() => holdOf(random, services, atMs),
				() => ({
					kind: 'own-link',
					atMs,
					forMs: random.between(500, 30_000),
					darkMs: random.between(0, policy.wayGraceMs * 0.8),
					addresses: addresses.filter(() => random.chance(0.7)),
				}),
			])(),
		);
	}
	return mishaps;
}

function holdOf(random: Random, services: Service[], atMs: number): Mishap {
	const ids = services.flatMap(({ address, destinations }) => destinations.map((one) => destinationId(address, one)));
	const some = (share: number) => (random.chance(share) ? random.exponential(30_000) : Number.POSITIVE_INFINITY);
	const scope = random.chance(0.4) ? 'all' : (ids[random.below(ids.length)] ?? 'all');
	return { kind: 'hold', atMs, scope, forMs: some(0.5), resumedAfterMs: some(0.5) };
}
