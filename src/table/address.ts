/**
 * Addresses as text and as octets. Everything that leaves the kernel or a file passes through here once, so
 * that one address has one spelling: dotted quads for IPv4, RFC 5952 for IPv6. Octets are always sixteen,
 * IPv4 as v4-mapped (::ffff:a.b.c.d), which is also how bpf/events.h keeps them. Names and zone
 * indices ("%eth0") are not resolved here: a table that is decided on holds numbers. PURE.
 */
import type { Family } from './model.js';

/** The longest IPv6 text, with a dotted quad at its end (INET6_ADDRSTRLEN - 1): longer text is not looked at. */
const textLengthMax = 45;
const octetsPerAddress = 16;
const mappedPrefixLength = 12;

export function familyOf(text: string): Family {
	return text.includes(':') ? 'inet6' : 'inet';
}

/** Four octets of a dotted quad, as inet_pton(3) reads it: decimal, no leading zero; undefined if it is none. */
export function parseIpv4(text: string): Uint8Array | undefined {
	const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
	if (!match) return undefined;
	const parts = match.slice(1);
	if (parts.some((part) => Number(part) > 255 || (part.length > 1 && part.startsWith('0')))) return undefined;
	return Uint8Array.from(parts, Number);
}

/** The octets of colon-separated groups, for example [0xfd, 0x00, 0x00, 0x01] of `fd00:1`; undefined if one is bad. */
function groupOctets(text: string, mayEndInIpv4: boolean): number[] | undefined {
	if (text === '') return [];
	const groups = text.split(':');
	const octets: number[] = [];
	for (const [index, group] of groups.entries()) {
		if (mayEndInIpv4 && index === groups.length - 1 && group.includes('.')) {
			const quad = parseIpv4(group);
			if (!quad) return undefined;
			octets.push(...quad);
		} else {
			if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
			const value = Number.parseInt(group, 16);
			octets.push(value >> 8, value & 0xff);
		}
	}
	return octets;
}

/** Sixteen octets of an IPv6 address (RFC 4291 §2.2); undefined if the text is none. */
export function parseIpv6(text: string): Uint8Array | undefined {
	if (text.length > textLengthMax) return undefined;
	const halves = text.split('::');
	if (halves.length > 2) return undefined;
	const compressed = halves.length === 2;
	const head = groupOctets(halves[0] ?? '', !compressed);
	const tail = groupOctets(halves[1] ?? '', true);
	if (!head || !tail) return undefined;
	const missing = octetsPerAddress - head.length - tail.length;
	// "::" stands for one group of zeros at least.
	if (compressed ? missing < 2 : missing !== 0) return undefined;
	const octets = new Uint8Array(octetsPerAddress);
	octets.set(head);
	octets.set(tail, octetsPerAddress - tail.length);
	return octets;
}

/** Sixteen octets of either family, IPv4 as v4-mapped; undefined if the text is no address. */
export function parseAddress(text: string): Uint8Array | undefined {
	if (familyOf(text) === 'inet6') return parseIpv6(text);
	const quad = parseIpv4(text);
	if (!quad) return undefined;
	const octets = new Uint8Array(octetsPerAddress);
	octets[10] = 0xff;
	octets[11] = 0xff;
	octets.set(quad, mappedPrefixLength);
	return octets;
}

/** The four octets at `offset` as a dotted quad. */
export function formatIpv4(octets: Uint8Array, offset = 0): string {
	return `${octets[offset]}.${octets[offset + 1]}.${octets[offset + 2]}.${octets[offset + 3]}`;
}

/** Whether the sixteen octets at `offset` are ::ffff:0:0/96. */
export function isMapped(octets: Uint8Array, offset = 0): boolean {
	if (octets[offset + 10] !== 0xff || octets[offset + 11] !== 0xff) return false;
	for (let index = 0; index < 10; index++) if (octets[offset + index] !== 0) return false;
	return true;
}

/** The longest run of zero groups, the first among equals; a single zero group is not shortened (RFC 5952 §4.2). */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
	let best = { start: -1, length: 1 };
	let start = 0;
	for (let index = 0; index <= groups.length; index++) {
		if (groups[index] === 0) continue;
		if (index - start > best.length) best = { start, length: index - start };
		start = index + 1;
	}
	return best;
}

/** The sixteen octets at `offset` as RFC 5952 writes them: `fd00::11`, `::ffff:10.0.0.1` (§5). */
export function formatIpv6(octets: Uint8Array, offset = 0): string {
	if (isMapped(octets, offset)) return `::ffff:${formatIpv4(octets, offset + mappedPrefixLength)}`;
	const groups: number[] = [];
	for (let index = 0; index < octetsPerAddress; index += 2) {
		groups.push(((octets[offset + index] ?? 0) << 8) | (octets[offset + index + 1] ?? 0));
	}
	const hex = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
	const run = longestZeroRun(groups);
	if (run.start < 0) return hex(groups);
	return `${hex(groups.slice(0, run.start))}::${hex(groups.slice(run.start + run.length))}`;
}

/** The sixteen octets at `offset`: v4-mapped ones as IPv4, the rest as IPv6. */
export function formatAddress(octets: Uint8Array, offset = 0): string {
	return isMapped(octets, offset) ? formatIpv4(octets, offset + mappedPrefixLength) : formatIpv6(octets, offset);
}

/** The one spelling of an address, in the family it was written in; undefined if the text is no address. */
export function canonicalAddress(text: string): string | undefined {
	if (familyOf(text) === 'inet') return parseIpv4(text) && text;
	const octets = parseIpv6(text);
	return octets && formatIpv6(octets);
}
