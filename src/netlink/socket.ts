/**
 * The addon's netlink socket as the clients of this folder see it: whole datagrams in, whole datagrams out. Tests and
 * benchmarks put a stand-in in its place. It knows no message.
 */
import { NetlinkSocket } from '../addon/index.js';

export interface NetlinkHandle {
	send(bytes: Uint8Array): void;
	close(): void;
}

export interface SocketHandlers {
	onBatch: (datagrams: readonly Uint8Array[]) => void;
	/** ENOBUFS, EMSGSIZE: messages were lost, the socket goes on. */
	onError: (error: NodeJS.ErrnoException) => void;
}

/** `protocol` is NETLINK_ROUTE or NETLINK_GENERIC; `groups` are numbers to listen to (NETLINK_ADD_MEMBERSHIP). */
export type OpenSocket = (protocol: number, groups: readonly number[], handlers: SocketHandlers) => NetlinkHandle;

/** include/uapi/linux/netlink.h */
export const netlinkProtocol = { route: 0, generic: 16 } as const;

export const openKernelSocket: OpenSocket = (protocol, groups, handlers) =>
	new NetlinkSocket({ protocol, groups: [...groups], ...handlers });
