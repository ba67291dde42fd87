/**
 * A model of the kernel's table: edits that replace every attribute, writes of the same value that are writes all the
 * same, dumps that are no instant's truth, replies that fail or are lost; and the audit hook's two memories, the ring
 * (which may lose records) and the last writer of each destination (which does not). Who reads or writes has a seat at
 * it (`TableSeat`), whose patience is its own.
 */
import { type DestinationId, destinationId, serviceId } from '../../src/table/identity.js';
import type { Destination, Service, ServiceAddress } from '../../src/table/model.js';

export interface Write {
	atMs: number;
	service: ServiceAddress;
	id: DestinationId;
	operation: 'add' | 'edit' | 'delete';
	before: Destination | undefined;
	after: Destination | undefined;
	pid: number;
	comm: string;
	/** When the writer had last read this service. */
	readMs: number;
}

export class Ipvs {
	readonly services: Service[];
	/** The audit's map: the last write of each destination. */
	readonly last = new Map<DestinationId, Write>();
	/** How often the list of destinations moved: a dump during which it does may be torn. */
	moves = 0;
	readonly #nowMs: () => number;
	readonly #onWrite: (write: Write) => void;

	constructor(services: Service[], nowMs: () => number, onWrite: (write: Write) => void) {
		this.services = services.map((service) => ({
			...service,
			destinations: service.destinations.map((one) => ({ ...one })),
		}));
		this.#nowMs = nowMs;
		this.#onWrite = onWrite;
	}

	service(address: ServiceAddress): Service | undefined {
		const id = serviceId(address);
		return this.services.find((one) => serviceId(one.address) === id);
	}

	destination(address: ServiceAddress, server: Pick<Destination, 'address' | 'port'>): Destination | undefined {
		return find(this.service(address), server);
	}

	/** SET_DEST; false where there is no such destination (ENOENT). */
	edit(address: ServiceAddress, to: Destination, writer: Pick<Write, 'pid' | 'comm' | 'readMs'>): boolean {
		const service = this.service(address);
		const before = find(service, to);
		if (!service || !before) return false;
		const after = { ...to };
		service.destinations[service.destinations.indexOf(before)] = after;
		this.#note(address, 'edit', before, after, writer);
		return true;
	}

	/** NEW_DEST; the new one comes first, as the kernel's list has it. */
	add(address: ServiceAddress, added: Destination, writer: Pick<Write, 'pid' | 'comm' | 'readMs'>): void {
		const service = this.service(address);
		if (!service || find(service, added)) return;
		const after = { ...added };
		service.destinations.unshift(after);
		this.#note(address, 'add', undefined, after, writer);
	}

	delete(
		address: ServiceAddress,
		server: Pick<Destination, 'address' | 'port'>,
		writer: Pick<Write, 'pid' | 'comm' | 'readMs'>,
	): void {
		const service = this.service(address);
		const before = find(service, server);
		if (!service || !before) return;
		service.destinations.splice(service.destinations.indexOf(before), 1);
		this.#note(address, 'delete', before, undefined, writer);
	}

	#note(
		service: ServiceAddress,
		operation: Write['operation'],
		before: Destination | undefined,
		after: Destination | undefined,
		{ pid, comm, readMs }: Pick<Write, 'pid' | 'comm' | 'readMs'>,
	): void {
		const named = (after ?? before) as Destination;
		const id = destinationId(service, named);
		const write: Write = { atMs: this.#nowMs(), service, id, operation, before, after, pid, comm, readMs };
		if (operation !== 'edit') this.moves += 1;
		this.#onWrite(write);
		this.last.set(id, write);
	}
}

function find(service: Service | undefined, { address, port }: Pick<Destination, 'address' | 'port'>) {
	return service?.destinations.find((one) => one.address === address && one.port === port);
}

/** IP_VS_SVC_F_SCHED_SH_FALLBACK, and the same bit for mh (uapi/linux/ip_vs.h). */
const fallbackFlag = 0x8;

/** Schedulers that go on choosing a destination of weight 0 (ip_vs_dh.c, ip_vs_sh.c, ip_vs_mh.c) and refuse its clients. */
export function choosesWeightZero({ scheduler, flags }: Service): boolean {
	return scheduler === 'dh' || ((scheduler === 'sh' || scheduler === 'mh') && !(flags & fallbackFlag));
}
