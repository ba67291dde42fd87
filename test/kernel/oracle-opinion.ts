/**
 * What the wire should make of a frame, by tshark's dissection of it: the same words that fuzz.ts finds for what the
 * program did. Where the two differ on purpose, the rule stands here as a sentence.
 */
import type { Losses } from '../../src/decode/event.js';
import { canonicalAddress } from '../../src/table/address.js';
import { localAddresses, watched } from './fuzz-packets.js';
import type { Dissection, FieldName } from './oracle.js';
import { refusalFlags, tcpFlag } from './packets.js';

export interface Opinion {
	/** What is told or counted; nothing where the frame is none of the wire's business. */
	said: string;
	/** What is counted as lost; undefined where the oracle cannot say. */
	loss: keyof Losses | 'none' | undefined;
}

export const nothing: Opinion = { said: 'nothing', loss: 'none' };

function lost(loss: Opinion['loss']): Opinion {
	return { said: 'nothing', loss };
}

/**
 * Where tshark gives up before it comes to what a packet says, it cannot know what there was to lose; that nothing was
 * told it knows.
 */
const unread = lost(undefined);

const dress = ['eth', 'ethertype', 'vlan', 'ieee8021ad'];
/** One of these for each tag: two of 802.1ad in a row are one layer for tshark. */
const tagFields: FieldName[] = ['vlan.id', 'ieee8021ad.id', 'ieee8021ad.svid', 'ieee8021ad.cvid'];
/** The wire looks behind two tags (802.1ad outside, 802.1Q inside), tshark behind any number. */
const tagsMax = 2;
const extensions = ['ipv6.hopopts', 'ipv6.dstopts', 'ipv6.routing', 'ipv6.fraghdr', 'ah'];
/** The wire looks behind six extension headers and counts what has more as lost; tshark has no limit. */
const extensionsMax = 6;

function first({ fields }: Dissection, name: FieldName): string {
	return fields[name][0] ?? '';
}

function has({ fields }: Dissection, name: FieldName): boolean {
	return fields[name].length > 0;
}

function isMalformed({ fields }: Dissection, what: string): boolean {
	return fields['_ws.malformed'].some((text) => text.startsWith(`[Malformed Packet: ${what}`));
}

/**
 * undefined: tshark gave up inside an extension header or TCP's options, because it reads what these carry, and the
 * wire only how long they are.
 */
export function opinionOf(dissection: Dissection): Opinion | undefined {
	const [network, ...layers] = dissection.layers.filter((layer) => !dress.includes(layer));
	if (tagsOf(dissection) > tagsMax) return nothing;
	if (network === 'ip') return opinion4(dissection, layers);
	if (network === 'ipv6') return opinion6(dissection, layers);
	return has(dissection, '_ws.malformed') ? unread : nothing;
}

/** ICMP and TCP: of all else a fragment is none of the wire's business. */
const readProtocols = ['1', '6'];

/** tshark goes by the version in the header and not by the EtherType; the wire wants both to agree. */
function opinion4(dissection: Dissection, [transport]: string[]): Opinion | undefined {
	if (isMalformed(dissection, 'IPv4') || transport === 'ipv6') return unread;
	const isFragment = first(dissection, 'ip.flags.mf') === '1' || Number(first(dissection, 'ip.frag_offset')) > 0;
	if (isFragment && readProtocols.includes(first(dissection, 'ip.proto'))) return lost('fragment');
	if (transport === 'tcp') return answerOpinion(dissection, 'ip');
	return transport === undefined ? unread : nothing;
}

function opinion6(dissection: Dissection, layers: readonly string[]): Opinion | undefined {
	const chain = layers.findIndex((layer) => !extensions.includes(layer));
	const headers = chain < 0 ? layers : layers.slice(0, chain);
	const fragment = firstFragment(dissection, headers);
	if (fragment >= 0 && fragment < extensionsMax) return lost('fragment');
	if (headers.length > extensionsMax) return lost('headerChain');
	if (layers[chain] === 'tcp') return answerOpinion(dissection, 'ipv6');
	if (layers[chain] !== undefined) return nothing;
	return isMalformed(dissection, 'IPv6 ') ? undefined : unread;
}

/** Its place in the chain; a header without an offset and without more to come makes no fragment (RFC 6946). */
function firstFragment({ fields }: Dissection, headers: readonly string[]): number {
	const places = headers.flatMap((name, place) => (name === 'ipv6.fraghdr' ? [place] : []));
	const offsets = fields['ipv6.fraghdr.offset'];
	const found = offsets.findIndex((offset, at) => Number(offset) > 0 || fields['ipv6.fraghdr.more'][at] === '1');
	return places[found] ?? -1;
}

/** RST or SYN|ACK: all else in TCP is traffic. */
function isAnswer(flags: number): boolean {
	const shown = flags & (tcpFlag.rst | tcpFlag.syn | tcpFlag.ack);
	return (flags & tcpFlag.rst) !== 0 || shown === (tcpFlag.syn | tcpFlag.ack);
}

function wordFor(flags: number, sequence: number): string {
	if ((flags & tcpFlag.rst) === 0) return 'acceptance';
	const known = tcpFlag.rst | tcpFlag.ack | tcpFlag.syn | tcpFlag.fin;
	return (flags & known) === refusalFlags && sequence === 0 ? 'refusal' : 'reset';
}

const ethernetOctets = 14;
const octetsPerTag = 4;
const ipv6Octets = 40;

function tagsOf({ fields }: Dissection): number {
	return tagFields.reduce((sum, name) => sum + fields[name].length, 0);
}

/** tshark reads what there is of a packet that says it is longer; a host drops it (ip_rcv, net/ipv4/ip_input.c). */
function isLongerThanFrame(dissection: Dissection, network: 'ip' | 'ipv6'): boolean {
	const before = ethernetOctets + octetsPerTag * tagsOf(dissection);
	const octets =
		network === 'ip' ? Number(first(dissection, 'ip.len')) : ipv6Octets + Number(first(dissection, 'ipv6.plen'));
	return before + octets > Number(first(dissection, 'frame.len'));
}

/** A header that is cut in its options tells tshark something, and the wire nothing. */
function answerOpinion(dissection: Dissection, network: 'ip' | 'ipv6'): Opinion | undefined {
	if (!has(dissection, 'tcp.flags')) return unread;
	const flags = Number(first(dissection, 'tcp.flags')) & 0xff;
	const isCut = has(dissection, 'tcp.short_segment');
	if (!isAnswer(flags)) return isCut || isMalformed(dissection, 'TCP') ? unread : nothing;
	if (isCut) return lost('truncated');
	if (isLongerThanFrame(dissection, network)) return lost('malformedPacket');
	return isMalformed(dissection, 'TCP') ? undefined : { said: answer(dissection, network, flags), loss: 'none' };
}

function answer(dissection: Dissection, network: 'ip' | 'ipv6', flags: number): string {
	const source = addressOf(dissection, `${network}.src`);
	const destination = addressOf(dissection, `${network}.dst`);
	const port = Number(first(dissection, 'tcp.srcport'));
	if (!watched.some((endpoint) => endpoint.address === source && endpoint.port === port)) return nothing.said;
	const from = `tcp [${source}]:${port}`;
	const word = wordFor(flags, Number(first(dissection, 'tcp.seq')));
	if (localAddresses.includes(destination)) return `own ${word === 'acceptance' ? word : 'refusal'} ${from}`;
	return word === 'acceptance'
		? `${word} ${from}`
		: `${word} ${from} to ${destination} ${first(dissection, 'tcp.dstport')}`;
}

function addressOf(dissection: Dissection, name: FieldName): string {
	return canonicalAddress(first(dissection, name)) ?? '';
}
