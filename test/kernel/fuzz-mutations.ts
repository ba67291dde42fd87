/**
 * How a frame is spoiled: what a broken sender, a broken cable or an attacker would make of it. Each mutation changes
 * one frame a little, so that most of what comes out is still nearly a packet: noise alone never passes the first check.
 */
import type { Random } from '../support/random.js';

type Mutation = (random: Random, frame: Uint8Array) => Uint8Array;

const ethernetOctets = 14;
/** Headers stand in these; what follows is payload, which nobody reads. */
const headersOctets = 96;
/** Numbers at which lengths and counters break. */
const edges = [0, 1, 5, 6, 8, 19, 20, 28, 40, 0x45, 0x60, 127, 128, 255] as const;

/** Behind the addresses, where every octet means something. */
function somewhere(random: Random, frame: Uint8Array): number {
	const first = ethernetOctets - 2;
	return first + random.below(Math.max(1, Math.min(frame.length, headersOctets) - first));
}

function changed(frame: Uint8Array, at: number, value: number): Uint8Array {
	const copy = frame.slice();
	copy[at] = value;
	return copy;
}

const flipBit: Mutation = (random, frame) => {
	const at = somewhere(random, frame);
	return changed(frame, at, (frame[at] ?? 0) ^ (1 << random.below(8)));
};

const replaceOctet: Mutation = (random, frame) =>
	changed(frame, somewhere(random, frame), random.chance(0.5) ? random.pick(edges) : random.below(256));

const truncate: Mutation = (random, frame) =>
	frame.slice(0, ethernetOctets + random.below(Math.max(1, frame.length - ethernetOctets)));

const pad: Mutation = (random, frame) => Uint8Array.from([...frame, ...random.octets(1 + random.below(64))]);

/** A later header slides away from where the earlier one says that it is. */
const insert: Mutation = (random, frame) => {
	const at = somewhere(random, frame);
	return Uint8Array.from([...frame.subarray(0, at), ...random.octets(1 + random.below(8)), ...frame.subarray(at)]);
};

const remove: Mutation = (random, frame) => {
	const at = somewhere(random, frame);
	const short = Uint8Array.from([...frame.subarray(0, at), ...frame.subarray(at + 1 + random.below(8))]);
	return short.length < ethernetOctets ? frame : short;
};

/** A piece of the frame again at another place: nested headers, tags and quotes come of it. */
const repeat: Mutation = (random, frame) => {
	const from = somewhere(random, frame);
	const at = somewhere(random, frame);
	const piece = frame.subarray(from, from + 4 * (1 + random.below(10)));
	return Uint8Array.from([...frame.subarray(0, at), ...piece, ...frame.subarray(at)]);
};

const mutations = [
	flipBit,
	flipBit,
	flipBit,
	replaceOctet,
	replaceOctet,
	truncate,
	pad,
	insert,
	remove,
	repeat,
] as const;

const counts = [1, 1, 2, 3] as const;

/** One to three mutations, one after the other. Never shorter than an Ethernet header, which the kernel would refuse. */
export function mutate(random: Random, frame: Uint8Array): Uint8Array {
	let result = frame;
	for (let left = random.pick(counts); left > 0; left--) result = random.pick(mutations)(random, result);
	return result;
}
