/**
 * A packet socket on one interface (packet(7)): whole frames as they come, on this thread's event loop, but only those
 * that a classic BPF program lets through. Needs CAP_NET_RAW and nothing else. What the frames say, and the program,
 * are the business of src/remedy.
 */
import { binding, type NativePacketSocket } from './binding.js';
import { checkBytes, checkFunction, checkInteger } from './check.js';

export interface PacketSocketOptions {
	interfaceIndex: number;
	/** `struct sock_filter` one after the other (linux/filter.h), in the machine's own byte order. EINVAL: no program. */
	filter: Uint8Array;
	/**
	 * Frames from the Ethernet header on, in the order of their arrival, each a fresh array; at most 64. A frame is as
	 * long as the filter's verdict on it said, and comes without the VLAN tag of the interface.
	 */
	onBatch: (frames: Uint8Array[]) => void;
	/** ENETDOWN: the interface went down, or away (packet(7)). The socket goes on, and is silent until it comes back. */
	onError: (error: Error) => void;
}

/** sll_ifindex is an int. */
const interfaceIndexMax = 0x7fff_ffff;
/** BPF_MAXINSNS (linux/bpf_common.h). */
const instructionsMax = 4_096;
const instructionBytes = 8;
const ethernetHeaderBytes = 14;
/** The kernel's own limit is the MTU (EMSGSIZE). */
const frameBytesMax = 65_535 + ethernetHeaderBytes;

/** Keeps the process alive while it is open. */
export class PacketSocket {
	readonly #native: NativePacketSocket;

	/** EPERM: CAP_NET_RAW is missing. ENODEV: this network namespace has no such interface. */
	constructor(options: PacketSocketOptions) {
		this.#native = new (binding().PacketSocket)(
			checkInteger(options.interfaceIndex, 'interfaceIndex', 1, interfaceIndexMax),
			checkProgram(options.filter),
			checkFunction(options.onBatch, 'onBatch'),
			checkFunction(options.onError, 'onError'),
		);
	}

	/** One frame, from the Ethernet header on. ENETDOWN, ENOBUFS: it was not sent. */
	send(frame: Uint8Array): void {
		checkInteger(checkBytes(frame, 'frame').byteLength, 'length of frame', ethernetHeaderBytes, frameBytesMax);
		this.#native.send(frame);
	}

	/** May be called from onBatch; twice is harmless. */
	close(): void {
		this.#native.close();
	}
}

function checkProgram(filter: Uint8Array): Uint8Array {
	const { byteLength } = checkBytes(filter, 'filter');
	checkInteger(byteLength / instructionBytes, 'number of instructions in filter', 1, instructionsMax);
	return filter;
}
