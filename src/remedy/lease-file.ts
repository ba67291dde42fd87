/**
 * A lease as text: the lines of one ledger file, and the file's name.
 *
 * The lines must serve two readers. `deploy/give-back/ipvigil-give-back`, a shell script that has no Node, needs only
 * the first thirteen, ready-made: it compares them with what ipvsadm prints and hands `edit` to ipvsadm. A restarted
 * daemon reads all of them and has its Lease back, exactly. No file is opened here; `ledger.ts` does that.
 *
 *     format=1
 *     state=held                                      with-monitor: the weight is the monitor's by now
 *     id=tcp 10.0.0.100:8080                          which service, in our words and the last-writer text's
 *     service=-t 10.0.0.100:8080                      which service, in ipvsadm's words
 *     server=10.1.0.11:8080
 *     edit=-t 10.0.0.100:8080 -r 10.1.0.11:8080 -m -w 3   everything that `ipvsadm -e` needs to put it back
 *     written=0                                       empty: only a monitor was told, no weight is owed
 *     earlier=                                        our former weight, while the change to `written` is under way
 *     owed=3
 *     until=4242                                      seconds of CLOCK_BOOTTIME, what /proc/uptime shows; rounded up
 *     writer=4711                                     the process that wrote
 *     earlierWriter=                                  the one that wrote `earlier`
 *     file=/run/ipvigil/keepalived/tcp_10.0.0.100_8080_10.1.0.11_8080
 */
import type { EarlierWrite, Lease, LeaseState } from '../judge/lease.js';
import { hostPort, parseServiceId, serviceId } from '../table/identity.js';
import type { Destination, Forwarding, ServiceAddress, Stats, Tunnel } from '../table/model.js';
import { ruleArguments, serviceArguments } from '../table/rules.js';

/** What one ledger file holds. */
export interface LedgerEntry {
	lease: Lease;
	earlier: EarlierWrite | undefined;
	/** The monitor's file that must go with the lease. */
	trackFile: string | undefined;
}

/** What names a lease: its service and the destination's address and port. */
export type LeaseKey = { service: ServiceAddress; destination: Pick<Destination, 'address' | 'port'> };

const FORMAT = '1';
/** The longest file that is read back: a kilobyte of facts, a sentence, a path (PATH_MAX is 4,096). */
export const leaseBytesMax = 16_384;
/** A longer sentence is cut: the lease's file must stay readable whatever the judge says. */
const reasonCharactersMax = 1_000;

const forwardings: readonly Forwarding[] = ['masq', 'localnode', 'tunnel', 'droute', 'bypass'];
const tunnelTypes: readonly Tunnel['type'][] = ['ipip', 'gue', 'gre'];
const leaseStates: readonly LeaseState[] = ['held', 'with-monitor'];

/**
 * The name that the ledger's file and the monitor's track file share: `tcp_10.0.0.100_8080_10.1.0.11_8080`,
 * `fwmark_7_10.1.0.11_0`, `fwmark_7_inet6_fd00::11_0`. It holds nothing that a shell or a path would trip over.
 */
export function leaseName({ service, destination }: LeaseKey): string {
	const server = `${plainAddress(destination.address)}_${whole(destination.port)}`;
	if (service.kind === 'address') {
		return `${service.protocol}_${plainAddress(service.address)}_${whole(service.port)}_${server}`;
	}
	return `fwmark_${whole(service.fwmark)}${service.family === 'inet6' ? '_inet6' : ''}_${server}`;
}

/** True for a name that `leaseName` could have given: other people's files are none of our business. */
export function isLeaseName(name: string): boolean {
	return /^(?:(?:tcp|udp|sctp)_[0-9a-f.:]+_\d+|fwmark_\d+(?:_inet6)?)_[0-9a-f.:]+_\d+$/.test(name);
}

export function encodeLease({ lease, earlier, trackFile }: LedgerEntry): string {
	const { service, destination } = lease;
	const { address, port, upperThreshold, lowerThreshold, tunnel, stats } = destination;
	plainAddress(address);
	const lines: Record<string, string> = {
		format: FORMAT,
		state: lease.state,
		id: serviceId(service),
		service: serviceArguments(service).join(' '),
		server: hostPort(address, port),
		edit: ruleArguments(service, destination).join(' '),
		written: optional(lease.written),
		earlier: optional(earlier?.weight),
		owed: whole(destination.weight),
		until: whole(Math.ceil(lease.untilMs / 1000)),
		writer: whole(lease.pid),
		earlierWriter: optional(earlier?.pid),
		file: plainPath(trackFile ?? ''),
		sinceMs: String(lease.sinceMs),
		untilMs: String(lease.untilMs),
		count: whole(lease.count),
		forwarding: destination.forwarding,
		thresholds: `${whole(upperThreshold)} ${whole(lowerThreshold)}`,
		tunnel: `${tunnel.type} ${whole(tunnel.port)} ${whole(tunnel.flags)}`,
		connections: [destination.activeConnections, destination.inactiveConnections, destination.persistentConnections]
			.map(whole)
			.join(' '),
		stats: [stats.connections, stats.packetsIn, stats.packetsOut, stats.bytesIn, stats.bytesOut].join(' '),
		reason: JSON.stringify(lease.reason.slice(0, reasonCharactersMax)),
	};
	return Object.entries(lines)
		.map(([key, value]) => `${key}=${value}\n`)
		.join('');
}

/** Reads a ledger file's text; a text that `encodeLease` could not have written gives the reason instead. */
export function decodeLease(text: string): LedgerEntry | { problem: string } {
	try {
		return readEntry(splitLines(text));
	} catch (error) {
		if (error instanceof Unreadable) return { problem: error.message };
		throw error;
	}
}

/** Stays inside this file: `decodeLease` turns it into a value. */
class Unreadable extends Error {}

type Lines = (key: string) => string;

function splitLines(text: string): Lines {
	const values = new Map<string, string>();
	for (const line of text.split('\n').slice(0, -1)) {
		const at = line.indexOf('=');
		if (at < 1) throw new Unreadable(`"${line.slice(0, 40)}" is no key=value line`);
		const key = line.slice(0, at);
		if (values.has(key)) throw new Unreadable(`${key} stands twice`);
		values.set(key, line.slice(at + 1));
	}
	return (key) => {
		const value = values.get(key);
		if (value === undefined) throw new Unreadable(`${key} is missing`);
		return value;
	};
}

function readEntry(line: Lines): LedgerEntry {
	if (line('format') !== FORMAT) throw new Unreadable(`format is ${line('format')}, not ${FORMAT}`);
	const service = parseServiceId(line('id'));
	if (!service) throw new Unreadable(`id "${line('id')}" names no service`);
	const lease: Lease = {
		service,
		destination: readDestination(line),
		state: oneOf(line('state'), leaseStates, 'state'),
		written: readOptional(line, 'written'),
		sinceMs: readMs(line, 'sinceMs'),
		untilMs: readMs(line, 'untilMs'),
		count: readWhole(line('count'), 'count'),
		pid: readWhole(line('writer'), 'writer'),
		reason: readReason(line('reason')),
	};
	return { lease, earlier: readEarlier(line), trackFile: line('file') || undefined };
}

function readEarlier(line: Lines): EarlierWrite | undefined {
	const [weight, pid] = [readOptional(line, 'earlier'), readOptional(line, 'earlierWriter')];
	if ((weight === undefined) !== (pid === undefined)) throw new Unreadable('earlier and earlierWriter go together');
	return weight === undefined || pid === undefined ? undefined : { weight, pid };
}

function readDestination(line: Lines): Destination {
	const match = /^(?:\[([0-9a-f.:]+)\]|([0-9.]+)):(\d+)$/.exec(line('server'));
	if (!match) throw new Unreadable(`server "${line('server')}" is no address and port`);
	const [upperThreshold, lowerThreshold] = numbers(line, 'thresholds', 2);
	const [activeConnections, inactiveConnections, persistentConnections] = numbers(line, 'connections', 3);
	return {
		family: match[1] ? 'inet6' : 'inet',
		address: (match[1] ?? match[2]) as string,
		port: readWhole(match[3] as string, 'server'),
		forwarding: oneOf(line('forwarding'), forwardings, 'forwarding'),
		weight: readWhole(line('owed'), 'owed'),
		upperThreshold: upperThreshold as number,
		lowerThreshold: lowerThreshold as number,
		tunnel: readTunnel(line('tunnel')),
		activeConnections: activeConnections as number,
		inactiveConnections: inactiveConnections as number,
		persistentConnections: persistentConnections as number,
		stats: readStats(line('stats')),
	};
}

function readTunnel(text: string): Tunnel {
	const [type = '', port = '', flags = ''] = text.split(' ');
	return {
		type: oneOf(type, tunnelTypes, 'tunnel'),
		port: readWhole(port, 'tunnel'),
		flags: readWhole(flags, 'tunnel'),
	};
}

function readStats(text: string): Stats {
	if (!/^\d{1,20}( \d{1,20}){4}$/.test(text)) throw new Unreadable(`stats "${text}" are no five counters`);
	const [connections, packetsIn, packetsOut, bytesIn, bytesOut] = text.split(' ').map(BigInt) as [
		bigint,
		bigint,
		bigint,
		bigint,
		bigint,
	];
	return { connections, packetsIn, packetsOut, bytesIn, bytesOut };
}

function readReason(text: string): string {
	try {
		const reason: unknown = JSON.parse(text);
		if (typeof reason === 'string') return reason;
	} catch {
		// Told below, together with a value that is no string.
	}
	throw new Unreadable('reason is no quoted sentence');
}

function numbers(line: Lines, key: string, count: number): number[] {
	const words = line(key).split(' ');
	if (words.length !== count) throw new Unreadable(`${key} holds ${words.length} numbers, not ${count}`);
	return words.map((word) => readWhole(word, key));
}

function readWhole(text: string, key: string): number {
	const value = Number(text);
	if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value))
		throw new Unreadable(`${key} "${text}" is no whole number`);
	return value;
}

function readOptional(line: Lines, key: string): number | undefined {
	return line(key) === '' ? undefined : readWhole(line(key), key);
}

/** Milliseconds may carry a fraction; only the very text that String() gives is taken. */
function readMs(line: Lines, key: string): number {
	const value = Number(line(key));
	if (!Number.isFinite(value) || value < 0 || String(value) !== line(key)) throw new Unreadable(`${key} is no time`);
	return value;
}

function oneOf<T extends string>(text: string, allowed: readonly T[], key: string): T {
	const found = allowed.find((word) => word === text);
	if (found === undefined) throw new Unreadable(`${key} "${text}" is none of ${allowed.join(', ')}`);
	return found;
}

function optional(number: number | undefined): string {
	return number === undefined ? '' : whole(number);
}

function whole(value: number): string {
	if (!Number.isSafeInteger(value) || value < 0)
		throw new RangeError(`${value} cannot stand in a lease: it is no whole number`);
	return String(value);
}

function plainAddress(address: string): string {
	if (!/^[0-9a-f.:]{2,45}$/.test(address))
		throw new RangeError(`"${address}" cannot stand in a lease: it is no canonical address`);
	return address;
}

function plainPath(path: string): string {
	// biome-ignore lint/suspicious/noControlCharactersInRegex: a line break in a path would begin a new line of the file.
	if (/[\0-\x1f\x7f]/.test(path) || path.endsWith('='))
		throw new RangeError(`"${path}" cannot stand in a lease: it is no plain path`);
	return path;
}
