/** What an ICMP error testifies to, by tshark's dissection of the packet that it quotes. */
import type { Losses } from '../../src/decode/event.js';
import { localAddresses, watched } from './fuzz-addresses.js';
import { tunnelPort } from './icmp-packets.js';
import { type Ends, gaveUp, type IpHeader, readIp } from './oracle-ip.js';
import type { Layers } from './oracle-layers.js';
import { losses, lost, nothing, type Opinion, unread } from './oracle-words.js';

/** Destination unreachable and time exceeded (RFC 792, RFC 4443). */
const errorTypes = { 4: [3, 11], 6: [1, 3] };
const transports: Record<number, 'tcp' | 'udp' | 'sctp'> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };
const etherTypes: Record<number, number> = { 2048: 4, 34525: 6 };
const versions: Record<number, number> = { 4: 4, 41: 6 };
const [udp, gre] = [17, 47];

type Outer = IpHeader & { ends: Ends };
/** Of UDP and of TCP: a quoted packet that says it carries less was never sent. */
const transportOctetsMin = 20;

interface Report {
	/** Whom the error is about. */
	address: string;
	protocol: string;
	port: number;
	client: string;
	clientPort: number;
	sequence: number;
	tunnel: 'none' | 'ipip' | 'gue' | 'gre';
	/** Counted on the way, whatever comes of the report. */
	lost: (keyof Losses)[];
}

export function errorOpinion(layers: Layers, carrier: Outer & { exceedsFrame: boolean }): Opinion | undefined {
	const icmp = carrier.version === 4 ? 'icmp' : 'icmpv6';
	const [type, code] = [layers.number(`${icmp}.type`), layers.number(`${icmp}.code`)];
	if (type === undefined || code === undefined) return unread;
	if (!errorTypes[carrier.version].includes(type)) return carrier.exceedsFrame ? unread : nothing;
	// RFC 4884: tshark ends the quote where this length says, and the wire does not look at it.
	if ((layers.number(`${icmp}.length`) ?? 0) > 0) return undefined;
	layers.next();
	if (carrier.exceedsFrame) return layers.name === undefined ? unread : lost('malformedPacket');
	const quoted = readIp(layers, carrier.version);
	if (quoted === undefined) return layers.name === undefined ? lost('truncated') : unread;
	if (quoted.hidesEnds || quoted.endsInExtension) return undefined;
	if (quoted.ends === undefined) return quoted.contradicts ? unread : lost('truncated');
	if (quoted.contradicts) return lost('badQuote');
	if (gaveUp(layers)) return undefined;
	return quoteOpinion(layers, carrier, { ...quoted, ends: quoted.ends }, `${type}/${code}`);
}

function quoteOpinion(layers: Layers, carrier: Outer, quoted: Outer, what: string): Opinion | undefined {
	const report = reportOf(layers, quoted);
	if (report === undefined || 'said' in report) return report;
	return weigh(report, carrier, quoted.ends.source, what);
}

function reportOf(layers: Layers, quoted: Outer): Report | Opinion | undefined {
	const { source: client, destination: address } = quoted.ends;
	const tunnel = tunnelOf(layers, quoted);
	if (tunnel !== 'none') return behindTunnel(layers, quoted, { ...unknown, address, tunnel });
	if (quoted.protocol !== undefined && transports[quoted.protocol] === undefined) return nothing;
	const ports = portsOf(layers, quoted);
	return ports && { ...unknown, address, client, ...ports, lost: lossesOf(quoted) };
}

/** What an outer header alone tells. */
const unknown = {
	protocol: 'nothing known',
	port: 0,
	client: '::',
	clientPort: 0,
	sequence: 0,
	tunnel: 'none' as const,
	lost: [] as (keyof Losses)[],
};

function lossesOf({ tooManyExtensions }: IpHeader): (keyof Losses)[] {
	return tooManyExtensions ? ['headerChain'] : [];
}

/**
 * The transport header is the layer that the walk stands at; what is not quoted of it is zero. undefined: tshark wants
 * all twelve octets of SCTP's, and of TCP's more than the wire, before it shows ports and sequence number; and it ends
 * a packet where the packet's own length says, which of a quote nobody believes.
 */
function portsOf(layers: Layers, { protocol = -1, later, octets }: IpHeader) {
	const name = transports[protocol];
	if (name === undefined) return {};
	if (later) return { protocol: name };
	if (octets < transportOctetsMin) return undefined;
	if (layers.name !== name) return name === 'sctp' ? undefined : { protocol: name };
	const [port, clientPort] = [layers.number(`${name}.dstport`) ?? 0, layers.number(`${name}.srcport`) ?? 0];
	const sequence = name === 'tcp' ? layers.number('tcp.seq') : 0;
	return sequence === undefined ? undefined : { protocol: name, port, clientPort, sequence };
}

function tunnelOf(layers: Layers, { protocol = -1, ends }: Outer): Report['tunnel'] {
	if (versions[protocol] !== undefined) return 'ipip';
	if (protocol === gre) return 'gre';
	const isGue = protocol === udp && layers.name === 'udp' && layers.number('udp.dstport') === tunnelPort;
	return isGue && localAddresses.includes(ends.source) ? 'gue' : 'none';
}

/** Steps to the inner packet, and says of which version it should be; undefined where there is none to be found. */
function stepInside(layers: Layers, { protocol = -1, later }: IpHeader, tunnel: Report['tunnel']): number | undefined {
	if (later) return undefined;
	if (tunnel === 'ipip') return versions[protocol];
	if (tunnel === 'gue') {
		layers.next();
		return layers.name === 'gue' ? versionBehind(layers) : undefined;
	}
	const readable = layers.number('gre.flags.version') === 0 && layers.number('gre.flags.routing') === 0;
	const version = etherTypes[layers.number('gre.proto') ?? 0];
	layers.next();
	return readable ? version : undefined;
}

function versionBehind(layers: Layers): number {
	layers.next();
	return layers.name === 'ip' ? 4 : 6;
}

/** Octets between the outer and the inner header, with all optional fields and without. */
const overheads = {
	none: { most: 0, least: 0 },
	ipip: { most: 0, least: 0 },
	gre: { most: 16, least: 4 },
	gue: { most: 24, least: 8 },
};
const headerOctets: Record<number, number> = { 4: 20, 6: 40 };

/** The outer packet alone names the host, and the inner one, as far as it is quoted, the endpoint and the client. */
function behindTunnel(layers: Layers, quoted: Outer, host: Report): Report | Opinion | undefined {
	const udpOctets = host.tunnel === 'gue' ? layers.number('udp.length') : undefined;
	if (udpOctets !== undefined && udpOctets !== quoted.octets) return undefined;
	const { most, least } = overheads[host.tunnel];
	const version = stepInside(layers, quoted, host.tunnel);
	if (version === undefined) return host;
	const inner = readIp(layers, version);
	if (inner?.ends === undefined) {
		const isCut = inner ? !inner.contradicts && !inner.hidesEnds : layers.name === undefined;
		return isCut && quoted.octets >= most + (headerOctets[version] ?? 0) ? host : undefined;
	}
	if (inner.contradicts) return lost('badQuote');
	if (inner.endsInExtension || quoted.octets < least + inner.totalOctets) return undefined;
	const ports = portsOf(layers, inner);
	return ports && { ...host, client: inner.ends.source, ...ports, lost: lossesOf(inner) };
}

/** An error goes to the source of the packet it quotes, a tunnel's to the director: else it is made up. */
function weigh(report: Report, carrier: Outer, origin: string, what: string): Opinion {
	const { address, protocol, port, client, clientPort, sequence, tunnel } = report;
	const loss = losses(report.lost);
	if (!watched.some((endpoint) => endpoint.address === address)) return { ...nothing, loss };
	const isPlausible = carrier.ends.destination === origin && (tunnel === 'none' || localAddresses.includes(origin));
	if (!isPlausible) return lost(...report.lost, 'badQuote');
	const known = watched.some((one) => one.address === address && one.protocol === protocol && one.port === port);
	if (localAddresses.includes(client))
		return { said: `own unreachable ${known ? `${protocol} [${address}]:${port}` : address}`, loss };
	const from = `from ${client} ${clientPort} by ${carrier.ends.source}`;
	const said = `unreachable ${what} ${protocol} [${address}]:${port} ${from} sequence ${sequence} tunnel ${tunnel}`;
	return { said, loss };
}
