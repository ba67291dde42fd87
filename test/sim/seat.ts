/**
 * How one life of ipvigil reaches the table: questions and answers with the delays and losses of a netlink socket. What
 * was handed to the kernel is done even where the answer never comes; who dies before handing it over has done nothing.
 */
import type { TableWriter } from '../../src/remedy/weights.js';
import { type ServiceId, serviceId } from '../../src/table/identity.js';
import type { Destination, Service, ServiceAddress, Snapshot } from '../../src/table/model.js';
import type { Random } from '../support/random.js';
import type { Ipvs } from './ipvs.js';
import type { Plan } from './plan.js';

/** Acts after a delay in the life's own time: later where it stands still, never where it has died. */
export type Own = (delayMs: number, act: () => void) => void;

export interface SeatParts {
	table: Ipvs;
	plan: Plan;
	random: Random;
	own: Own;
	nowMs: () => number;
	/** Before anything is handed to the kernel; throws where the life ends here. */
	effect: () => void;
	pid: number;
}

/** After which the client gives a reply up (netlink/client.ts waits for as long as it is told; this is short). */
const replyLostMs = 1_000;

export class TableSeat implements TableWriter {
	readonly #parts: SeatParts;
	readonly #readMs = new Map<ServiceId, number>();

	constructor(parts: SeatParts) {
		this.#parts = parts;
	}

	async service(address: ServiceAddress): Promise<Service | undefined> {
		const { plan, random } = this.#parts;
		const dump = await this.#ask(() => this.#dump(address));
		if (random.chance(plan.netlink.failing)) throw new Error('ENOBUFS');
		return dump();
	}

	/** Service after service, each at its own instant. */
	async snapshot(): Promise<Snapshot> {
		const { table } = this.#parts;
		const services: Service[] = [];
		for (const { address } of table.services) {
			const service = await this.service(address);
			if (service) services.push(service);
		}
		return { services };
	}

	async setDestination(service: ServiceAddress, destination: Destination): Promise<'done' | 'gone'> {
		const { table, plan, random, pid } = this.#parts;
		const readMs = this.#readMs.get(serviceId(service)) ?? Number.NEGATIVE_INFINITY;
		const refused = random.chance(plan.netlink.failing);
		const lost = random.chance(plan.netlink.lostReply);
		const done = await this.#ask(() => {
			this.#parts.effect();
			return !refused && table.edit(service, destination, { pid, comm: 'ipvigil', readMs });
		});
		this.#parts.effect();
		if (lost) {
			await this.#ask(() => undefined, replyLostMs);
			throw new Error('the reply was lost');
		}
		if (refused) throw new Error('ENOMEM');
		return done ? 'done' : 'gone';
	}

	/** What the dump began with; the answer looks again, and may have lost an entry to whoever wrote meanwhile. */
	#dump(address: ServiceAddress): () => Service | undefined {
		const { table, plan, random, nowMs } = this.#parts;
		const began = table.moves;
		this.#readMs.set(serviceId(address), nowMs());
		const first = copy(table.service(address));
		return () => {
			if (!first || table.moves === began) return first;
			const torn = random.chance(plan.netlink.torn);
			if (torn) first.destinations.splice(random.below(first.destinations.length || 1), 1);
			return first;
		};
	}

	/** Half a millisecond there, as much back: in between somebody else may write. */
	#ask<T>(act: () => T, delayMs = this.#parts.random.between(0.01, 0.5)): Promise<T> {
		const { own, random } = this.#parts;
		return new Promise((resolve, reject) => {
			own(delayMs, () => {
				let value: T;
				try {
					value = act();
				} catch (error) {
					return reject(error);
				}
				own(random.between(0.01, 0.5), () => resolve(value));
			});
		});
	}
}

function copy(service: Service | undefined): Service | undefined {
	return service && { ...service, destinations: service.destinations.map((one) => ({ ...one })) };
}
