/**
 * Address families as netlink numbers them (AF_*), and addresses as it carries them: the octets of the family alone,
 * in network order. Shared by the IPVS and the route codecs. PURE.
 */
import { formatIpv4, formatIpv6 } from '../table/address.js';
import type { Family } from '../table/model.js';

export const addressFamily: Record<Family, number> = { inet: 2, inet6: 10 };

/** How long an address of the family is, in octets. */
export const addressLength: Record<Family, number> = { inet: 4, inet6: 16 };

export function familyName(number: number): Family | undefined {
	if (number === addressFamily.inet) return 'inet';
	return number === addressFamily.inet6 ? 'inet6' : undefined;
}

export function addressText(family: Family, octets: Uint8Array): string {
	return family === 'inet' ? formatIpv4(octets) : formatIpv6(octets);
}
