/**
 * What changed between two readings of the IPVS table. The daemon and the judge ask it which destinations
 * appeared, went or were rewritten; counters move all the time and are no difference. Who made the change is not
 * known here: the audit hook says that. PURE.
 */
import { hostPort, serviceId } from './identity.js';
import { type Destination, type Service, type Snapshot, serviceFlags } from './model.js';

export type ServiceField = 'scheduler' | 'flags' | 'persistenceSeconds' | 'netmask' | 'persistenceEngine';
export type DestinationField = 'forwarding' | 'weight' | 'upperThreshold' | 'lowerThreshold' | 'tunnel';

export interface Placed {
	service: Service;
	destination: Destination;
}

/** A destination in both readings, under the same name, with other attributes. `service` is the later reading's. */
export interface DestinationChange {
	service: Service;
	before: Destination;
	after: Destination;
	fields: DestinationField[];
}

/** The destinations of an added or removed service are themselves added or removed. */
export interface Difference {
	services: {
		added: Service[];
		removed: Service[];
		changed: { before: Service; after: Service; fields: ServiceField[] }[];
	};
	destinations: { added: Placed[]; removed: Placed[]; changed: DestinationChange[] };
}

export function difference(before: Snapshot, after: Snapshot): Difference {
	const result: Difference = {
		services: { added: [], removed: [], changed: [] },
		destinations: { added: [], removed: [], changed: [] },
	};
	const gone = new Map(before.services.map((service) => [serviceId(service.address), service]));
	for (const service of after.services) {
		const id = serviceId(service.address);
		compareServices(gone.get(id), service, result);
		gone.delete(id);
	}
	for (const service of gone.values()) {
		result.services.removed.push(service);
		for (const destination of service.destinations) result.destinations.removed.push({ service, destination });
	}
	return result;
}

export function isEmpty({ services, destinations }: Difference): boolean {
	return [services, destinations].every(
		({ added, removed, changed }) => added.length + removed.length + changed.length === 0,
	);
}

function compareServices(before: Service | undefined, after: Service, result: Difference): void {
	if (!before) result.services.added.push(after);
	else {
		const fields = changedServiceFields(before, after);
		if (fields.length > 0) result.services.changed.push({ before, after, fields });
	}
	compareDestinations(before, after, result);
}

function compareDestinations(before: Service | undefined, after: Service, { destinations }: Difference): void {
	const gone = new Map(before?.destinations.map((known) => [hostPort(known.address, known.port), known]));
	for (const destination of after.destinations) {
		const id = hostPort(destination.address, destination.port);
		const known = gone.get(id);
		gone.delete(id);
		if (!known) destinations.added.push({ service: after, destination });
		else {
			const fields = changedDestinationFields(known, destination);
			if (fields.length > 0) destinations.changed.push({ service: after, before: known, after: destination, fields });
		}
	}
	for (const destination of gone.values()) destinations.removed.push({ service: after, destination });
}

const serviceFields = ['scheduler', 'persistenceSeconds', 'netmask', 'persistenceEngine'] as const;
const destinationFields = ['forwarding', 'weight', 'upperThreshold', 'lowerThreshold'] as const;

function changedServiceFields(before: Service, after: Service): ServiceField[] {
	const fields: ServiceField[] = serviceFields.filter((field) => before[field] !== after[field]);
	// The kernel marks every service that it knows as hashed; a rules file cannot say so.
	if ((before.flags ^ after.flags) & ~serviceFlags.hashed) fields.push('flags');
	return fields;
}

function changedDestinationFields(before: Destination, after: Destination): DestinationField[] {
	const fields: DestinationField[] = destinationFields.filter((field) => before[field] !== after[field]);
	const [old, now] = [before.tunnel, after.tunnel];
	if (old.type !== now.type || old.port !== now.port || old.flags !== now.flags) fields.push('tunnel');
	return fields;
}
