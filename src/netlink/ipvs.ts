/**
 * What IPVS is told and asked over generic netlink. Of all the writes that the family offers, exactly one exists
 * here, SET_DEST, and it carries every attribute of the destination, because the kernel resets what a request
 * leaves out. The answers are read in `ipvs-answer.ts`; sending is `ipvs-client.ts`'s. PURE.
 */
import { parseAddress } from '../table/address.js';
import type { Destination, Family, ServiceAddress } from '../table/model.js';
import { putBe16, putNest, putOctets, putU8, putU16, putU32 } from './attribute.js';
import type { ByteWriter } from './bytes.js';
import { addressFamily } from './family.js';
import { startCommand } from './generic.js';
import {
	command,
	destinationAttribute,
	forwardingMethods,
	ipvsFamily,
	octetsPerAddress,
	protocolNumber,
	serviceAttribute,
	top,
	tunnelTypes,
} from './ipvs-numbers.js';

function start(number: number): ByteWriter {
	return startCommand(number, ipvsFamily.version);
}

export function getInfo(): Uint8Array {
	return start(command.getInfo).finish();
}

/** GET_SERVICE as a dump. */
export function getServices(): Uint8Array {
	return start(command.getService).finish();
}

/** GET_SERVICE of one; the kernel answers ESRCH where there is none. */
export function getService(address: ServiceAddress): Uint8Array {
	const writer = start(command.getService);
	putService(writer, address);
	return writer.finish();
}

/** GET_DEST, which exists as a dump only; a service that is not there gives an empty one. */
export function getDestinations(address: ServiceAddress): Uint8Array {
	const writer = start(command.getDestination);
	putService(writer, address);
	return writer.finish();
}

/** SET_DEST: the destination's every attribute, as it shall stand. ESRCH: no such service; ENOENT: no such server. */
export function setDestination(service: ServiceAddress, destination: Destination): Uint8Array {
	const writer = start(command.setDestination);
	putService(writer, service);
	putNest(writer, top.destination, () => putDestination(writer, destination));
	return writer.finish();
}

function putService(writer: ByteWriter, address: ServiceAddress): void {
	putNest(writer, top.service, () => {
		putU16(writer, serviceAttribute.family, addressFamily[address.family]);
		if (address.kind === 'fwmark') putU32(writer, serviceAttribute.fwmark, address.fwmark);
		else {
			putU16(writer, serviceAttribute.protocol, protocolNumber[address.protocol]);
			putOctets(writer, serviceAttribute.address, addressOctets(address));
			putBe16(writer, serviceAttribute.port, address.port);
		}
	});
}

function putDestination(writer: ByteWriter, destination: Destination): void {
	const { tunnel } = destination;
	putOctets(writer, destinationAttribute.address, addressOctets(destination));
	putBe16(writer, destinationAttribute.port, destination.port);
	putU16(writer, destinationAttribute.family, addressFamily[destination.family]);
	putU32(writer, destinationAttribute.forwarding, forwardingMethods.indexOf(destination.forwarding));
	putU32(writer, destinationAttribute.weight, destination.weight);
	putU32(writer, destinationAttribute.upperThreshold, destination.upperThreshold);
	putU32(writer, destinationAttribute.lowerThreshold, destination.lowerThreshold);
	putU8(writer, destinationAttribute.tunnelType, tunnelTypes.indexOf(tunnel.type));
	putBe16(writer, destinationAttribute.tunnelPort, tunnel.port);
	putU16(writer, destinationAttribute.tunnelFlags, tunnel.flags);
}

/** union nf_inet_addr: IPv4 in the first four octets, the rest zero. */
function addressOctets({ family, address }: { family: Family; address: string }): Uint8Array {
	const octets = parseAddress(address);
	if (!octets) throw new TypeError(`"${address}" is no address`);
	if (family === 'inet6') return octets;
	const plain = new Uint8Array(octetsPerAddress);
	plain.set(octets.subarray(12));
	return plain;
}
