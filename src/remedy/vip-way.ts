/**
 * The way on which the VIP probe sends its frames: the kernel's own choice for the real server's address, as IPVS takes it
 * too (ip_vs_dr_xmit() and ip_vs_tunnel_xmit() in net/netfilter/ipvs/ip_vs_xmit.c route to the destination's address).
 */
import type { Link } from '../netlink/route.js';
import type { Route } from '../netlink/route-lookup.js';
import { familyOf } from '../table/address.js';
import type { Forwarding, Tunnel } from '../table/model.js';
import { isMac } from './vip-octets.js';
import { tunnelProblem } from './vip-tunnel.js';

/** A real server, and the service that it is asked about. Addresses are canonical. */
export interface VipTarget {
	/** The service's address, which the real server has too. */
	vip: string;
	/** DR and TUN leave the client's port as it is: the service's, not the destination's. */
	port: number;
	/** The real server's own address. */
	host: string;
	forwarding: Extract<Forwarding, 'droute' | 'tunnel'>;
	/** Looked at where the forwarding is by tunnel. */
	tunnel: Tunnel;
}

export interface Way {
	interfaceIndex: number;
	/** Our own address and link address on it. */
	source: string;
	mac: string;
	/** The host itself, or a gateway. */
	nextHop: string;
}

/** What is asked of the kernel; a `RouteClient` answers it. */
export interface Routes {
	routeTo(address: string): Promise<Route | undefined>;
	link(index: number): Promise<Link | undefined>;
}

/** A text says why there is none. Rejects where the kernel could not be asked. */
export async function wayTo(routes: Routes, target: VipTarget): Promise<Way | string> {
	const problem = targetProblem(target);
	if (problem) return problem;
	const { host, vip } = target;
	const route = await routes.routeTo(host);
	if (!route) return `there is no route to ${host}`;
	const { kind, interfaceIndex, source, gateway: nextHop = host } = route;
	if (kind !== 'unicast') return `the route to ${host} is of the kind ${kind}`;
	if (source === undefined) return `no address of ours is known towards ${host}`;
	if (source === vip)
		return `our address towards ${host} is the service's own, to which the server would answer itself`;
	if (familyOf(nextHop) !== familyOf(host)) return `the gateway ${nextHop} is of another family than ${host}`;
	const link = await routes.link(interfaceIndex);
	if (!isMac(link?.linkAddress)) return `${link?.name ?? `interface ${interfaceIndex}`} has no Ethernet address`;
	return { interfaceIndex, source, mac: link.linkAddress, nextHop };
}

/** The inner source of a tunnel between the families would be an address that nobody has chosen for us. */
function targetProblem({ vip, port, host, forwarding, tunnel }: VipTarget): string | undefined {
	if (port === 0) return 'the port is not known';
	if (familyOf(vip) !== familyOf(host))
		return `${vip} and ${host} are of two families, which the probe does not support`;
	return forwarding === 'tunnel' ? tunnelProblem(tunnel) : undefined;
}
