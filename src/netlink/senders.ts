/**
 * From which MAC addresses a host's packets may come, by routes and neighbours: the host's own where it is on the link,
 * else the router's that leads to it. What else may be there (the second router of a pair, the ports of a bond in
 * balance-alb) the neighbour table does not know; the kernel's part learns it from accepted connections. PURE.
 */
import type { Neighbour } from './route.js';
import type { Route } from './route-lookup.js';

/** A host, and the kernel's choice of a way to it; undefined where there is none. */
export interface Way {
	address: string;
	route: Pick<Route, 'interfaceIndex' | 'gateway'> | undefined;
}

export interface SendersOfHost {
	address: string;
	/** `02:00:00:00:00:11`. */
	macs: string[];
}

/** Six octets, not all zero: what an entry without an address (NUD_NOARP on a tunnel) or of another kind does not have. */
const macPattern = /^(?!00:00:00:00:00:00$)[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

/** One entry per host, in their order; no MAC addresses where none is known. */
export function sendersOf(ways: readonly Way[], neighbours: readonly Neighbour[]): SendersOfHost[] {
	const macs = new Map<string, string>();
	for (const { interfaceIndex, address, state, linkAddress } of neighbours)
		if (state !== 'failed' && linkAddress !== undefined && macPattern.test(linkAddress))
			macs.set(`${interfaceIndex} ${address}`, linkAddress);
	return ways.map(({ address, route }) => {
		const mac = route && macs.get(`${route.interfaceIndex} ${route.gateway ?? address}`);
		return { address, macs: mac === undefined ? [] : [mac] };
	});
}
