/** A network of addresses, as CIDR notation writes it (RFC 4632 section 3.1): `10.1.0.0/16`, `fd00::/56`, one address. PURE. */
import { familyOf, parseAddress } from './address.js';

export interface Network {
	/** Sixteen octets, IPv4 as v4-mapped. */
	octets: Uint8Array;
	/** How many of the 128 bits must agree. */
	prefixBits: number;
}

const mappedPrefixBits = 96;

/** Undefined if the text is no network. Bits beyond the prefix may be set: `10.1.0.11/16` is what people type. */
export function parseNetwork(text: string): Network | undefined {
	const [address = '', length, ...more] = text.split('/');
	const octets = parseAddress(address);
	if (!octets || more.length > 0 || (length !== undefined && !/^\d{1,3}$/.test(length))) return undefined;
	const before = familyOf(address) === 'inet' ? mappedPrefixBits : 0;
	const prefixBits = length === undefined ? 128 : before + Number(length);
	return prefixBits <= 128 ? { octets, prefixBits } : undefined;
}

/** False for what is no address. */
export function contains({ octets, prefixBits }: Network, address: string): boolean {
	const other = parseAddress(address);
	if (!other) return false;
	const whole = prefixBits >> 3;
	for (let index = 0; index < whole; index++) if (octets[index] !== other[index]) return false;
	const shift = 8 - (prefixBits & 7);
	return shift === 8 || (octets[whole] ?? 0) >> shift === (other[whole] ?? 0) >> shift;
}
