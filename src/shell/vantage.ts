/**
 * Keeps the wire where the real servers are: which endpoints to watch follows from the table, which interfaces from
 * the routes to them, which addresses are our own from the kernel. It sees no event and decides nothing.
 */

import type { Logger } from 'pino';
import type { Unavailable } from '../capture/availability.js';
import { openWire, type WireCapture } from '../capture/wire.js';
import type { KernelEvent } from '../decode/event.js';
import type { RouteClient } from '../netlink/route-client.js';
import { endpointId, endpointOf } from '../table/identity.js';
import type { Endpoint, Snapshot } from '../table/model.js';
import type { Config } from './config.js';

export interface Vantage {
	readonly wire: WireCapture | Unavailable | undefined;
	/** Brings endpoints, addresses and interfaces up to the table. Never throws: what fails is told and tried again. */
	follow(snapshot: Snapshot): Promise<void>;
	close(): void;
}

export interface VantageOptions {
	config: Config;
	routes: RouteClient;
	log: Logger;
	onEvents: (events: KernelEvent[]) => void;
}

/** `attach: none` watches nothing: the rest of ipvigil goes on with what it hears otherwise. */
export function openVantage({ config, routes, log, onEvents }: VantageOptions): Vantage {
	const { attach } = config;
	if (attach === 'none') return { wire: undefined, follow: async () => {}, close: () => {} };
	const onError = (error: Error) => log.error({ err: error }, 'the wire events could not be read');
	const wire = openWire({ attach, interfaces: config.interfaces, onEvents, onError });
	if (!wire.available) {
		const { reason, remedy } = wire;
		log.error({ reason, remedy }, 'the wire cannot be watched: refusals will not be seen');
		return { wire, follow: async () => {}, close: () => {} };
	}
	const follower = new Follower(wire, config.interfaces, routes, log);
	return { wire, follow: (snapshot) => follower.follow(snapshot), close: () => follower.close() };
}

/** Link and address changes come in bursts (a bond that fails over, a VRRP master's VIPs): one look after each burst. */
const settleMs = 200;

class Follower {
	#hosts = '';
	#snapshot: Snapshot | undefined;
	#timer: NodeJS.Timeout | undefined;
	readonly #unsubscribe: () => void;

	constructor(
		private readonly wire: WireCapture,
		private readonly named: readonly string[],
		private readonly routes: RouteClient,
		private readonly log: Logger,
	) {
		const onChange = () => this.#changed();
		const onError = (error: Error) =>
			log.error(
				{ err: error },
				'link and address changes are not heard of any more; restart ipvigil after the next one',
			);
		this.#unsubscribe = routes.subscribe({
			onChange: ({ kind }) => kind !== 'neighbour' && onChange(),
			onLost: onChange,
			onError,
		});
	}

	close(): void {
		clearTimeout(this.#timer);
		this.#unsubscribe();
		this.wire.close();
	}

	/** An interface or an address of ours came, went or changed: routes and own addresses are looked at anew. */
	#changed(): void {
		this.#hosts = '';
		this.#timer ??= setTimeout(() => {
			this.#timer = undefined;
			if (this.#snapshot) void this.follow(this.#snapshot);
		}, settleMs);
	}

	async follow(snapshot: Snapshot): Promise<void> {
		this.#snapshot = snapshot;
		const endpoints = tcpEndpoints(snapshot);
		const { added, removed, refused } = this.wire.setEndpoints(endpoints);
		if (refused.length > 0)
			this.log.error({ refused: refused.length }, 'more endpoints than can be watched: these are not');
		if (added + removed > 0) this.log.info({ added, removed }, 'endpoints watched');
		try {
			await this.#place(endpoints);
		} catch (error) {
			this.#hosts = '';
			this.log.error({ err: error }, 'the interfaces to watch could not be found; trying again with the next snapshot');
		}
	}

	/** Routes and addresses are asked for again when the set of hosts changes. */
	async #place(endpoints: readonly Endpoint[]): Promise<void> {
		const hosts = [...new Set(endpoints.map(({ address }) => address))].sort();
		if (hosts.join() === this.#hosts) return;
		this.#hosts = hosts.join();
		this.wire.setLocalAddresses((await this.routes.addresses()).map(({ address }) => address));
		const names = this.named.length > 0 ? this.named : await this.#interfacesTowards(hosts);
		this.#tell(this.wire.setInterfaces(names));
	}

	async #interfacesTowards(hosts: readonly string[]): Promise<string[]> {
		const links = new Map((await this.routes.links()).map(({ index, name }) => [index, name]));
		const names = new Set<string>();
		for (const host of hosts) {
			const route = await this.routes.routeTo(host);
			const name = route && links.get(route.interfaceIndex);
			// A localnode's answers never pass a wire.
			if (name !== undefined && name !== 'lo') names.add(name);
		}
		return [...names].sort();
	}

	#tell(states: WireCapture['interfaces']): void {
		for (const state of states) {
			if (state.attached)
				this.log.info({ interface: state.interfaceName, method: state.method }, 'watching an interface');
			else
				this.log.error(
					{ interface: state.interfaceName, reason: state.reason, remedy: state.remedy },
					'an interface cannot be watched: refusals there will not be seen',
				);
		}
	}
}

/** Every TCP endpoint behind the table's destinations, once. */
function tcpEndpoints(snapshot: Snapshot): Endpoint[] {
	const endpoints = new Map<string, Endpoint>();
	for (const service of snapshot.services)
		for (const destination of service.destinations) {
			const endpoint = endpointOf(service, destination);
			if (endpoint?.protocol === 'tcp') endpoints.set(endpointId(endpoint), endpoint);
		}
	return [...endpoints.values()];
}
