/** An IP header as tshark has dissected it, extension headers included: at the top of a packet, in a quote, in a tunnel. */
import type { FieldName } from './oracle.js';
import type { Layers } from './oracle-layers.js';

/** The wire looks behind six extension headers and counts what has more as lost; tshark has no limit. */
export const extensionsMax = 6;

/** Of each extension header: which field names what follows, and how many octets it has. */
const extensions: Record<string, { next: FieldName; octets: (layers: Layers) => number }> = {
	'ipv6.hopopts': { next: 'ipv6.hopopts.nxt', octets: (layers) => layers.number('ipv6.hopopts.len_oct') ?? 0 },
	'ipv6.dstopts': { next: 'ipv6.dstopts.nxt', octets: (layers) => layers.number('ipv6.dstopts.len_oct') ?? 0 },
	'ipv6.routing': { next: 'ipv6.routing.nxt', octets: (layers) => layers.number('ipv6.routing.len_oct') ?? 0 },
	'ipv6.fraghdr': { next: 'ipv6.fraghdr.nxt', octets: () => 8 },
	// RFC 4302: in words of four octets, without the first two.
	ah: { next: 'ah.next_header', octets: (layers) => ((layers.number('ah.length') ?? 0) + 2) * 4 },
};
const extensionNumbers = [0, 43, 44, 51, 60];

export interface Ends {
	source: string;
	destination: string;
}

export interface IpHeader {
	version: 4 | 6;
	/** Undefined where the header is cut before them. */
	ends: Ends | undefined;
	/** tshark shows no addresses of an IPv4 header that is cut in its options or says that the packet is shorter. */
	hidesEnds: boolean;
	/** It is of another version than what it stands in says, or shorter than a header can be. */
	contradicts: boolean;
	/** What it carries, by number; undefined where that is not to be seen. */
	protocol: number | undefined;
	/** How much it says that it carries, behind extension headers. */
	octets: number;
	/** With its headers. */
	totalOctets: number;
	/** Not whole. */
	fragment: boolean;
	/** A piece from the middle: what it carries begins elsewhere. */
	later: boolean;
	tooManyExtensions: boolean;
	/** Nothing follows the extension headers: whether the last of them is whole, tshark does not say. */
	endsInExtension: boolean;
}

function endsOf(layers: Layers, network: 'ip' | 'ipv6'): Ends | undefined {
	const source = layers.address(`${network}.src`);
	const destination = layers.address(`${network}.dst`);
	return source === undefined || destination === undefined ? undefined : { source, destination };
}

/** tshark goes by the version in the header: an IPv4 header of version 6 has no fields, and a layer of IPv6 follows. */
function read4(layers: Layers): IpHeader {
	const ends = endsOf(layers, 'ip');
	const headerOctets = layers.number('ip.hdr_len') ?? 0;
	const totalOctets = layers.number('ip.len') ?? 0;
	const later = (layers.number('ip.frag_offset') ?? 0) > 0;
	const header: IpHeader = {
		version: 4,
		ends,
		hidesEnds: ends === undefined && (headerOctets > 20 || totalOctets < headerOctets),
		contradicts: headerOctets < 20,
		protocol: layers.number('ip.proto'),
		octets: totalOctets - headerOctets,
		totalOctets,
		fragment: later || layers.text('ip.flags.mf') === '1',
		later,
		tooManyExtensions: false,
		endsInExtension: false,
	};
	layers.next();
	return header;
}

/** Along the extension headers; what the chain ends in, and how long it is, goes into `header`. */
function walk(layers: Layers, header: IpHeader): void {
	let passed = 0;
	for (let extension = extensions[layers.name ?? '']; extension; extension = extensions[layers.name ?? '']) {
		// A header without an offset and without more to come makes no fragment (RFC 6946).
		const later = layers.name === 'ipv6.fraghdr' && (layers.number('ipv6.fraghdr.offset') ?? 0) > 0;
		const more = layers.name === 'ipv6.fraghdr' && layers.text('ipv6.fraghdr.more') === '1';
		if (passed < extensionsMax) {
			header.later ||= later;
			header.fragment ||= later || more;
		}
		header.protocol = layers.number(extension.next);
		header.octets -= extension.octets(layers);
		passed += 1;
		layers.next();
	}
	const goesOn = extensionNumbers.includes(header.protocol ?? -1);
	header.endsInExtension = layers.name === undefined && (passed > 0 || goesOn);
	header.tooManyExtensions = passed > extensionsMax || (passed === extensionsMax && goesOn);
	if (goesOn || header.tooManyExtensions) header.protocol = undefined;
}

function read6(layers: Layers): IpHeader {
	const octets = layers.number('ipv6.plen') ?? 0;
	const header: IpHeader = {
		version: 6,
		ends: endsOf(layers, 'ipv6'),
		hidesEnds: false,
		contradicts: layers.number('ipv6.version') !== 6,
		protocol: layers.number('ipv6.nxt'),
		octets,
		totalOctets: 40 + octets,
		fragment: false,
		later: false,
		tooManyExtensions: false,
		endsInExtension: false,
	};
	layers.next();
	walk(layers, header);
	return header;
}

/** Reads on to the first layer behind it; undefined where there is no such header. */
export function readIp(layers: Layers, version: number): IpHeader | undefined {
	if (version === 4 && layers.name === 'ip') return read4(layers);
	if (version === 6 && layers.name === 'ipv6') return read6(layers);
	return undefined;
}

/** tshark gave up inside options or an extension header: it reads what these carry, and the wire how long they are. */
export function gaveUp(layers: Layers): boolean {
	return layers.isMalformed('IPv4') || layers.isMalformed('IPv6 ') || layers.isMalformed('AH');
}
