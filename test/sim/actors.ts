/**
 * Whoever asks the services, or pretends to: clients of several networks, one client that is always refused, and forgers
 * who send what looks like a server's refusal or a client's despair. And the kernel's words for it, which reach ipvigil
 * late, twice, or never.
 */
import type { KernelEvent, Outcome } from '../../src/decode/event.js';
import { type DestinationId, destinationId } from '../../src/table/identity.js';
import type { Destination, Service } from '../../src/table/model.js';
import type { Random } from '../support/random.js';
import type { Scene, Testimony } from './scene.js';
import type { Supervisor } from './supervisor.js';
import { isDead, type Meeting, type Server } from './world.js';

type Told = KernelEvent | { kind: 'neighbour-failed'; address: string };

/** RFC 6298: the SYN is sent again after one second; in DR a refusal is overdue long before (docs/decisions/0014). */
const synRepeatMs = 1_000;
const overdueMs = 300;
/** What a router needs to find out that nobody answers it: three solicitations. */
const neighbourFailedMs = 3_000;
/** An event that is late is so by at most this. */
export const eventLateMs = 3_000;

export class Actors {
	readonly #scene: Scene;
	readonly #supervisor: Supervisor;
	readonly #random: Random;

	constructor(scene: Scene, supervisor: Supervisor, random: Random) {
		this.#scene = scene;
		this.#supervisor = supervisor;
		this.#random = random;
	}

	begin(): void {
		const { plan, table } = this.#scene;
		for (const service of table.services) {
			this.#repeat(plan.clientEveryMs, () => this.#client(service, this.#random.below(plan.clientPrefixes)));
			this.#repeat(plan.forgeEveryMs / table.services.length, () => this.#forge(service));
		}
		const [first] = table.services;
		if (first) this.#repeat(plan.brokenClientEveryMs, () => this.#brokenClient(first));
	}

	#repeat(meanMs: number, act: () => void): void {
		if (!Number.isFinite(meanMs)) return;
		const again = () => {
			act();
			this.#scene.scheduler.after(this.#random.exponential(meanMs), again);
		};
		this.#scene.scheduler.after(this.#random.exponential(meanMs), again);
	}

	/** The scheduler's choice, by weight; hash schedulers do not look at it, and choose as well for this purpose. */
	#choose({ destinations }: Service): Destination | undefined {
		let at = this.#random.between(
			0,
			destinations.reduce((sum, { weight }) => sum + weight, 0),
		);
		for (const one of destinations) {
			at -= one.weight;
			if (at < 0) return one;
		}
		return undefined;
	}

	#client(service: Service, prefix: number): void {
		const { world, scheduler } = this.#scene;
		const destination = this.#choose(service);
		const server = destination && world.server(destination.address, destination.port);
		if (!server) return;
		const id = destinationId(service.address, destination);
		const meeting = world.clientMeets(server, prefix);
		if (isDead(server)) this.#scene.observer.met(id);
		const seen = this.#seen(meeting);
		if (seen)
			this.#tell(seen.afterMs, () => this.#attempt(service, destination, server, prefix, seen.outcome), { id, prefix });
		if (meeting.answer !== 'silent') return;
		scheduler.after(synRepeatMs, () => {
			if (world.clientMeets(server, prefix).answer !== 'silent' || this.#scene.plan.attempts === 'wire') return;
			this.#tell(0, () => this.#attempt(service, destination, server, prefix, 'synRepeated'), { id, prefix });
			if (server.condition === 'dead-host') this.#hostTells(id, server, prefix);
		});
	}

	/** What the kernel makes of the first SYN's fate. */
	#seen({ answer }: Meeting): { outcome: Outcome; afterMs: number } | undefined {
		if (answer !== 'refused') return undefined;
		const inDr = this.#scene.plan.services[0]?.destinations[0]?.forwarding === 'droute';
		return inDr ? { outcome: 'overdue', afterMs: overdueMs } : { outcome: 'refused', afterMs: 0 };
	}

	/** A dead host is missed by its router too, or by the director itself. */
	#hostTells(id: DestinationId, server: Server, prefix: number): void {
		if (!this.#random.chance(0.3)) return;
		const { address } = server;
		const told = () =>
			this.#random.chance(0.5) ? this.#unreachable(server, clientOf(prefix)) : neighbourFailed(address);
		this.#tell(neighbourFailedMs, told, { id, prefix });
	}

	#brokenClient(service: Service): void {
		const destination = this.#choose(service);
		const server = destination && this.#scene.world.server(destination.address, destination.port);
		if (!server) return;
		const outcome = this.#seen({ answer: 'refused', latencyMs: 0 })?.outcome ?? 'refused';
		this.#tell(0, () => this.#attempt(service, destination, server, 77, outcome), {
			id: destinationId(service.address, destination),
			prefix: 77,
			isTrue: false,
		});
	}

	#forge(service: Service): void {
		const random = this.#random;
		const destination = service.destinations[random.below(service.destinations.length || 1)];
		const server = destination && this.#scene.world.server(destination.address, destination.port);
		if (!server) return;
		const prefix = random.below(250);
		const event = random.pick<() => Told>([
			() => this.#attempt(service, destination, server, prefix, 'plausiblyRefused'),
			() => this.#attempt(service, destination, server, prefix, 'synRepeated'),
			() => this.#attempt(service, destination, server, prefix, 'overdue'),
			() => this.#attempt(service, destination, server, prefix, 'dataRepeated'),
			() => this.#unreachable(server, clientOf(prefix)),
			() => refusal(this.#nowUs(), server, clientOf(prefix)),
		])();
		this.#tell(0, () => event, { id: destinationId(service.address, destination), prefix: undefined, isTrue: false });
	}

	/** `make` is called when the kernel sees it, not when ipvigil hears of it. */
	#tell(
		afterMs: number,
		make: () => Told,
		{ id, prefix, isTrue = true }: { id: DestinationId; prefix: number | undefined; isTrue?: boolean },
	): void {
		const { scheduler, observer, plan } = this.#scene;
		scheduler.after(afterMs, () => {
			const testimony: Testimony = { destination: id, prefix, isTrue };
			const told = make();
			if (this.#random.chance(plan.events.lost)) return;
			const times = this.#random.chance(plan.events.duplicated) ? 2 : 1;
			for (let time = 0; time < times; time++) {
				const lateMs = this.#random.chance(plan.events.late)
					? this.#random.between(0, eventLateMs)
					: this.#random.between(0.02, 0.3);
				const { life } = this.#supervisor;
				life?.own(lateMs, () => {
					observer.testified(testimony);
					life.hear(told);
				});
			}
		});
	}

	#attempt(
		{ address: service }: Service,
		{ address, port }: Destination,
		server: Server,
		prefix: number,
		outcome: Outcome,
	): Told {
		const client = clientOf(prefix);
		if (this.#scene.plan.attempts === 'wire') return refusal(this.#nowUs(), server, client);
		const lastAcceptedNs = Math.max(server.lastAcceptedMs, 0) * 1_000_000;
		return {
			kind: 'outcome',
			atUs: this.#nowUs(),
			outcome,
			service,
			destination: { address, port },
			client,
			clientPort: 40_000,
			serverPort: port,
			suppressed: 0,
			waiting: outcome === 'overdue' ? 1 : 0,
			waitingUs: outcome === 'overdue' ? overdueMs * 1_000 : 0,
			counters: { ...noCounters, lastAcceptedNs },
		};
	}

	#unreachable({ address, port }: Server, client: string): Told {
		return {
			kind: 'unreachable',
			atUs: this.#nowUs(),
			endpoint: { protocol: 'tcp', family: 'inet', address, port },
			client,
			clientPort: 40_000,
			icmpType: 3,
			icmpCode: 1,
			reporter: '10.1.0.1',
			quotedSequence: 0,
			tunnel: 'none',
			sender: 'known',
			interfaceIndex: 2,
			suppressed: 0,
		};
	}

	#nowUs(): number {
		return this.#scene.scheduler.nowMs * 1_000;
	}
}

const noCounters = {
	scheduled: 0,
	accepted: 0,
	asked: 0,
	answered: 0,
	refused: 0,
	synRepeated: 0,
	unanswered: 0,
	dataRepeated: 0,
	resets: 0,
	gaveUp: 0,
	withdrawn: 0,
};

function clientOf(prefix: number): string {
	return `192.0.${prefix}.7`;
}

function neighbourFailed(address: string): Told {
	return { kind: 'neighbour-failed', address };
}

function refusal(atUs: number, { address, port }: Server, client: string): Told {
	return {
		kind: 'refusal',
		atUs,
		endpoint: { protocol: 'tcp', family: 'inet', address, port },
		client,
		clientPort: 40_000,
		interfaceIndex: 2,
		answersSyn: true,
		sender: 'known',
		suppressed: 0,
	};
}
