/**
 * The rules format of `ipvsadm -S -n`, written: whole tables for people, and the arguments that name and restore
 * one destination for the give-back helper, which has no Node. The order of options is ipvsadm's own. One thing is
 * better than there: ipvsadm 1.31 forgets the thresholds when it saves, here -x and -y are written where they are set.
 * Reading is in `rules-parse.ts`. PURE.
 */
import { hostPort } from './identity.js';
import {
	type Destination,
	type Forwarding,
	type Service,
	type ServiceAddress,
	type Snapshot,
	serviceFlags,
	tunnelFlags,
} from './model.js';

export { parseRules, type RulesResult } from './rules-parse.js';

/** The whole table as `ipvsadm -R` reads it back, one rule a line, or the empty string for an empty table. */
export function printRules(snapshot: Snapshot): string {
	return snapshot.services.map(printService).join('');
}

function printService(service: Service): string {
	const add = line(['-A', ...serviceArguments(service.address), ...scheduling(service)]);
	return add + service.destinations.map((server) => line(['-a', ...ruleArguments(service.address, server)])).join('');
}

function line(words: string[]): string {
	return `${words.join(' ')}\n`;
}

/** What names a service: `-t 10.0.0.100:80`, `--sctp-service [fd00::1]:2905`, `-f 7`, `-f 7 -6`. */
export function serviceArguments(address: ServiceAddress): string[] {
	if (address.kind === 'fwmark') return ['-f', String(address.fwmark), ...(address.family === 'inet6' ? ['-6'] : [])];
	const option = { tcp: '-t', udp: '-u', sctp: '--sctp-service' }[address.protocol];
	return [option, hostPort(address.address, address.port)];
}

/**
 * What follows -a or -e to make or restore a destination with every attribute, the weight included:
 * `-t 10.0.0.100:80 -r 10.1.0.11:8080 -m -w 10 -x 1000 -y 800`.
 */
export function ruleArguments(service: ServiceAddress, destination: Destination): string[] {
	return [
		...serviceArguments(service),
		...['-r', hostPort(destination.address, destination.port)],
		...forwardingArguments(destination),
		...['-w', String(destination.weight)],
		...(destination.upperThreshold > 0 ? ['-x', String(destination.upperThreshold)] : []),
		...(destination.lowerThreshold > 0 ? ['-y', String(destination.lowerThreshold)] : []),
		...tunnelArguments(destination),
	];
}

/**
 * ipvsadm has no word for localnode and bypass, which only a program of its own can have set. A local server
 * is served by the local stack whatever its method is (ip_vs_xmit.c): -g comes closest.
 */
const forwardingOption: Record<Forwarding, string> = {
	masq: '-m',
	tunnel: '-i',
	droute: '-g',
	localnode: '-g',
	bypass: '-g',
};

function forwardingArguments({ forwarding }: Destination): string[] {
	return [forwardingOption[forwarding]];
}

/** As ipvsadm saves them: always the type, the port for gue, the checksum mode for gue and gre. */
function tunnelArguments({ forwarding, tunnel }: Destination): string[] {
	if (forwarding !== 'tunnel') return [];
	const type = ['--tun-type', tunnel.type];
	if (tunnel.type === 'ipip') return type;
	return [...type, ...(tunnel.type === 'gue' ? ['--tun-port', String(tunnel.port)] : []), checksumOption(tunnel.flags)];
}

function checksumOption(flags: number): string {
	if (flags === tunnelFlags.checksum) return '--tun-csum';
	return flags === tunnelFlags.remoteChecksum ? '--tun-remcsum' : '--tun-nocsum';
}

function scheduling(service: Service): string[] {
	const { flags, netmask, persistenceSeconds, persistenceEngine } = service;
	const persistent = (flags & serviceFlags.persistent) !== 0;
	const wholeAddress = service.address.family === 'inet6' ? '128' : '255.255.255.255';
	return [
		...['-s', service.scheduler],
		...(persistent ? ['-p', String(persistenceSeconds)] : []),
		...(persistent && netmask !== wholeAddress ? ['-M', netmask] : []),
		...(persistenceEngine !== '' ? ['--pe', persistenceEngine] : []),
		...((flags & serviceFlags.onePacket) !== 0 ? ['-o'] : []),
		...schedulerFlagArguments(service),
	];
}

/** sh and mh have words of their own for the first two flags. */
function schedulerFlagArguments({ flags, scheduler }: Service): string[] {
	const hashing = scheduler === 'sh' || scheduler === 'mh';
	const names = [
		{ flag: serviceFlags.scheduler1, name: hashing ? `${scheduler}-fallback` : 'flag-1' },
		{ flag: serviceFlags.scheduler2, name: hashing ? `${scheduler}-port` : 'flag-2' },
		{ flag: serviceFlags.scheduler3, name: 'flag-3' },
	];
	const set = names.filter(({ flag }) => (flags & flag) !== 0).map(({ name }) => name);
	return set.length > 0 ? ['-b', set.join(',')] : [];
}
