/**
 * A netlink socket to the kernel: datagrams as they come, on this thread's event loop. The codecs are in src/netlink,
 * and so is the client that pairs requests with replies.
 */
import { binding, type NativeNetlinkSocket } from './binding.js';
import { checkBytes, checkFunction, checkInteger } from './check.js';

export interface NetlinkSocketOptions {
	/** NETLINK_ROUTE is 0, NETLINK_GENERIC 16 (linux/netlink.h). */
	protocol: number;
	/** Multicast groups to join, by number and not as a bit mask: RTNLGRP_LINK is 1. */
	groups?: readonly number[];
	/** Whole datagrams in the order of their arrival, each a fresh array; one may hold several messages. At most 32. */
	onBatch: (datagrams: Uint8Array[]) => void;
	/** ENOBUFS: messages were lost (netlink(7)). EMSGSIZE: one did not fit. The socket goes on in either case. */
	onError: (error: Error) => void;
}

/** MAX_LINKS of linux/netlink.h. */
const protocolMax = 31;
/** Generic netlink numbers its groups upwards without a limit; ours is far above any kernel's. */
const groupMax = 65_535;
/** One request; the kernel's own limit is the send buffer, about 200 kB. */
const requestBytesMax = 128 * 1024;

/** Keeps the process alive while it is open. */
export class NetlinkSocket {
	readonly #native: NativeNetlinkSocket;

	constructor(options: NetlinkSocketOptions) {
		this.#native = new (binding().NetlinkSocket)(
			checkInteger(options.protocol, 'protocol', 0, protocolMax),
			(options.groups ?? []).map((group) => checkInteger(group, 'group', 1, groupMax)),
			checkFunction(options.onBatch, 'onBatch'),
			checkFunction(options.onError, 'onError'),
		);
	}

	/** The address that the kernel gave us: `nlmsg_pid` of the replies. */
	get portId(): number {
		return this.#native.portId();
	}

	/** One datagram with one or more requests. What the kernel makes of them comes as datagrams. */
	send(bytes: Uint8Array): void {
		checkInteger(checkBytes(bytes, 'bytes').byteLength, 'length of bytes', 1, requestBytesMax);
		this.#native.send(bytes);
	}

	/** May be called from onBatch; twice is harmless. */
	close(): void {
		this.#native.close();
	}
}
