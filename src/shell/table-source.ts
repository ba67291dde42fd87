/**
 * Where commands and the daemon get the table from: the kernel by netlink, or a file of ipvsadm rules. One service
 * costs one request of the kernel; the whole table is read only where nothing less was asked for.
 */
import { ipvsInstance } from '../capture/module.js';
import { NetlinkError } from '../netlink/errors.js';
import { IpvsClient } from '../netlink/ipvs-client.js';
import type { TableWriter } from '../remedy/weights.js';
import { serviceId } from '../table/identity.js';
import type { Service, ServiceAddress, Snapshot } from '../table/model.js';
import { parseRules } from '../table/rules.js';
import type { Config } from './config.js';
import { OperatorError } from './errors.js';
import { readTextFile } from './text-file.js';

/** `services` empty: all of them. `rules` undefined: the kernel's table. A named service that is not there is an error. */
export async function readTable(services: readonly ServiceAddress[], rules: string | undefined): Promise<Snapshot> {
	if (rules !== undefined) return selectFrom(readRules(rules), services);
	if (ipvsInstance() === undefined) throw noIpvs();
	const client = await IpvsClient.open();
	try {
		return services.length === 0 ? await client.snapshot() : await askFor(client, services);
	} finally {
		client.close();
	}
}

async function askFor(client: IpvsClient, addresses: readonly ServiceAddress[]): Promise<Snapshot> {
	const services: Service[] = [];
	for (const address of addresses) services.push((await client.service(address)) ?? notFound(address));
	return { services };
}

/** The table as the daemon uses it: read whole, one service at a time, and its weights written. */
export interface TableAccess extends TableWriter {
	snapshot(): Promise<Snapshot>;
	/** Services and destinations of the last reading that were left out, because they could not be understood. */
	readonly unreadable: number;
	close(): void;
}

/**
 * The kernel's table, or a file of rules, which is read anew each time and is never written. Where IPVS is not there yet,
 * a daemon waits for it, and whoever wants an answer now is refused.
 */
export async function openTable(config: Config, withoutIpvs: 'wait' | 'refuse'): Promise<TableAccess> {
	if (!config.table && withoutIpvs === 'refuse' && ipvsInstance() === undefined) throw noIpvs();
	if (!config.table) return KernelTable.open();
	if (config.mode === 'assist')
		throw new OperatorError(
			'usage',
			'Mode assist writes weights, and a file of rules has none to write.',
			"Choose mode observe or notify, or leave table.rules out to use the kernel's table.",
		);
	return rulesTable(config.table.rules);
}

/**
 * The kernel's table, and an empty one for as long as there is no IPVS: no module, no service. Asking the kernel for it
 * would load the module, so presence is looked up first, each time.
 */
export class KernelTable implements TableAccess {
	#client: IpvsClient | undefined;

	private constructor(private readonly instance: () => number | undefined) {}

	/** Fails where there is IPVS and we are not let in; where there is none, that is found out when it comes. */
	static async open(instance: () => number | undefined = ipvsInstance): Promise<KernelTable> {
		const table = new KernelTable(instance);
		await table.#connect();
		return table;
	}

	get unreadable(): number {
		return this.#client?.unreadable ?? 0;
	}

	async snapshot(): Promise<Snapshot> {
		return this.#ask({ services: [] }, (client) => client.snapshot());
	}

	async service(address: ServiceAddress): Promise<Service | undefined> {
		return this.#ask(undefined, (client) => client.service(address));
	}

	async setDestination(...[service, destination]: Parameters<TableWriter['setDestination']>): Promise<'done' | 'gone'> {
		return this.#ask('gone', (client) => client.setDestination(service, destination));
	}

	close(): void {
		this.#client?.close();
		this.#client = undefined;
	}

	async #ask<T>(withoutIpvs: T, ask: (client: IpvsClient) => Promise<T>): Promise<T> {
		const client = await this.#connect();
		try {
			return client === undefined ? withoutIpvs : await ask(client);
		} catch (error) {
			if (isMissing(error)) return withoutIpvs;
			throw error;
		}
	}

	/** Undefined where there is no IPVS; the module may go between the look and the question. */
	async #connect(): Promise<IpvsClient | undefined> {
		if (this.instance() === undefined) return undefined;
		try {
			this.#client ??= await IpvsClient.open();
			return this.#client;
		} catch (error) {
			if (isMissing(error)) return undefined;
			throw error;
		}
	}
}

function isMissing(error: unknown): boolean {
	return error instanceof NetlinkError && error.code === 'IPVS_MISSING';
}

function rulesTable(file: string): TableAccess {
	const service = (address: ServiceAddress) =>
		readRules(file).services.find((one) => serviceId(one.address) === serviceId(address));
	return {
		unreadable: 0,
		snapshot: async () => readRules(file),
		service: async (address) => service(address),
		setDestination: async () => {
			throw new OperatorError('failure', `${file} is a file of rules; a weight is never written to it.`);
		},
		close: () => {},
	};
}

/** Reads a file of rules. A wrong line is a `usage` error that says where, what was found and what was expected. */
export function readRules(file: string): Snapshot {
	const result = parseRules(readTextFile(file, 'rules', 'Name a readable file of ipvsadm rules.'));
	if (result.ok) return result.snapshot;
	throw new OperatorError(
		'usage',
		`${file}:${result.line}: found ${result.found}, expected ${result.expected}`,
		'The format is that of: ipvsadm -S -n',
	);
}

function selectFrom(snapshot: Snapshot, addresses: readonly ServiceAddress[]): Snapshot {
	if (addresses.length === 0) return snapshot;
	const byId = new Map(snapshot.services.map((service) => [serviceId(service.address), service]));
	return { services: addresses.map((address) => byId.get(serviceId(address)) ?? notFound(address)) };
}

function noIpvs(): OperatorError {
	return new OperatorError('no-ipvs', 'The module ip_vs is not loaded: modprobe ip_vs');
}

function notFound(address: ServiceAddress): never {
	throw new OperatorError('not-found', `The service ${serviceId(address)} is not in the table.`);
}
