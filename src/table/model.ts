/**
 * The IPVS table as values: services, their destinations, and the endpoints and hosts behind them.
 *
 * Every later folder speaks of these types; where the table comes from (netlink, a rules file) is
 * not known here. Addresses are text in canonical form (RFC 5952 for IPv6), ports host order.
 * PURE.
 */

export type Protocol = 'tcp' | 'udp' | 'sctp';
export type Family = 'inet' | 'inet6';

/** IP_VS_CONN_F_FWD_MASK, in the kernel's order: 0 masq, 1 localnode, 2 tunnel, 3 droute, 4 bypass. */
export type Forwarding = 'masq' | 'localnode' | 'tunnel' | 'droute' | 'bypass';

/** What names a service: protocol, VIP and port, or a firewall mark in one address family. */
export type ServiceAddress =
	| { kind: 'address'; protocol: Protocol; family: Family; address: string; port: number }
	| { kind: 'fwmark'; family: Family; fwmark: number };

/** A listener on a real server. One endpoint may stand behind several destinations. */
export interface Endpoint {
	protocol: Protocol;
	family: Family;
	address: string;
	/** 0 where the port is not known (port-0 and fwmark services). */
	port: number;
}

/** Counters as the kernel keeps them (IPVS_*_ATTR_STATS64, or the 32-bit ones where those are absent). */
export interface Stats {
	connections: bigint;
	packetsIn: bigint;
	packetsOut: bigint;
	bytesIn: bigint;
	bytesOut: bigint;
}

export interface Tunnel {
	type: 'ipip' | 'gue' | 'gre';
	port: number;
	/** One of `tunnelFlags`. */
	flags: number;
}

/**
 * What can be asked whether it accepts: in NAT the endpoint; in DR and TUN, where the server holds the VIP and the service
 * may listen there only, the VIP's port on that host.
 */
export interface Listener {
	endpoint: Endpoint;
	/** Undefined: on the endpoint's own address. Else also how packets for the VIP reach the host. */
	vip: { address: string; port: number; forwarding: 'droute' | 'tunnel'; tunnel: Tunnel } | undefined;
	/** Names the way in which it is asked; undefined: by a plain connection. Who asks alike shares a listener. */
	way?: string | undefined;
}

/** A real server inside one service, with every attribute that a SET_DEST must carry back unchanged. */
export interface Destination {
	family: Family;
	address: string;
	port: number;
	forwarding: Forwarding;
	weight: number;
	upperThreshold: number;
	lowerThreshold: number;
	tunnel: Tunnel;
	activeConnections: number;
	inactiveConnections: number;
	persistentConnections: number;
	stats: Stats;
}

/** IP_VS_SVC_F_* (include/uapi/linux/ip_vs.h). The three scheduler flags mean what the scheduler makes of them: sh and mh
 * call the first "fallback" and the second "port". */
export const serviceFlags = { persistent: 1, hashed: 2, onePacket: 4, scheduler1: 8, scheduler2: 16, scheduler3: 32 };

/** IP_VS_TUNNEL_ENCAP_FLAG_* (include/uapi/linux/ip_vs.h). */
export const tunnelFlags = { noChecksum: 0, checksum: 1, remoteChecksum: 2 };

export interface Service {
	address: ServiceAddress;
	scheduler: string;
	/** A sum of `serviceFlags`. */
	flags: number;
	/** Persistence time-out; 0 where the service is not persistent. */
	persistenceSeconds: number;
	/** IPv4: dotted mask; IPv6: prefix length, as text. */
	netmask: string;
	/** Persistence engine ("sip") or the empty string. */
	persistenceEngine: string;
	stats: Stats;
	destinations: Destination[];
}

/** One reading of the whole table. Services and destinations are in the order the source gave them. */
export interface Snapshot {
	services: Service[];
}

export const noStats: Stats = { connections: 0n, packetsIn: 0n, packetsOut: 0n, bytesIn: 0n, bytesOut: 0n };
export const noTunnel: Tunnel = { type: 'ipip', port: 0, flags: 0 };
