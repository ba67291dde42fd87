/**
 * The numbers of the generic netlink family "IPVS", version 1 (include/uapi/linux/ip_vs.h, read in
 * 6.1 and 7.3, where they are the same). Only what `ipvs.ts` writes and `ipvs-answer.ts` reads stands here. PURE.
 */

export const ipvsFamily = { name: 'IPVS', version: 1 };

/** IPVS_CMD_*. Answers to a GET carry the NEW command of the same thing, INFO's answer SET_INFO. */
export const command = {
	newService: 1,
	getService: 4,
	newDestination: 5,
	setDestination: 6,
	getDestination: 8,
	setInfo: 14,
	getInfo: 15,
};

/** IPVS_CMD_ATTR_*: the outermost nests. */
export const top = { service: 1, destination: 2 };

/** IPVS_SVC_ATTR_* */
export const serviceAttribute = {
	family: 1,
	protocol: 2,
	address: 3,
	port: 4,
	fwmark: 5,
	scheduler: 6,
	flags: 7,
	timeout: 8,
	netmask: 9,
	stats: 10,
	persistenceEngine: 11,
	stats64: 12,
};

/** IPVS_DEST_ATTR_* */
export const destinationAttribute = {
	address: 1,
	port: 2,
	forwarding: 3,
	weight: 4,
	upperThreshold: 5,
	lowerThreshold: 6,
	activeConnections: 7,
	inactiveConnections: 8,
	persistentConnections: 9,
	stats: 10,
	family: 11,
	stats64: 12,
	tunnelType: 13,
	tunnelPort: 14,
	tunnelFlags: 15,
};

/** IPVS_STATS_ATTR_*: in STATS the first three have 32 bits, in STATS64 all have 64. */
export const statsAttribute = { connections: 1, packetsIn: 2, packetsOut: 3, bytesIn: 4, bytesOut: 5 };

/** IPVS_INFO_ATTR_* */
export const infoAttribute = { version: 1, connectionTableSize: 2 };

/** IPPROTO_* of what IPVS balances. */
export const protocolNumber = { tcp: 6, udp: 17, sctp: 132 };

/** union nf_inet_addr: IPv4 in the first four octets, the rest zero. */
export const octetsPerAddress = 16;

/** IP_VS_CONN_F_FWD_MASK: the low three bits are the forwarding method, an index into this list. */
export const forwardingMethods = ['masq', 'localnode', 'tunnel', 'droute', 'bypass'] as const;
export const forwardingMask = 0x7;

/** IP_VS_CONN_F_TUNNEL_TYPE_*: an index into this list. */
export const tunnelTypes = ['ipip', 'gue', 'gre'] as const;
