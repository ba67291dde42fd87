/**
 * Sockets whose packets carry a firewall mark (SO_MARK), which routing rules and firewalls go by and Node cannot set.
 * What is made here is a descriptor for Node's own `net` and `dgram`, which close it; nothing is read or written here.
 * Needs CAP_NET_ADMIN (since Linux 5.17 CAP_NET_RAW is enough).
 */
import { binding, type NativeMarkedConnection } from './binding.js';
import { checkBytes, checkFunction, checkInteger } from './check.js';

export interface MarkedConnectionOptions {
	mark: number;
	/** Our own address, of the family of `address`; absent: the kernel's choice. Octets in network order, 4 or 16. */
	source?: Uint8Array | undefined;
	address: Uint8Array;
	port: number;
	/** The connection stands. The descriptor is the caller's, who gives it to `new net.Socket({ fd })` at once. */
	onConnect: (fd: number) => void;
	/** What connect(2) says: ECONNREFUSED, EHOSTUNREACH, ETIMEDOUT. */
	onError: (error: Error) => void;
}

const portMax = 65_535;
const addressLengths = [4, 16];

/** A TCP connection until it stands or fails, of which one is told, once. Keeps the process alive until then. */
export class MarkedConnection {
	readonly #native: NativeMarkedConnection;

	/** EPERM: no right to set a mark. EADDRNOTAVAIL: `source` is not ours. ENETUNREACH: there is no route. */
	constructor(options: MarkedConnectionOptions) {
		const address = checkAddress(options.address, 'address');
		this.#native = new (binding().MarkedConnection)(
			checkInteger(options.mark, 'mark', 1),
			checkBytes(options.source ?? new Uint8Array(address.byteLength), 'source', address.byteLength),
			address,
			checkInteger(options.port, 'port', 1, portMax),
			checkFunction(options.onConnect, 'onConnect'),
			checkFunction(options.onError, 'onError'),
		);
	}

	/** Gives up, and nothing is told; afterwards, or twice, it is harmless. */
	close(): void {
		this.#native.close();
	}
}

/**
 * The descriptor of a UDP socket, bound to `source`, of which all zeros is any address of its family. It is the caller's,
 * who gives it to `dgram.Socket.bind({ fd })` at once. EPERM, EADDRNOTAVAIL: as above.
 */
export function openMarkedDatagramSocket({ mark, source }: { mark: number; source: Uint8Array }): number {
	return binding().openMarkedDatagramSocket(checkInteger(mark, 'mark', 1), checkAddress(source, 'source'));
}

function checkAddress(value: Uint8Array, what: string): Uint8Array {
	const { byteLength } = checkBytes(value, what);
	if (!addressLengths.includes(byteLength))
		throw new RangeError(`${what} must have ${addressLengths.join(' or ')} bytes, not ${byteLength}`);
	return value;
}
