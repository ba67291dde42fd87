/**
 * Keeps the wire where the real servers are: which endpoints to watch follows from the table, which interfaces from
 * the routes to them, which addresses are our own from the kernel. It sees no event and decides nothing.
 */

import type { Logger } from 'pino';
import type { AttachPolicy } from '../capture/attach.js';
import { attachable } from '../capture/layers.js';
import type { EventSink } from '../capture/stream.js';
import { type InterfaceState, openWire, type WireCapture } from '../capture/wire.js';
import type { KernelEvent } from '../decode/event.js';
import type { Link } from '../netlink/route.js';
import type { RouteClient } from '../netlink/route-client.js';
import { sendersOf, type Way } from '../netlink/senders.js';
import { endpointId, endpointOf } from '../table/identity.js';
import type { Endpoint, Snapshot } from '../table/model.js';
import type { Config } from './config.js';
import { cannotWatch } from './errors.js';
import { Paced } from './paced.js';

export interface Vantage {
	/** Undefined where nothing is to be watched. */
	readonly wire: WireCapture | undefined;
	/** Brings endpoints, addresses and interfaces up to the table. Never throws: what fails is told and tried again. */
	follow(snapshot: Snapshot): Promise<void>;
	/** Routes lead elsewhere: interfaces and senders are looked for anew. */
	reroute(): void;
	close(): void;
}

export interface VantageOptions {
	config: Config;
	routes: RouteClient;
	log: Logger;
	onEvents: (events: KernelEvent[]) => void;
	onBatch: EventSink['onBatch'];
}

/**
 * `attach: none` watches nothing: the rest of ipvigil goes on with what it hears otherwise.
 * @throws OperatorError where this kernel or these privileges do not load the wire's program.
 */
export function openVantage({ config, routes, log, onEvents, onBatch }: VantageOptions): Vantage {
	const { attach } = config;
	if (attach === 'none') return { wire: undefined, follow: async () => {}, reroute: () => {}, close: () => {} };
	const onError = (error: Error) => log.error({ err: error }, 'the wire events could not be read');
	// On no interface yet: one that is not there at start (a bond, a VLAN) may come later, and `follow` tries again.
	const { destinations: endpointsMax, hosts: hostsMax, ringBytes } = config.limits;
	const wire = openWire({ attach, interfaces: [], endpointsMax, hostsMax, ringBytes, onEvents, onBatch, onError });
	if (!wire.available) throw cannotWatch(wire);
	const follower = new Follower({ wire, named: config.interfaces, policy: attach, routes, log });
	return {
		wire,
		follow: (snapshot) => follower.follow(snapshot),
		reroute: () => follower.reroute(),
		close: () => follower.close(),
	};
}

/** Link and address changes come in bursts (a bond that fails over, a VRRP master's VIPs): one look after each burst. */
const settleMs = 200;

/** What is needed of the wire and of the routes; WireCapture and RouteClient have it. */
export type Watch = Pick<
	WireCapture,
	'interfaces' | 'setEndpoints' | 'setTunnelPorts' | 'setSenders' | 'setLocalAddresses' | 'setInterfaces' | 'close'
>;
export type Ways = Pick<RouteClient, 'addresses' | 'links' | 'neighbours' | 'routeTo' | 'subscribe'>;

export interface FollowerParts {
	wire: Watch;
	/** Interfaces that the operator named; none: found from the routes. */
	named: readonly string[];
	policy: AttachPolicy;
	routes: Ways;
	log: Logger;
}

export class Follower {
	/** The hosts whose ways are known, as text; empty: they are to be asked for. */
	#hosts = '';
	/** Something has changed since: the ways are asked for again, in the time that there is for it. */
	#stale = false;
	#ways: readonly Way[] = [];
	/** Whose neighbour entries tell from where packets may come: the hosts, or the routers to them. */
	#nextHops: ReadonlySet<string> = new Set();
	/** How each interface was told of last: what stays as it is, is not told again. */
	#told = new Map<string, string>();
	#snapshot: Snapshot | undefined;
	/** One after the other: a look that is overtaken by a later one must not have the last word. */
	#looks: Promise<void> = Promise.resolve();
	readonly #refollow = new Paced(() => this.#lookNext(true), settleMs);
	readonly #unsubscribe: () => void;

	constructor(private readonly parts: FollowerParts) {
		const { routes, log } = parts;
		const onChange = () => this.reroute();
		const onError = (error: Error) =>
			log.error(
				{ err: error },
				'link and address changes are not heard of any more; restart ipvigil after the next one',
			);
		this.#unsubscribe = routes.subscribe({
			onChange: (change) => {
				if (change.kind !== 'neighbour') onChange();
				else if (this.#nextHops.has(change.neighbour.address)) this.#refollow.want();
			},
			onLost: onChange,
			onError,
		});
	}

	close(): void {
		this.#refollow.close();
		this.#unsubscribe();
		this.parts.wire.close();
	}

	/** An interface, address or route of ours came, went or changed: routes and own addresses are looked at anew. */
	reroute(): void {
		this.#stale = true;
		this.#refollow.want();
	}

	follow(snapshot: Snapshot): Promise<void> {
		this.#snapshot = snapshot;
		return this.#lookNext(false);
	}

	#lookNext(again: boolean): Promise<void> {
		this.#looks = this.#looks.then(() => this.#look(again));
		return this.#looks;
	}

	/** @param again In its turn to ask anew for what is stale; a neighbour's MAC address may have changed, too. */
	async #look(again: boolean): Promise<void> {
		if (!this.#snapshot) return;
		const watched = watchedOf(this.#snapshot);
		try {
			this.#watch(watched);
			const asked = await this.#place(watched.hosts, again && this.#stale);
			if (asked || again) await this.#admit();
		} catch (error) {
			this.#hosts = '';
			this.parts.log.error(
				{ err: error },
				'not everything that should be watched is; trying again with the next snapshot',
			);
		}
	}

	#watch({ endpoints, hosts, tunnelPorts }: Watched): void {
		const { wire, log } = this.parts;
		wire.setTunnelPorts(tunnelPorts);
		const { added, removed, refused } = wire.setEndpoints(endpoints, hosts);
		if (refused.length > 0) log.error({ refused: refused.length }, 'more endpoints than can be watched: these are not');
		if (added + removed > 0) log.info({ added, removed }, 'endpoints watched');
	}

	/** Routes and addresses are asked for again where that is due or the hosts are others (true); else interfaces are looked after. */
	async #place(hosts: readonly string[], due: boolean): Promise<boolean> {
		const { wire, routes } = this.parts;
		if (hosts.join() === this.#hosts && !due) {
			this.#tell(wire.setInterfaces(wire.interfaces.map(({ interfaceName }) => interfaceName)));
			return false;
		}
		this.#hosts = hosts.join();
		this.#stale = false;
		wire.setLocalAddresses((await routes.addresses()).map(({ address }) => address));
		const links = await routes.links();
		await this.#findWays(hosts);
		this.#tell(wire.setInterfaces(attachable(this.#interfaces(links), links, this.parts.policy)));
		return true;
	}

	async #findWays(hosts: readonly string[]): Promise<void> {
		const ways: Way[] = [];
		for (const address of hosts) ways.push({ address, route: await this.parts.routes.routeTo(address) });
		this.#ways = ways;
		this.#nextHops = new Set(ways.map(({ address, route }) => route?.gateway ?? address));
	}

	/** Those that the operator named, else those that routes lead over; a localnode's answers never pass a wire. */
	#interfaces(links: readonly Pick<Link, 'index' | 'name'>[]): readonly string[] {
		if (this.parts.named.length > 0) return this.parts.named;
		const names = new Map(links.map(({ index, name }) => [index, name]));
		const towards = this.#ways.flatMap(({ route }) => (route && names.get(route.interfaceIndex)) ?? []);
		return [...new Set(towards)].filter((name) => name !== 'lo').sort();
	}

	/** From where each host's packets may come, as the neighbour table has it now. */
	async #admit(): Promise<void> {
		const { wire, routes, log } = this.parts;
		const unchecked = wire.setSenders(sendersOf(this.#ways, await routes.neighbours()));
		if (unchecked.length > 0)
			log.warn({ hosts: unchecked.length }, 'hosts with more MAC addresses than can be listed: theirs are not checked');
	}

	#tell(states: readonly InterfaceState[]): void {
		const before = this.#told;
		this.#told = new Map(states.map((state) => [state.interfaceName, JSON.stringify(state)]));
		for (const state of states)
			if (before.get(state.interfaceName) !== this.#told.get(state.interfaceName)) this.#tellOne(state);
	}

	#tellOne(state: InterfaceState): void {
		const { interfaceName } = state;
		const { log } = this.parts;
		if (state.attached && state.times > 1)
			log.warn(
				{ interface: interfaceName, method: state.method, times: state.times },
				'watching an interface again: it was made anew, or somebody had taken our program off it',
			);
		else if (state.attached) log.info({ interface: interfaceName, method: state.method }, 'watching an interface');
		else
			log.error(
				{ interface: interfaceName, reason: state.reason, remedy: state.remedy },
				'an interface cannot be watched: refusals there will not be seen; trying again with each snapshot',
			);
	}
}

/** What the table has to be watched: each endpoint and each host once, and the UDP ports that tunnels go to. */
interface Watched {
	endpoints: Endpoint[];
	/** All hosts, those included of which the table names no endpoint. */
	hosts: string[];
	tunnelPorts: number[];
}

function watchedOf({ services }: Snapshot): Watched {
	const endpoints = new Map<string, Endpoint>();
	const hosts = new Set<string>();
	const tunnelPorts = new Set<number>();
	for (const service of services)
		for (const destination of service.destinations) {
			const endpoint = endpointOf(service, destination);
			if (endpoint) endpoints.set(endpointId(endpoint), endpoint);
			hosts.add(destination.address);
			const { forwarding, tunnel } = destination;
			if (forwarding === 'tunnel' && tunnel.type === 'gue') tunnelPorts.add(tunnel.port);
		}
	return { endpoints: [...endpoints.values()], hosts: [...hosts].sort(), tunnelPorts: [...tunnelPorts] };
}
