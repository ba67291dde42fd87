/** Who changed the IPVS table, from the octets of one record of audit.bpf.c. PURE. */
import type { Caller, Malformed, Operation, ServiceEvent, Via, WriteEvent } from './event.js';
import { malformed, namesOf, operationName, printable, readDestinationKey, readService } from './keys.js';
import { caller, serviceEvent, via as viaNumbers, writeEvent } from './layout.generated.js';

const viaNames = namesOf<Via>(viaNumbers);

function readCaller(view: DataView, base: number): Caller {
	return {
		pid: caller.pid.read(view, base),
		uid: caller.uid.read(view, base),
		comm: printable(caller.comm.read(view, base)),
		parentComm: printable(caller.parentComm.read(view, base)),
	};
}

export function decodeWrite(view: DataView, base: number, atUs: number): WriteEvent | Malformed {
	const names = readDestinationKey(view, base + writeEvent.key.offset);
	const operation = operationName(writeEvent.operation.read(view, base));
	const via = viaNames.get(writeEvent.via.read(view, base));
	if (names === undefined || via === undefined || operation === undefined || operation === 'flush')
		return malformed('a write of an unknown protocol, operation or way');
	return {
		kind: 'write',
		atUs,
		...names,
		operation: operation satisfies Operation,
		oldWeight: writeEvent.oldWeight.read(view, base),
		newWeight: writeEvent.newWeight.read(view, base),
		result: writeEvent.result.read(view, base),
		via,
		...readCaller(view, base + writeEvent.caller.offset),
	};
}

export function decodeService(view: DataView, base: number, atUs: number): ServiceEvent | Malformed {
	const operation = operationName(serviceEvent.operation.read(view, base));
	const via = viaNames.get(serviceEvent.via.read(view, base));
	if (operation === undefined || via === undefined) return malformed('a service of an unknown operation or way');
	return {
		kind: 'service',
		atUs,
		operation,
		service: readService(view, base + serviceEvent.service.offset, serviceEvent.fwmark.read(view, base)),
		result: serviceEvent.result.read(view, base),
		via,
		...readCaller(view, base + serviceEvent.caller.offset),
	};
}
