/**
 * The classic BPF program of the VIP probe's packet socket (linux/filter.h, Documentation/networking/filter.rst): of all
 * that an interface receives it lets through what may be an answer to us, and cuts it to what is read. Addresses and ports
 * only: what is really an answer, `vip-question.ts` finds out. PURE.
 */
import { familyOf } from '../table/address.js';
import { exchangeOctetsMax } from './exchange.js';
import { addressOctets, viewOf } from './vip-octets.js';
import { etherType, ipProtocol } from './vip-packet.js';

/** Above ip_local_port_range as Linux sets it (32768 to 60999, net/ipv4/af_inet.c): no connection of the director has these. */
export const sourcePorts = { first: 61_000, count: 65_536 - 61_000 } as const;

/**
 * The longest answer is a server's to a request, with all the options that IPv4 and TCP can have: 14 + 60 + 60 octets and
 * what is read of its data. An error about our IPv6 packet in GUE has 14 + 40 + 8 + 40 + 12 + 40 + 8 octets.
 */
const answerOctetsMax = 14 + 60 + 60 + exchangeOctetsMax;

/** BPF_CLASS with BPF_SIZE and BPF_MODE, or BPF_OP (linux/bpf_common.h). The loads "at" count from X. */
const operation = {
	loadWord: 0x20,
	loadHalf: 0x28,
	loadByte: 0x30,
	loadHalfAt: 0x48,
	loadByteAt: 0x50,
	/** X = 4 * ([value] & 0xf). */
	loadHeaderLength: 0xb1,
	ifEqual: 0x15,
	ifAtLeast: 0x35,
	ifAnyBit: 0x45,
	give: 0x06,
} as const;
type Operation = keyof typeof operation;

/** A label stands before the instruction that it names; `next` is the next one. */
type Line = string | readonly [Operation, value: number, yes?: string, no?: string];

/** Offsets from the Ethernet header on. */
const typeAt = 12;
const packetAt = 14;
const arp = { operation: 20, targetAddress: 38 };
const ipv4 = { fragment: 20, protocol: 23, destination: 30 };
const ipv6 = { nextHeader: 20, destination: 38, payload: 54 };
/** From the TCP header on. */
const tcp = { destinationPort: 2 };

const arpReply = 2;
const icmpUnreachable = 3;
const icmp6Unreachable = 1;
const icmp6ParameterProblem = 4;
const icmp6Advertisement = 136;

const ending: Line[] = ['take', ['give', answerOctetsMax], 'drop', ['give', 0]];

function ipv4Program(address: number): Line[] {
	return [
		['loadHalf', typeAt],
		['ifEqual', etherType.arp, 'arp', 'next'],
		['ifEqual', etherType.ipv4, 'next', 'drop'],
		['loadWord', ipv4.destination],
		['ifEqual', address, 'next', 'drop'],
		['loadHalf', ipv4.fragment],
		['ifAnyBit', 0x1fff, 'drop', 'next'],
		['loadHeaderLength', packetAt],
		['loadByte', ipv4.protocol],
		['ifEqual', ipProtocol.icmp, 'icmp', 'next'],
		['ifEqual', ipProtocol.tcp, 'next', 'drop'],
		['loadHalfAt', packetAt + tcp.destinationPort],
		['ifAtLeast', sourcePorts.first, 'take', 'drop'],
		'icmp',
		['loadByteAt', packetAt],
		['ifEqual', icmpUnreachable, 'take', 'drop'],
		'arp',
		['loadHalf', arp.operation],
		['ifEqual', arpReply, 'next', 'drop'],
		['loadWord', arp.targetAddress],
		['ifEqual', address, 'take', 'drop'],
		...ending,
	];
}

function ipv6Program(words: readonly number[]): Line[] {
	return [
		['loadHalf', typeAt],
		['ifEqual', etherType.ipv6, 'next', 'drop'],
		...words.flatMap((word, index): Line[] => [
			['loadWord', ipv6.destination + 4 * index],
			['ifEqual', word, 'next', 'drop'],
		]),
		['loadByte', ipv6.nextHeader],
		['ifEqual', ipProtocol.icmp6, 'icmp6', 'next'],
		['ifEqual', ipProtocol.tcp, 'next', 'drop'],
		['loadHalf', ipv6.payload + tcp.destinationPort],
		['ifAtLeast', sourcePorts.first, 'take', 'drop'],
		'icmp6',
		['loadByte', ipv6.payload],
		['ifEqual', icmp6Unreachable, 'take', 'next'],
		['ifEqual', icmp6ParameterProblem, 'take', 'next'],
		['ifEqual', icmp6Advertisement, 'take', 'drop'],
		...ending,
	];
}

/** The program for frames to this address of ours, as `PacketSocket` takes it. */
export function answerFilter(source: string): Uint8Array {
	const view = viewOf(addressOctets(source));
	const words = Array.from({ length: view.byteLength / 4 }, (_, index) => view.getUint32(4 * index));
	return assemble(familyOf(source) === 'inet' ? ipv4Program(words[0] ?? 0) : ipv6Program(words));
}

/** struct sock_filter: code, how far to jump if so and if not, value; in the machine's own order. */
function assemble(lines: readonly Line[]): Uint8Array {
	const labels = new Map<string, number>();
	const instructions: Exclude<Line, string>[] = [];
	for (const line of lines) {
		if (typeof line === 'string') labels.set(line, instructions.length);
		else instructions.push(line);
	}
	const octets = new Uint8Array(8 * instructions.length);
	for (const [index, [name, value, yes = 'next', no = 'next']] of instructions.entries()) {
		const distance = (label: string) => (labels.get(label) ?? index + 1) - index - 1;
		new Uint16Array(octets.buffer, 8 * index, 1)[0] = operation[name];
		octets.set([distance(yes), distance(no)], 8 * index + 2);
		new Uint32Array(octets.buffer, 8 * index + 4, 1)[0] = value;
	}
	return octets;
}
