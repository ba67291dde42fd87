/**
 * The keys and values of the BPF maps: domain values to the octets of bpf/events.h, and back. Layouts come from
 * layout.generated.ts; which map holds what is capture's knowledge. PURE.
 */
import { formatAddress, isMapped, parseAddress } from '../table/address.js';
import type { Endpoint, Protocol, ServiceAddress } from '../table/model.js';
import type {
	EndpointCounters,
	HostCounters,
	LastWrite,
	Losses,
	Malformed,
	Operation,
	QuotedEndpoint,
} from './event.js';
import {
	addressKey,
	destinationKey,
	endpointCounters,
	endpointKey,
	endpointState,
	hostSenders,
	hostState,
	loss,
	operation as operationNumbers,
	writerValue,
} from './layout.generated.js';

/** IPPROTO_* of the protocols that IPVS balances and we watch (include/uapi/linux/in.h). */
const protocolNumbers: Record<Protocol, number> = { tcp: 6, udp: 17, sctp: 132 };
const protocolNames = new Map(Object.entries(protocolNumbers).map(([name, number]) => [number, name as Protocol]));
const operationNames = namesOf<Operation | 'flush'>(operationNumbers);

const nanosecondsPerMicrosecond = 1000;

export function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function malformed(reason: string): Malformed {
	return { kind: 'malformed', reason };
}

export function microseconds(nanoseconds: number): number {
	return Math.floor(nanoseconds / nanosecondsPerMicrosecond);
}

/** The names of an enum of events.h by their numbers. */
export function namesOf<Name extends string>(numbers: Readonly<Record<Name, number>>): ReadonlyMap<number, Name> {
	return new Map(Object.entries<number>(numbers).map(([name, number]) => [number, name as Name]));
}

export function operationName(number: number): Operation | 'flush' | undefined {
	return operationNames.get(number);
}

/** A process may call itself anything, terminal escapes included: only printable ASCII goes on. */
export function printable(comm: string): string {
	return comm.replace(/[^ -~]/g, '?');
}

/** Sixteen octets of an address from the table, which holds only canonical ones: anything else is our own mistake. */
function addressOctets(address: string): Uint8Array {
	const octets = parseAddress(address);
	if (octets === undefined) throw new TypeError(`"${address}" is not an IP address`);
	return octets;
}

function writeEndpoint(view: DataView, base: number, protocol: number, address: string, port: number): void {
	endpointKey.address.write(view, base, addressOctets(address));
	endpointKey.port.write(view, base, port);
	endpointKey.protocol.write(view, base, protocol);
}

export function encodeEndpointKey({ protocol, address, port }: Endpoint): Uint8Array {
	const key = new Uint8Array(endpointKey.layout.size);
	writeEndpoint(viewOf(key), 0, protocolNumbers[protocol], address, port);
	return key;
}

export function encodeAddressKey(address: string): Uint8Array {
	const key = new Uint8Array(addressKey.layout.size);
	addressKey.address.write(viewOf(key), 0, addressOctets(address));
	return key;
}

/** A new endpoint's value: its slot among the counters, its host's, all gates open. */
export function encodeEndpointState(slot: number, hostSlot: number): Uint8Array {
	const value = new Uint8Array(endpointState.layout.size);
	endpointState.slot.write(viewOf(value), 0, slot);
	endpointState.hostSlot.write(viewOf(value), 0, hostSlot);
	return value;
}

/** A new host's value: its slot, both gates open, all counters zero. */
export function encodeHostState(slot: number): Uint8Array {
	const value = new Uint8Array(hostState.layout.size);
	hostState.slot.write(viewOf(value), 0, slot);
	return value;
}

export function decodeHostCounters(value: Uint8Array): HostCounters {
	const view = viewOf(value);
	return {
		unreachables: hostState.unreachables.read(view, 0),
		rejections: hostState.rejections.read(view, 0),
		ownUnreachables: hostState.ownUnreachables.read(view, 0),
		strangers: hostState.strangers.read(view, 0),
	};
}

const octetsPerMac = 8;
/** As many MAC addresses as one host can be listed with. */
export const macsPerHostMax = hostSenders.macs.length / octetsPerMac;

/** `02:00:00:00:00:11` each, no more than `macsPerHostMax`. */
export function encodeHostSenders(macs: readonly string[]): Uint8Array {
	const value = new Uint8Array(hostSenders.layout.size);
	for (const [index, mac] of macs.entries())
		value.set(
			mac.split(':').map((octet) => Number.parseInt(octet, 16)),
			index * octetsPerMac,
		);
	return value;
}

/** The key of the ports that tunnels go to: network order. */
export function encodePort(port: number): Uint8Array {
	return Uint8Array.of(port >> 8, port & 0xff);
}

/** Of a firewall mark only the family is kept, as the unspecified address of that family. */
export function encodeDestinationKey(
	service: ServiceAddress,
	destination: { address: string; port: number },
): Uint8Array {
	const key = new Uint8Array(destinationKey.layout.size);
	const view = viewOf(key);
	const protocol = service.kind === 'address' ? protocolNumbers[service.protocol] : 0;
	if (service.kind === 'fwmark') {
		writeEndpoint(view, destinationKey.service.offset, 0, service.family === 'inet6' ? '::' : '0.0.0.0', 0);
		destinationKey.fwmark.write(view, 0, service.fwmark);
	} else {
		writeEndpoint(view, destinationKey.service.offset, protocol, service.address, service.port);
	}
	writeEndpoint(view, destinationKey.destination.offset, protocol, destination.address, destination.port);
	return key;
}

/** The endpoint at `base`, or undefined where its protocol is none that we know. */
export function readEndpoint(view: DataView, base: number): Endpoint | undefined {
	const protocol = protocolNames.get(endpointKey.protocol.read(view, base));
	if (protocol === undefined) return undefined;
	const octets = endpointKey.address.read(view, base);
	const family = isMapped(octets) ? 'inet' : 'inet6';
	return { protocol, family, address: formatAddress(octets), port: endpointKey.port.read(view, base) };
}

/** As `readEndpoint`, but for protocol 0: an endpoint of which only the host is known. */
export function readQuotedEndpoint(view: DataView, base: number): QuotedEndpoint | undefined {
	const known = readEndpoint(view, base);
	if (known !== undefined || endpointKey.protocol.read(view, base) !== 0) return known;
	const octets = endpointKey.address.read(view, base);
	const family = isMapped(octets) ? 'inet' : 'inet6';
	return { protocol: undefined, family, address: formatAddress(octets), port: endpointKey.port.read(view, base) };
}

/** Service and destination of the writer key at `base`, or undefined where its protocol is none that we know. */
export function readDestinationKey(
	view: DataView,
	base: number,
): Pick<LastWrite, 'service' | 'destination'> | undefined {
	const service = readService(view, base, destinationKey.fwmark.read(view, base));
	if (service === undefined) return undefined;
	const at = base + destinationKey.destination.offset;
	const address = formatAddress(endpointKey.address.read(view, at));
	return { service, destination: { address, port: endpointKey.port.read(view, at) } };
}

/** The service whose endpoint_key is at `at`; undefined where its protocol is none that we know. */
export function readService(view: DataView, at: number, fwmark: number): ServiceAddress | undefined {
	if (fwmark !== 0) {
		const family = isMapped(endpointKey.address.read(view, at)) ? 'inet' : 'inet6';
		return { kind: 'fwmark', family, fwmark };
	}
	const endpoint = readEndpoint(view, at);
	return endpoint && { kind: 'address', ...endpoint };
}

/** One entry of the last-writer map. */
export function decodeLastWrite(key: Uint8Array, value: Uint8Array): LastWrite | Malformed {
	if (key.length !== destinationKey.layout.size || value.length !== writerValue.layout.size) {
		return malformed(`a last-writer entry of ${key.length} + ${value.length} octets`);
	}
	const names = readDestinationKey(viewOf(key), 0);
	const view = viewOf(value);
	const operation = operationName(writerValue.operation.read(view, 0));
	if (names === undefined || operation === undefined || operation === 'flush')
		return malformed('a last write of unknown protocol or operation');
	return {
		...names,
		operation,
		weight: writerValue.weight.read(view, 0),
		writes: writerValue.writes.read(view, 0),
		atUs: microseconds(writerValue.timeNs.read(view, 0)),
		pid: writerValue.pid.read(view, 0),
		comm: printable(writerValue.comm.read(view, 0)),
	};
}

function eachCpu(values: Uint8Array, size: number, add: (view: DataView, base: number) => void): void {
	const view = viewOf(values);
	for (let base = 0; base + size <= values.length; base += size) add(view, base);
}

/** The sum over all CPUs; `values` is what a per-CPU map gives for one key, one struct after the other. */
export function sumEndpointCounters(values: Uint8Array): EndpointCounters {
	const { layout, ...fields } = endpointCounters;
	const sum = Object.fromEntries(Object.keys(fields).map((name) => [name, 0])) as unknown as EndpointCounters;
	eachCpu(values, layout.size, (view, base) => {
		for (const name of Object.keys(fields) as (keyof EndpointCounters)[]) sum[name] += fields[name].read(view, base);
	});
	return sum;
}

/** One loss counter summed over all CPUs: eight octets each. */
export function sumLoss(values: Uint8Array): number {
	let sum = 0;
	eachCpu(values, 8, (view, base) => {
		sum += Number(view.getBigUint64(base, true));
	});
	return sum;
}

/** The losses by name; `countAt` answers for an index of the array `losses`. */
export function readLosses(countAt: (index: number) => number): Losses {
	return {
		ringFull: countAt(loss.ringFull),
		truncated: countAt(loss.truncated),
		fragment: countAt(loss.fragment),
		headerChain: countAt(loss.headerChain),
		writersFull: countAt(loss.writersFull),
		malformedPacket: countAt(loss.malformed),
		unreadable: countAt(loss.unreadable),
		noSyn: countAt(loss.noSyn),
		unlisted: countAt(loss.unlisted),
		stranger: countAt(loss.stranger),
		badQuote: countAt(loss.badQuote),
	};
}

/** The key of a BPF array: an index in host order. */
export function encodeIndex(index: number): Uint8Array {
	const key = new Uint8Array(4);
	viewOf(key).setUint32(0, index, true);
	return key;
}

/** The keys of a BPF array, or of a map that is numbered so. */
export function decodeIndexes(keys: Uint8Array): number[] {
	const view = viewOf(keys);
	return Array.from({ length: keys.length / 4 }, (_, position) => view.getUint32(position * 4, true));
}
