/**
 * Reads the rules format of `ipvsadm -S -n`, the table's second source beside netlink and the form that people keep
 * tables in (/etc/ipvsadm.rules). A file that is wrong in one line gives no table at all, and says which line,
 * what stands there and what was expected. Names are not resolved: save with -n. PURE.
 */
import { canonicalAddress, familyOf, parseIpv4 } from './address.js';
import { hostPort, parseHostPort, serviceId } from './identity.js';
import {
	type Destination,
	type Family,
	type Forwarding,
	noStats,
	type Protocol,
	type Service,
	type ServiceAddress,
	type Snapshot,
	serviceFlags,
	type Tunnel,
	tunnelFlags,
} from './model.js';
import { type OptionName, type Options, readOptions, Wrong } from './rules-options.js';

export type RulesResult =
	| { ok: true; snapshot: Snapshot }
	| { ok: false; line: number; found: string; expected: string };

/** The kernel keeps weights and thresholds in a signed 32-bit number (struct ip_vs_dest). */
const signedMax = 0x7fffffff;
const portMax = 65535;
/** ipvsadm's MAX_TIMEOUT: 31 days. */
const persistenceSecondsMax = 31 * 86_400;
const persistenceSecondsDefault = 300;
/** IP_VS_SCHEDNAME_MAXLEN and IP_VS_PENAME_MAXLEN are 16 with the closing zero. */
const namePattern = /^[a-zA-Z0-9_-]{1,15}$/;

/** Reads a whole file; blank lines and lines that begin with `#` say nothing. */
export function parseRules(text: string): RulesResult {
	const services = new Map<string, Service>();
	for (const [index, line] of text.split('\n').entries()) {
		if (/^\s*(#|$)/.test(line)) continue;
		const wrong = takeLine(line, services);
		if (wrong) return { ok: false, line: index + 1, found: wrong.found, expected: wrong.expected };
	}
	return { ok: true, snapshot: { services: [...services.values()] } };
}

function takeLine(line: string, services: Map<string, Service>): Wrong | undefined {
	const options = readOptions(line);
	if (options instanceof Wrong) return options;
	const address = readServiceAddress(options);
	if (address instanceof Wrong) return address;
	const isService = options.has('add-service');
	if (isService === options.has('add-server')) return new Wrong(commandOf(options), 'exactly one of -A and -a');
	return isService ? takeService(address, options, services) : takeDestination(address, options, services);
}

function commandOf(options: Options): string {
	return options.has('add-service') ? 'both -A and -a' : 'neither -A nor -a';
}

function takeService(address: ServiceAddress, options: Options, services: Map<string, Service>): Wrong | undefined {
	const stray = strayOption(options, serviceOptions);
	if (stray) return new Wrong(`--${stray}`, 'an option of a service (-A)');
	const id = serviceId(address);
	if (services.has(id)) return new Wrong(`${id} a second time`, 'each service once');
	const service = readService(address, options);
	if (service instanceof Wrong) return service;
	services.set(id, service);
	return undefined;
}

function takeDestination(address: ServiceAddress, options: Options, services: Map<string, Service>): Wrong | undefined {
	const stray = strayOption(options, destinationOptions);
	if (stray) return new Wrong(`--${stray}`, 'an option of a real server (-a)');
	const service = services.get(serviceId(address));
	if (!service) return new Wrong(`a server of ${serviceId(address)}`, 'the service above it (-A)');
	const destination = readDestination(address, options);
	if (destination instanceof Wrong) return destination;
	const { address: host, port } = destination;
	if (service.destinations.some((known) => known.address === host && known.port === port)) {
		return new Wrong(`${hostPort(host, port)} a second time`, 'each server once in a service');
	}
	service.destinations.push(destination);
	return undefined;
}

const addressOptions: OptionName[] = ['tcp-service', 'udp-service', 'sctp-service', 'fwmark-service', 'ipv6'];
const serviceOptions = new Set<OptionName>([
	...addressOptions,
	...(['add-service', 'scheduler', 'persistent', 'netmask', 'pe', 'ops', 'sched-flags'] as const),
]);
const forwardingOptions: Partial<Record<OptionName, Forwarding>> = {
	gatewaying: 'droute',
	ipip: 'tunnel',
	masquerading: 'masq',
};
const tunnelFlagOptions: Partial<Record<OptionName, number>> = {
	'tun-nocsum': tunnelFlags.noChecksum,
	'tun-csum': tunnelFlags.checksum,
	'tun-remcsum': tunnelFlags.remoteChecksum,
};
const destinationOptions = new Set<OptionName>([
	...addressOptions,
	...(['add-server', 'real-server', 'weight', 'u-threshold', 'l-threshold', 'tun-type', 'tun-port'] as const),
	...(Object.keys(forwardingOptions) as OptionName[]),
	...(Object.keys(tunnelFlagOptions) as OptionName[]),
]);

function strayOption(options: Options, allowed: ReadonlySet<OptionName>): OptionName | undefined {
	for (const name of options.keys()) if (!allowed.has(name)) return name;
	return undefined;
}

function readServiceAddress(options: Options): ServiceAddress | Wrong {
	const given = addressOptions.filter((name) => name !== 'ipv6' && options.has(name));
	const name = given[0];
	if (name === undefined || given.length > 1)
		return new Wrong(`${given.length} services`, 'one of -t, -u, --sctp-service and -f');
	const text = options.get(name) ?? '';
	if (name === 'fwmark-service') {
		const fwmark = readNumber(text, 1, 0xffffffff, 'a firewall mark');
		return fwmark instanceof Wrong
			? fwmark
			: { kind: 'fwmark', family: options.has('ipv6') ? 'inet6' : 'inet', fwmark };
	}
	const host = readHost(text, 0);
	if (host instanceof Wrong) return host;
	return { kind: 'address', protocol: name.replace('-service', '') as Protocol, ...host };
}

/** `10.0.0.1:80`, `[fd00::1]:80`, or the address alone, which then has the port `portDefault`. */
function readHost(text: string, portDefault: number): { family: Family; address: string; port: number } | Wrong {
	const host = parseHostPort(text);
	if (host) return host;
	const address = canonicalAddress(/^\[(.*:.*)\]$/.exec(text)?.[1] ?? text);
	if (address !== undefined) return { family: familyOf(address), address, port: portDefault };
	return new Wrong(
		`"${text}"`,
		'a numeric address and port, such as 10.0.0.1:80 or [fd00::1]:80 (save with ipvsadm -S -n)',
	);
}

function readNumber(text: string, min: number, max: number, what: string): number | Wrong {
	const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
	return value >= min && value <= max ? value : new Wrong(`"${text}"`, `${what} from ${min} to ${max}`);
}

/** The number after an option, or `fallback` where the option is absent. */
function readOption(options: Options, name: OptionName, fallback: number, max: number): number | Wrong {
	const text = options.get(name);
	return text === undefined ? fallback : readNumber(text, 0, max, `--${name}`);
}

function readName(options: Options, name: OptionName, fallback: string): string | Wrong {
	const text = options.get(name) ?? fallback;
	return text === '' || namePattern.test(text) ? text : new Wrong(`"${text}"`, `--${name} of at most 15 letters`);
}

function readService(address: ServiceAddress, options: Options): Service | Wrong {
	const scheduler = readName(options, 'scheduler', 'wlc');
	if (scheduler instanceof Wrong) return scheduler;
	const persistenceEngine = readName(options, 'pe', '');
	if (persistenceEngine instanceof Wrong) return persistenceEngine;
	const persistenceSeconds = readPersistence(options);
	if (persistenceSeconds instanceof Wrong) return persistenceSeconds;
	const netmask = readNetmask(options.get('netmask'), address.family);
	if (netmask instanceof Wrong) return netmask;
	const flags = readSchedulerFlags(options.get('sched-flags'));
	if (flags instanceof Wrong) return flags;
	const persistent = options.has('persistent') ? serviceFlags.persistent : 0;
	const onePacket = options.has('ops') ? serviceFlags.onePacket : 0;
	const shape = { scheduler, persistenceSeconds, netmask, persistenceEngine };
	return { address, ...shape, flags: flags | persistent | onePacket, stats: noStats, destinations: [] };
}

function readPersistence(options: Options): number | Wrong {
	const text = options.get('persistent');
	if (text === undefined) return 0;
	return text === ''
		? persistenceSecondsDefault
		: readNumber(text, 1, persistenceSecondsMax, 'a persistence time in seconds');
}

function readNetmask(text: string | undefined, family: Family): string | Wrong {
	if (family === 'inet') return readIpv4Netmask(text ?? '255.255.255.255');
	const prefix = readNumber(text ?? '128', 1, 128, 'an IPv6 prefix length');
	return prefix instanceof Wrong ? prefix : String(prefix);
}

function readIpv4Netmask(text: string): string | Wrong {
	return parseIpv4(text) ? text : new Wrong(`"${text}"`, 'an IPv4 netmask such as 255.255.255.0');
}

const schedulerFlagNames: Record<string, number> = {
	'flag-1': serviceFlags.scheduler1,
	'flag-2': serviceFlags.scheduler2,
	'flag-3': serviceFlags.scheduler3,
	'sh-fallback': serviceFlags.scheduler1,
	'sh-port': serviceFlags.scheduler2,
	'mh-fallback': serviceFlags.scheduler1,
	'mh-port': serviceFlags.scheduler2,
};

function readSchedulerFlags(text: string | undefined): number | Wrong {
	if (text === undefined) return 0;
	let flags = 0;
	for (const name of text.split(',')) {
		const flag = Object.hasOwn(schedulerFlagNames, name) ? schedulerFlagNames[name] : undefined;
		if (flag === undefined) return new Wrong(`"${name}"`, `one of ${Object.keys(schedulerFlagNames).join(', ')}`);
		flags |= flag;
	}
	return flags;
}

function readDestination(service: ServiceAddress, options: Options): Destination | Wrong {
	const text = options.get('real-server');
	if (text === undefined) return new Wrong('no -r', 'the real server (-r)');
	const host = readHost(text, service.kind === 'address' ? service.port : 0);
	if (host instanceof Wrong) return host;
	const forwarding = readForwarding(options);
	if (forwarding instanceof Wrong) return forwarding;
	const weight = readOption(options, 'weight', 1, signedMax);
	if (weight instanceof Wrong) return weight;
	const upperThreshold = readOption(options, 'u-threshold', 0, signedMax);
	if (upperThreshold instanceof Wrong) return upperThreshold;
	const lowerThreshold = readOption(options, 'l-threshold', 0, signedMax);
	if (lowerThreshold instanceof Wrong) return lowerThreshold;
	const tunnel = readTunnel(options);
	if (tunnel instanceof Wrong) return tunnel;
	const idle = { activeConnections: 0, inactiveConnections: 0, persistentConnections: 0, stats: noStats };
	return { ...host, forwarding, weight, upperThreshold, lowerThreshold, tunnel, ...idle };
}

/** Without -g, -i or -m a server is reached by direct routing: ipvsadm(8). */
function readForwarding(options: Options): Forwarding | Wrong {
	const given = (Object.keys(forwardingOptions) as OptionName[]).filter((name) => options.has(name));
	if (given.length > 1) return new Wrong(given.map((name) => `--${name}`).join(' and '), 'one of -g, -i and -m');
	return (given[0] && forwardingOptions[given[0]]) ?? 'droute';
}

function readTunnel(options: Options): Tunnel | Wrong {
	const type = options.get('tun-type') ?? 'ipip';
	if (type !== 'ipip' && type !== 'gue' && type !== 'gre') return new Wrong(`"${type}"`, '--tun-type ipip, gue or gre');
	const port = readOption(options, 'tun-port', 0, portMax);
	if (port instanceof Wrong) return port;
	const given = (Object.keys(tunnelFlagOptions) as OptionName[]).filter((name) => options.has(name));
	if (given.length > 1) return new Wrong(given.map((name) => `--${name}`).join(' and '), 'one of the checksum options');
	return { type, port, flags: (given[0] && tunnelFlagOptions[given[0]]) ?? 0 };
}
