/**
 * Keeps the wire where the real servers are: which endpoints to watch follows from the table, which interfaces from
 * the routes to them, which addresses are our own from the kernel. It sees no event and decides nothing.
 */

import type { Logger } from 'pino';
import { type InterfaceState, openWire, type WireCapture } from '../capture/wire.js';
import type { KernelEvent } from '../decode/event.js';
import type { RouteClient } from '../netlink/route-client.js';
import { endpointId, endpointOf } from '../table/identity.js';
import type { Endpoint, Snapshot } from '../table/model.js';
import type { Config } from './config.js';
import { cannotWatch } from './errors.js';

export interface Vantage {
	/** Undefined where nothing is to be watched. */
	readonly wire: WireCapture | undefined;
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

/**
 * `attach: none` watches nothing: the rest of ipvigil goes on with what it hears otherwise.
 * @throws OperatorError where this kernel or these privileges do not load the wire's program.
 */
export function openVantage({ config, routes, log, onEvents }: VantageOptions): Vantage {
	const { attach } = config;
	if (attach === 'none') return { wire: undefined, follow: async () => {}, close: () => {} };
	const onError = (error: Error) => log.error({ err: error }, 'the wire events could not be read');
	// On no interface yet: one that is not there at start (a bond, a VLAN) may come later, and `follow` tries again.
	const wire = openWire({ attach, interfaces: [], onEvents, onError });
	if (!wire.available) throw cannotWatch(wire);
	const follower = new Follower(wire, config.interfaces, routes, log);
	return { wire, follow: (snapshot) => follower.follow(snapshot), close: () => follower.close() };
}

/** Link and address changes come in bursts (a bond that fails over, a VRRP master's VIPs): one look after each burst. */
const settleMs = 200;

/** What is needed of the wire and of the routes; WireCapture and RouteClient have it. */
export type Watch = Pick<WireCapture, 'interfaces' | 'setEndpoints' | 'setLocalAddresses' | 'setInterfaces' | 'close'>;
export type Ways = Pick<RouteClient, 'addresses' | 'links' | 'routeTo' | 'subscribe'>;

export class Follower {
	#hosts = '';
	/** How each interface was told of last: what stays as it is, is not told again. */
	#told = new Map<string, string>();
	#snapshot: Snapshot | undefined;
	#timer: NodeJS.Timeout | undefined;
	readonly #unsubscribe: () => void;

	constructor(
		private readonly wire: Watch,
		private readonly named: readonly string[],
		private readonly routes: Ways,
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
		try {
			this.#watch(endpoints);
			await this.#place(endpoints);
		} catch (error) {
			this.#hosts = '';
			this.log.error({ err: error }, 'not everything that should be watched is; trying again with the next snapshot');
		}
	}

	#watch(endpoints: readonly Endpoint[]): void {
		const { added, removed, refused } = this.wire.setEndpoints(endpoints);
		if (refused.length > 0)
			this.log.error({ refused: refused.length }, 'more endpoints than can be watched: these are not');
		if (added + removed > 0) this.log.info({ added, removed }, 'endpoints watched');
	}

	/** Routes and addresses are asked for again when the set of hosts changes; else only what failed is tried again. */
	async #place(endpoints: readonly Endpoint[]): Promise<void> {
		const hosts = [...new Set(endpoints.map(({ address }) => address))].sort();
		if (hosts.join() === this.#hosts) return this.#tryAgain();
		this.#hosts = hosts.join();
		this.wire.setLocalAddresses((await this.routes.addresses()).map(({ address }) => address));
		const names = this.named.length > 0 ? this.named : await this.#interfacesTowards(hosts);
		this.#tell(this.wire.setInterfaces(names));
	}

	#tryAgain(): void {
		const { interfaces } = this.wire;
		if (interfaces.every(({ attached }) => attached)) return;
		this.#tell(this.wire.setInterfaces(interfaces.map(({ interfaceName }) => interfaceName)));
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

	#tell(states: readonly InterfaceState[]): void {
		const before = this.#told;
		this.#told = new Map(states.map((state) => [state.interfaceName, JSON.stringify(state)]));
		for (const state of states)
			if (before.get(state.interfaceName) !== this.#told.get(state.interfaceName)) this.#tellOne(state);
	}

	#tellOne(state: InterfaceState): void {
		const { interfaceName } = state;
		if (state.attached) this.log.info({ interface: interfaceName, method: state.method }, 'watching an interface');
		else
			this.log.error(
				{ interface: interfaceName, reason: state.reason, remedy: state.remedy },
				'an interface cannot be watched: refusals there will not be seen; trying again with each snapshot',
			);
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
