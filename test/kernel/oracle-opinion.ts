/**
 * What the wire should make of a frame, by tshark's dissection of it: the same words that fuzz.ts finds for what the
 * program did. Where the two differ on purpose, the rule stands here, and in the files beside, as a sentence.
 */
import { localAddresses, watched } from './fuzz-addresses.js';
import type { Dissection, FieldName } from './oracle.js';
import { type Ends, gaveUp, type IpHeader, readIp } from './oracle-ip.js';
import { Layers } from './oracle-layers.js';
import { errorOpinion } from './oracle-quote.js';
import { lost, nothing, type Opinion, unread } from './oracle-words.js';
import { ipProtocol, refusalFlags, tcpFlag } from './packets.js';

const dress = ['eth', 'ethertype', 'vlan', 'ieee8021ad'];
/** One of these for each tag: two of 802.1ad in a row are one layer for tshark. */
const tagFields: FieldName[] = ['vlan.id', 'ieee8021ad.id', 'ieee8021ad.svid', 'ieee8021ad.cvid'];
/** The wire looks behind two tags (802.1ad outside, 802.1Q inside), tshark behind any number. */
const tagsMax = 2;

/** Of an Ethernet header and of each tag. */
const [ethernetOctets, tagOctets] = [14, 4];

type Carrier = IpHeader & { ends: Ends; exceedsFrame: boolean };

/** undefined: tshark gave up in something that it reads, and of which the wire only takes the length. */
export function opinionOf(dissection: Dissection): Opinion | undefined {
	const layers = new Layers(dissection);
	while (dress.includes(layers.name ?? '')) layers.next();
	const tags = layers.count(tagFields);
	if (tags > tagsMax) return nothing;
	const ip = readIp(layers, 4) ?? readIp(layers, 6);
	if (ip === undefined) return layers.has('_ws.malformed') ? unread : nothing;
	if (ip.contradicts || ip.ends === undefined) return unread;
	const exceedsFrame = ethernetOctets + tags * tagOctets + ip.totalOctets > layers.frameOctets;
	return (ip.version === 4 ? opinion4 : opinion6)(layers, { ...ip, ends: ip.ends, exceedsFrame });
}

function opinion4(layers: Layers, ip: Carrier): Opinion | undefined {
	if (ip.protocol !== ipProtocol.tcp && ip.protocol !== ipProtocol.icmp) return nothing;
	if (layers.name === undefined && gaveUp(layers)) return undefined;
	return ip.fragment ? lost('fragment') : messageOpinion(layers, ip);
}

function opinion6(layers: Layers, ip: Carrier): Opinion | undefined {
	if (ip.fragment) return lost('fragment');
	if (layers.name === undefined && gaveUp(layers)) return undefined;
	if (ip.tooManyExtensions) return lost('headerChain');
	return messageOpinion(layers, ip);
}

function messageOpinion(layers: Layers, ip: Carrier): Opinion | undefined {
	if (layers.name === 'tcp') return answerOpinion(layers, ip);
	if (layers.name === (ip.version === 4 ? 'icmp' : 'icmpv6')) return errorOpinion(layers, ip);
	// tshark takes ICMPv6 for data where the length of the quote (RFC 4884) cannot be, at which the wire does not look.
	if (ip.protocol === ipProtocol.icmp6 && layers.name === 'data') return undefined;
	return layers.name === undefined ? unread : nothing;
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

/**
 * A header that is cut in its options tells tshark something, and the wire nothing; so does a packet that says it is
 * longer than the frame, which a host drops (ip_rcv, net/ipv4/ip_input.c).
 */
function answerOpinion(layers: Layers, ip: Carrier): Opinion | undefined {
	const flags = layers.number('tcp.flags');
	if (flags === undefined) return unread;
	const isCut = layers.has('tcp.short_segment');
	if (!isAnswer(flags & 0xff)) return isCut || layers.isMalformed('TCP') ? unread : nothing;
	if (isCut) return lost('truncated');
	if (ip.exceedsFrame) return lost('malformedPacket');
	if (layers.isMalformed('TCP')) return undefined;
	return { said: answer(layers, ip, flags & 0xff), loss: 'none' };
}

function answer(layers: Layers, { ends: { source, destination } }: Carrier, flags: number): string {
	const port = layers.number('tcp.srcport');
	const isWatched = watched.some((one) => one.protocol === 'tcp' && one.address === source && one.port === port);
	if (!isWatched) return nothing.said;
	const from = `tcp [${source}]:${port}`;
	const word = wordFor(flags, layers.number('tcp.seq') ?? 0);
	if (localAddresses.includes(destination)) return `own ${word === 'acceptance' ? word : 'refusal'} ${from}`;
	return word === 'acceptance' ? `${word} ${from}` : `${word} ${from} to ${destination} ${layers.text('tcp.dstport')}`;
}
