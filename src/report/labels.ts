/**
 * A destination's labels, spelt as node_exporter's ipvs collector spells them (collector/ipvs_linux.go, which reads
 * /proc/net/ip_vs): `proto` is TCP, UDP, SCTP or FWM, and a firewall mark is eight hexadecimal digits, without address.
 */
import type { Destination, ServiceAddress } from '../table/model.js';

export const serviceLabelNames = ['local_address', 'local_port', 'proto', 'local_mark'] as const;

export const labelNames = [
	'local_address',
	'local_port',
	'remote_address',
	'remote_port',
	'proto',
	'local_mark',
] as const;

export type ServiceLabels = Record<(typeof serviceLabelNames)[number], string>;
export type DestinationLabels = Record<(typeof labelNames)[number], string>;

export function serviceLabelsOf(service: ServiceAddress): ServiceLabels {
	if (service.kind === 'address') {
		const proto = service.protocol.toUpperCase();
		return { local_address: service.address, local_port: String(service.port), proto, local_mark: '' };
	}
	// ip_vs_info_seq_show prints "FWM  %08X"; the collector gives such a service port 0.
	const mark = service.fwmark.toString(16).toUpperCase().padStart(8, '0');
	return { local_address: '', local_port: '0', proto: 'FWM', local_mark: mark };
}

export function labelsOf(
	service: ServiceAddress,
	destination: Pick<Destination, 'address' | 'port'>,
): DestinationLabels {
	const { local_address, local_port, proto, local_mark } = serviceLabelsOf(service);
	const remote = { remote_address: destination.address, remote_port: String(destination.port) };
	return { local_address, local_port, ...remote, proto, local_mark };
}
