/**
 * The frames of the fuzz: valid ones of every kind that the wire cares about, in every dress (options, extension
 * headers, VLAN tags), mostly spoiled afterwards, and noise. What they mean is not said here: the oracle is asked.
 */
import type { Endpoint } from '../../src/table/model.js';
import { mutate } from './fuzz-mutations.js';
import type { Random } from './fuzz-random.js';
import {
	customerTag,
	destinationOptions,
	type Extension,
	fragmentHeader,
	frame4,
	frame6,
	hopByHop,
	type Ipv4Header,
	ipv4,
	ipv6,
	serviceTag,
	type Tag,
	tcp,
	tcpFlag,
} from './packets.js';

export type Family = Endpoint['family'];

/** Watched, so that what they send is told; the fuzz draws from others too. */
export const watched: readonly Endpoint[] = [
	{ protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 8080 },
	{ protocol: 'tcp', family: 'inet', address: '10.1.0.11', port: 443 },
	{ protocol: 'tcp', family: 'inet', address: '10.1.0.12', port: 8080 },
	{ protocol: 'tcp', family: 'inet6', address: 'fd00::11', port: 8080 },
	{ protocol: 'tcp', family: 'inet6', address: 'fd00::12', port: 443 },
];

/** The director's own: what is sent to them is no testimony. */
export const localAddresses: readonly string[] = ['10.1.0.1', 'fd00::1'];

type Some<T> = readonly [T, ...T[]];
const servers: Record<Family, Some<string>> = {
	inet: ['10.1.0.11', '10.1.0.11', '10.1.0.12', '10.1.0.13'],
	inet6: ['fd00::11', 'fd00::11', 'fd00::12', 'fd00::13'],
};
const clients: Record<Family, Some<string>> = {
	inet: ['192.0.2.7', '198.51.100.1', '203.0.113.255', '10.1.0.1'],
	inet6: ['2001:db8::7', '2001:db8:ffff::1', 'fd00::1'],
};
const serverPorts: Some<number> = [8080, 8080, 443, 8081];

const { fin, syn, rst, ack } = tcpFlag;
const push = 0x08;
const flagSets: Some<number> = [
	...([rst | ack, rst | ack, rst | ack, rst, syn | ack, syn | ack] as const),
	...[ack, syn, fin | ack, push | ack, rst | fin | ack, rst | syn | ack, syn | ack | push, 0],
];
const optionsMaxWords = 10;

/** With options every now and then; "data offset" is then more than 5 (RFC 9293 §3.1). */
function segment(random: Random): Uint8Array {
	const flags = random.chance(0.9) ? random.pick(flagSets) : random.below(256);
	const sequence = random.chance(0.7) ? 0 : random.next();
	const sourcePort = random.pick(serverPorts);
	const header = tcp({ sourcePort, destinationPort: 1024 + random.below(60_000), flags, sequence });
	const words = random.chance(0.3) ? random.below(optionsMaxWords + 1) : 0;
	header[12] = (5 + words) << 4;
	const payload = random.chance(0.2) ? random.octets(random.below(40)) : [];
	return Uint8Array.from([...header, ...random.octets(4 * words), ...payload]);
}

function tags(random: Random): Tag[] {
	return Array.from({ length: random.pick([0, 0, 0, 0, 1, 1, 2, 3]) }, () => random.pick([customerTag, serviceTag]));
}

/** No-operations and an end (RFC 791 §3.1), or what nobody has defined. */
function ipv4Options(random: Random): Uint8Array {
	const words = random.chance(0.3) ? random.below(optionsMaxWords + 1) : 0;
	return random.chance(0.5) ? new Uint8Array(4 * words).fill(1) : random.octets(4 * words);
}

/** Type 253 is for experiments (RFC 4727 §3.3), so that nobody reads anything into its data; no segments are left. */
const routing: Extension = { number: 43, rest: Uint8Array.of(2, 253, 0, ...new Uint8Array(20)) };
/** RFC 4302: its length counts words, without the first two. */
const authentication: Extension = { number: 51, rest: Uint8Array.of(4, 0, 0, ...new Uint8Array(20)) };
const extensions: Some<Extension> = [hopByHop, destinationOptions, routing, authentication, fragmentHeader(0)];

function extensionChain(random: Random): Extension[] {
	const count = random.chance(0.5) ? 0 : random.below(9);
	return Array.from({ length: count }, () => random.pick(extensions));
}

function fragmentBits(random: Random): number {
	return random.chance(0.95) ? random.pick([0x4000, 0]) : random.pick([0x2000, 1, 0x2001, 0x1fff]);
}

/** From `source` to `destination`, in the dress of its family. */
export function packet4(random: Random, header: Ipv4Header, payload: Uint8Array): Uint8Array {
	return ipv4({ options: ipv4Options(random), fragment: fragmentBits(random), ...header }, payload);
}

function answer(random: Random): Uint8Array {
	if (random.chance(0.5)) {
		const header = { source: random.pick(servers.inet), destination: random.pick(clients.inet) };
		return frame4(packet4(random, header, segment(random)), tags(random));
	}
	const header = { source: random.pick(servers.inet6), destination: random.pick(clients.inet6) };
	return frame6(ipv6({ ...header, extensions: extensionChain(random) }, segment(random)), tags(random));
}

/** Octets behind a true Ethernet header: what a parser makes of a header that is none. */
function noise(random: Random): Uint8Array {
	const octets = random.octets(random.below(200));
	return random.pick([frame4, frame6])(octets, tags(random));
}

/** One frame; a good third of them are as they should be. */
export function anyFrame(random: Random): Uint8Array {
	if (random.chance(0.03)) return noise(random);
	const frame = answer(random);
	return random.chance(0.4) ? frame : mutate(random, frame);
}
