/**
 * The table as text and as JSON. It gets a snapshot and gives a string; where the snapshot came from and where the
 * string goes is not known here.
 */
import { destinationId, hostPort, serviceId } from '../../table/identity.js';
import type { Destination, Service, Snapshot, Stats } from '../../table/model.js';
import { grid, paint } from './grid.js';

const columns = ['SERVICE', 'SCHEDULER', 'DESTINATION', 'FORWARDING', 'WEIGHT', 'ACTIVE', 'INACTIVE', 'CONNECTIONS'];
const numbers = ['WEIGHT', 'ACTIVE', 'INACTIVE', 'CONNECTIONS'];

/** A line per destination, its service before the first; a service without destinations has a line of its own. */
export function renderTable(snapshot: Snapshot, colours: boolean): string {
	if (snapshot.services.length === 0) return 'The table is empty: no services.\n';
	return grid(
		columns,
		snapshot.services.flatMap((service) => rowsOf(service, colours)),
		numbers,
	);
}

function rowsOf(service: Service, colours: boolean): string[][] {
	const opening = [serviceId(service.address), schedulerOf(service)];
	if (service.destinations.length === 0) return [[...opening, '(no destinations)', '', '', '', '', '']];
	return service.destinations.map((destination, index) => [
		...(index === 0 ? opening : ['', '']),
		...cellsOf(destination, colours),
	]);
}

function schedulerOf({ scheduler, persistenceSeconds }: Service): string {
	return persistenceSeconds > 0 ? `${scheduler}, persistent ${persistenceSeconds} s` : scheduler;
}

function cellsOf(destination: Destination, colours: boolean): string[] {
	const { address, port, forwarding, weight, activeConnections, inactiveConnections, stats } = destination;
	const weightCell = weight === 0 ? paint('yellow', '0', colours) : String(weight);
	const figures = [activeConnections, inactiveConnections, stats.connections].map(String);
	return [hostPort(address, port), forwarding, weightCell, ...figures];
}

/** The shape that `ipvigil table --help` promises. */
export function tableJson(snapshot: Snapshot, source: string): string {
	const services = snapshot.services.map((service) => ({
		id: serviceId(service.address),
		...service,
		stats: statsJson(service.stats),
		destinations: service.destinations.map((destination) => ({
			id: destinationId(service.address, destination),
			...destination,
			stats: statsJson(destination.stats),
		})),
	}));
	return `${JSON.stringify({ format: 1, source, services }, undefined, 2)}\n`;
}

/** JSON has no 64-bit integers: a number above 2^53 would silently lose its last digits in most readers. */
function statsJson(stats: Stats): Record<keyof Stats, string> {
	const { connections, packetsIn, packetsOut, bytesIn, bytesOut } = stats;
	return {
		connections: String(connections),
		packetsIn: String(packetsIn),
		packetsOut: String(packetsOut),
		bytesIn: String(bytesIn),
		bytesOut: String(bytesOut),
	};
}
