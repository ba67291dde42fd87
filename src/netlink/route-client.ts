/**
 * The director's links, addresses, neighbours and routes: asked once, then listened to. `capture/` learns from it where
 * the real servers are, the judge whether the director's own network is well. It changes nothing.
 */
import { canonicalAddress, familyOf } from '../table/address.js';
import type { Family } from '../table/model.js';
import { type ClientOptions, NetlinkClient } from './client.js';
import { NetlinkError } from './errors.js';
import { readMessages } from './message.js';
import {
	getAddresses,
	getLink,
	getLinks,
	getNeighbours,
	type InterfaceAddress,
	type Link,
	type Neighbour,
	type RouteChange,
	readAddress,
	readChange,
	readLink,
	readNeighbour,
	routeGroup,
	routeType,
} from './route.js';
import { getRoute, type Route, readRoute } from './route-lookup.js';
import { netlinkProtocol, openKernelSocket } from './socket.js';

export interface ChangeHandlers {
	onChange: (change: RouteChange) => void;
	/** Notifications were lost (ENOBUFS, EMSGSIZE): what is known may be stale, ask again. */
	onLost: () => void;
	/** The socket is dead; no more will come. */
	onError: (error: NodeJS.ErrnoException) => void;
}

export type RouteGroup = keyof typeof routeGroup;
const everyGroup = Object.keys(routeGroup) as RouteGroup[];

const families: Family[] = ['inet', 'inet6'];

/** No way there: an answer, not an error of ours. */
const noRouteCodes = new Set(['ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN']);

const lossCodes = new Set(['ENOBUFS', 'EMSGSIZE']);

export class RouteClient {
	readonly #client: NetlinkClient;
	readonly #options: ClientOptions;

	constructor(options: ClientOptions = {}) {
		this.#options = options;
		this.#client = new NetlinkClient(netlinkProtocol.route, options);
	}

	links(): Promise<Link[]> {
		return this.#client.request({
			name: 'RTM_GETLINK',
			type: routeType.getLink,
			kind: 'dump',
			body: getLinks(),
			read: readLink,
		});
	}

	/** Rejects with ENODEV where there is no such interface. */
	async link(index: number): Promise<Link | undefined> {
		const [link] = await this.#client.request({
			name: `RTM_GETLINK ${index}`,
			type: routeType.getLink,
			kind: 'get',
			body: getLink(index),
			read: readLink,
		});
		return link;
	}

	async addresses(): Promise<InterfaceAddress[]> {
		const request = { name: 'RTM_GETADDR', type: routeType.getAddress, kind: 'dump', read: readAddress } as const;
		const answers = families.map((family) => this.#client.request({ ...request, body: getAddresses(family) }));
		return (await Promise.all(answers)).flat();
	}

	async neighbours(): Promise<Neighbour[]> {
		const request = { name: 'RTM_GETNEIGH', type: routeType.getNeighbour, kind: 'dump', read: readNeighbour } as const;
		const answers = families.map((family) => this.#client.request({ ...request, body: getNeighbours(family) }));
		return (await Promise.all(answers)).flat();
	}

	/** The kernel's own choice for one address; undefined where there is no way. */
	async routeTo(text: string): Promise<Route | undefined> {
		const address = canonicalAddress(text);
		if (address === undefined) throw new TypeError(`"${text}" is no address`);
		const request = {
			name: `RTM_GETROUTE ${address}`,
			type: routeType.getRoute,
			kind: 'get',
			read: readRoute,
		} as const;
		try {
			const [route] = await this.#client.request({ ...request, body: getRoute(familyOf(address), address) });
			return route;
		} catch (error) {
			if (error instanceof NetlinkError && noRouteCodes.has(error.code)) return undefined;
			throw error;
		}
	}

	/**
	 * Listens on a socket of its own, so that a flood of changes cannot hide an answer. Ends by the returned function.
	 * On a LAN with thousands of hosts the group of neighbours alone is busy: who does not need it leaves it out.
	 */
	subscribe({ onChange, onLost, onError }: ChangeHandlers, groups: readonly RouteGroup[] = everyGroup): () => void {
		const open = this.#options.openSocket ?? openKernelSocket;
		const numbers = groups.map((group) => routeGroup[group]);
		const socket = open(netlinkProtocol.route, numbers, {
			onBatch: (datagrams) => {
				for (const datagram of datagrams) for (const change of readChanges(datagram)) onChange(change);
			},
			onError: (error) => (lossCodes.has(error.code ?? '') ? onLost() : onError(error)),
		});
		return () => socket.close();
	}

	close(): void {
		this.#client.close();
	}
}

function readChanges(datagram: Uint8Array): RouteChange[] {
	return readMessages(datagram)
		.messages.map(readChange)
		.filter((change) => change !== undefined);
}
