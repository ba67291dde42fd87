/**
 * The frames of the fuzz: valid ones of every kind that the wire cares about, in every dress (options, extension
 * headers, VLAN tags), mostly spoiled afterwards, and noise. What they mean is not said here: the oracle is asked.
 */

import type { Random } from '../support/random.js';
import {
	clients,
	dressed4,
	dressed6,
	type Family,
	optionsMaxWords,
	type Some,
	serverPorts,
	servers,
} from './fuzz-addresses.js';
import { errorPacket } from './fuzz-errors.js';
import { mutate } from './fuzz-mutations.js';
import { customerTag, frame4, frame6, serviceTag, type Tag, tcp, tcpFlag } from './packets.js';

const { fin, syn, rst, ack } = tcpFlag;
const push = 0x08;
const flagSets: Some<number> = [
	...([rst | ack, rst | ack, rst | ack, rst, syn | ack, syn | ack] as const),
	...[ack, syn, fin | ack, push | ack, rst | fin | ack, rst | syn | ack, syn | ack | push, 0],
];

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

function answerPacket(random: Random, family: Family): Uint8Array {
	const header = { source: random.pick(servers[family]), destination: random.pick(clients[family]) };
	return (family === 'inet' ? dressed4 : dressed6)(random, header, segment(random));
}

function tags(random: Random): Tag[] {
	return Array.from({ length: random.pick([0, 0, 0, 0, 1, 1, 2, 3]) }, () => random.pick([customerTag, serviceTag]));
}

/** Octets behind a true Ethernet header: what a parser makes of a header that is none. */
function noise(random: Random): Uint8Array {
	return random.octets(random.below(200));
}

function valid(random: Random, family: Family): Uint8Array {
	return (random.chance(0.5) ? answerPacket : errorPacket)(random, family);
}

/** One frame; a good third of them are as they should be. */
export function anyFrame(random: Random): Uint8Array {
	const family = random.pick<Family>(['inet', 'inet6']);
	const packet = (random.chance(0.03) ? noise : valid)(random, family);
	const frame = (family === 'inet' ? frame4 : frame6)(packet, tags(random));
	return random.chance(0.4) ? frame : mutate(random, frame);
}
