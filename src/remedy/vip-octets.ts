/**
 * The octets below the VIP probe's codecs: network order, addresses, the Internet checksum. Bytes that came from the
 * wire are read by DataView in the codecs themselves. PURE.
 */
import { parseIpv4, parseIpv6 } from '../table/address.js';

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
	const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
	let at = 0;
	for (const part of parts) {
		whole.set(part, at);
		at += part.length;
	}
	return whole;
}

export function be16(...values: readonly number[]): Uint8Array {
	return Uint8Array.from(values.flatMap((value) => [value >> 8, value & 0xff]));
}

export function be32(value: number): Uint8Array {
	return be16(value >>> 16, value & 0xffff);
}

/** One octet for each character, which is at most U+00FF. */
export function latin1Octets(text: string): Uint8Array {
	return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function latin1Text(octets: Uint8Array): string {
	return String.fromCharCode(...octets);
}

export function viewOf(octets: Uint8Array): DataView {
	return new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
}

/** Four octets or sixteen, by the text's family. */
export function addressOctets(text: string): Uint8Array {
	const octets = parseIpv4(text) ?? parseIpv6(text);
	if (!octets) throw new TypeError(`"${text}" is no address`);
	return octets;
}

const macPattern = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/;

export function isMac(text: string | undefined): text is string {
	return text !== undefined && macPattern.test(text);
}

/** Of "02:00:00:00:00:11". */
export function macOctets(text: string): Uint8Array {
	if (!isMac(text)) throw new TypeError(`"${text}" is no Ethernet address`);
	return Uint8Array.from(text.split(':'), (octet) => Number.parseInt(octet, 16));
}

/**
 * The one's complement of the one's complement sum of all 16-bit words; an odd octet at the end counts as if a zero
 * followed (RFC 1071 §1). Over octets that hold their own checksum it is 0.
 */
export function internetChecksum(octets: Uint8Array): number {
	let sum = 0;
	for (let at = 0; at < octets.length; at += 2) sum += ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
	while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
	return ~sum & 0xffff;
}

/** The same octets with their checksum at `offset`, where zeros stand. `before` is summed up with them and not sent. */
export function withChecksum(octets: Uint8Array, offset: number, before: Uint8Array = new Uint8Array()): Uint8Array {
	const result = octets.slice();
	viewOf(result).setUint16(offset, internetChecksum(concat(before, octets)));
	return result;
}
