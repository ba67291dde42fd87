/**
 * The only door to the kernel's BPF, to netlink, to raw frames, to marked sockets and to the kernel's clocks: bytes in, bytes out, no
 * policy. TypeScript checks every argument and explains; the C++ in native/ trusts it. Every handle has close(), harmless when repeated;
 * any other call on a closed handle throws EBADF. Importing this loads nothing: the addon is loaded at first use, and
 * its absence is an AddonMissingError then.
 */
import { binding } from './binding.js';
import { checkText } from './check.js';

export { type InstructionCount, type MapEntries, objectPath, type TestRunResult } from './binding.js';
export { AddonMissingError, BpfLoadError, isSystemError, type SystemError } from './errors.js';
export { type Attachment, ClsactFilter, Link } from './link.js';
export { BpfMap, type UpdateFlags } from './map.js';
export { MarkedConnection, type MarkedConnectionOptions, openMarkedDatagramSocket } from './marked-socket.js';
export { NetlinkSocket, type NetlinkSocketOptions } from './netlink-socket.js';
export { BpfObject, type ClsactPlace, type TestRunOptions } from './object.js';
export { PacketSocket, type PacketSocketOptions } from './packet-socket.js';
export { type RingOptions, RingReader } from './ring.js';

/** What a per-CPU map has values for: CPUs that may ever come, not those that are there. */
export function kernel(): { possibleCpus: number } {
	return { possibleCpus: binding().possibleCpus() };
}

/** undefined: this network namespace has no such interface. */
export function interfaceIndex(name: string): number | undefined {
	return binding().interfaceIndex(checkText(name, 'name'));
}

/** ARPHRD_* (linux/if_arp.h): 1 is Ethernet. ENODEV: this network namespace has no such interface. */
export function interfaceHardwareType(name: string): number {
	return binding().interfaceHardwareType(checkText(name, 'name'));
}

/** CLOCK_MONOTONIC: the clock of bpf_ktime_get_ns(). */
export function monotonicNs(): bigint {
	return binding().monotonicNs();
}

/** CLOCK_BOOTTIME: the clock of bpf_ktime_get_boot_ns(), which goes on in suspend. */
export function bootNs(): bigint {
	return binding().bootNs();
}
