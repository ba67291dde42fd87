/**
 * The kernel's IPVS table: read whole or service by service, and the one write that ipvigil makes. It hands the codecs'
 * bytes to the netlink client and says what the kernel's refusals mean; whether to write is decided far above.
 */
import { destinationId, hostPort, serviceId } from '../table/identity.js';
import type { Destination, Service, ServiceAddress, Snapshot } from '../table/model.js';
import { type ClientOptions, NetlinkClient, type Request } from './client.js';
import { NetlinkError } from './errors.js';
import { controllerType, getFamily, readFamily } from './generic.js';
import { getDestinations, getInfo, getService, getServices, setDestination } from './ipvs.js';
import { type IpvsInfo, readDestination, readInfo, readService } from './ipvs-answer.js';
import { ipvsFamily } from './ipvs-numbers.js';
import { netlinkProtocol } from './socket.js';

export class IpvsClient {
	readonly #client: NetlinkClient;
	#familyId: number;

	private constructor(client: NetlinkClient, familyId: number) {
		this.#client = client;
		this.#familyId = familyId;
	}

	/** Rejects with IPVS_MISSING where there is no IPVS, with IPVS_DENIED where we may not speak to it. */
	static async open(options: ClientOptions = {}): Promise<IpvsClient> {
		const client = new NetlinkClient(netlinkProtocol.generic, options);
		try {
			const ipvs = new IpvsClient(client, await findFamily(client));
			// Everybody may ask for the family's number; the first real command tells whether we are let in.
			await ipvs.info();
			return ipvs;
		} catch (error) {
			client.close();
			throw error;
		}
	}

	/** Entries that could not be read and are missing from the snapshots. */
	get unreadable(): number {
		return this.#client.unreadable;
	}

	async info(): Promise<IpvsInfo> {
		const answers = await this.#ask({ name: 'IPVS GET_INFO', kind: 'get', body: getInfo(), read: readInfo });
		return only(answers);
	}

	/**
	 * The whole table. It is not atomic: the kernel locks it for one datagram at a time, so what changes meanwhile may be
	 * missing or be seen in either state. A service that goes between the two dumps stays, without destinations.
	 */
	async snapshot(): Promise<Snapshot> {
		const request = { name: 'IPVS GET_SERVICE', kind: 'dump', body: getServices(), read: readService } as const;
		const services = firstOfEach(await this.#ask(request), (service) => serviceId(service.address));
		// One after the other, so that an urgent write waits for one service's dump and not for a thousand.
		for (const service of services) service.destinations = await this.#destinations(service.address);
		return { services };
	}

	/** One service with its destinations, or undefined where there is none: two requests, whatever the table's size. */
	async service(address: ServiceAddress): Promise<Service | undefined> {
		const request = {
			name: `IPVS GET_SERVICE ${serviceId(address)}`,
			kind: 'get',
			body: getService(address),
			read: readService,
		} as const;
		try {
			const service = only(await this.#ask(request));
			service.destinations = await this.#destinations(service.address);
			return service;
		} catch (error) {
			if (isGone(error)) return undefined;
			throw error;
		}
	}

	/**
	 * Writes every attribute of an existing destination. 'gone': the service or the destination does not exist, and
	 * nothing was written. A rejection with ETIMEDOUT or ENOBUFS leaves open whether it was.
	 */
	async setDestination(service: ServiceAddress, destination: Destination): Promise<'done' | 'gone'> {
		const name = `IPVS SET_DEST ${destinationId(service, destination)}`;
		try {
			await this.#ask({ name, kind: 'write', body: setDestination(service, destination), read: () => undefined });
			return 'done';
		} catch (error) {
			if (isGone(error)) return 'gone';
			throw error;
		}
	}

	close(): void {
		this.#client.close();
	}

	async #destinations(address: ServiceAddress): Promise<Destination[]> {
		const name = 'IPVS GET_DEST';
		const read: Request<Destination>['read'] = (message) => readDestination(message, address.family);
		const destinations = await this.#ask({ name, kind: 'dump', body: getDestinations(address), read });
		return firstOfEach(destinations, (destination) => hostPort(destination.address, destination.port));
	}

	/**
	 * A dump has no entry that could be missing: ENOENT then means that the family itself is gone. The module was unloaded,
	 * and perhaps loaded again under another number, so that is looked up once more.
	 */
	async #ask<T>(request: Omit<Request<T>, 'type'>): Promise<T[]> {
		try {
			return await this.#client.request({ ...request, type: this.#familyId });
		} catch (error) {
			if (!(error instanceof NetlinkError)) throw error;
			if (error.code === 'EPERM') throw new NetlinkError('IPVS_DENIED', error.errno, request.name);
			if (error.code !== 'ENOENT' || request.kind === 'write') throw error;
			this.#familyId = await findFamily(this.#client);
			return await this.#client.request({ ...request, type: this.#familyId });
		}
	}
}

async function findFamily(client: NetlinkClient): Promise<number> {
	const name = 'looking for the netlink family IPVS';
	try {
		const answers = await client.request({
			name,
			type: controllerType,
			kind: 'get',
			body: getFamily(ipvsFamily.name),
			read: readFamily,
		});
		return only(answers).id;
	} catch (error) {
		if (error instanceof NetlinkError && error.code === 'ENOENT')
			throw new NetlinkError('IPVS_MISSING', error.errno, name);
		throw error;
	}
}

/** ESRCH: no such service; ENOENT: no such destination, or no IPVS any more (ip_vs_genl_set_cmd, genl_rcv_msg). */
function isGone(error: unknown): boolean {
	return error instanceof NetlinkError && (error.code === 'ESRCH' || error.code === 'ENOENT');
}

/** A `get` that resolves has exactly one answer: the client sees to it. */
function only<T>(answers: readonly T[]): T {
	const [answer] = answers;
	if (answer === undefined || answers.length !== 1)
		throw new RangeError(`${answers.length} answers to a request for one`);
	return answer;
}

/** A dump that is overtaken by an addition may bring an entry twice; the first is kept. */
function firstOfEach<T>(entries: T[], name: (entry: T) => string): T[] {
	const seen = new Set<string>();
	for (const entry of entries) seen.add(name(entry));
	if (seen.size === entries.length) return entries;
	seen.clear();
	return entries.filter((entry) => !seen.has(name(entry)) && seen.add(name(entry)));
}
