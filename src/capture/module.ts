/**
 * Whether the kernel has IPVS just now, found out without asking for it: a request for its netlink family would load
 * the module (its alias net-pf-16-proto-16-family-IPVS; net/netlink/genetlink.c, ctrl_getfamily), and one that watches
 * must neither load it nor bring it back after the operator has removed it.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';

/** What a kernel with IPVS built in has instead of a module's number. */
const builtIn = 0;

/**
 * A number for this loading of ip_vs, which another loading does not have: the inode of its directory in sysfs, which
 * kernfs numbers anew. Undefined while it is not loaded, or is only coming or going.
 */
export function ipvsInstance(directory = '/sys/module/ip_vs', table = '/proc/net/ip_vs'): number | undefined {
	const state = initState(directory);
	if (state === undefined) return existsSync(table) ? builtIn : undefined;
	return state === 'live' ? statSync(directory, { throwIfNoEntry: false })?.ino : undefined;
}

/** `live`, `coming` or `going` (kernel/module/sysfs.c); undefined where there is no such module. */
function initState(directory: string): string | undefined {
	try {
		return readFileSync(`${directory}/initstate`, 'utf8').trim();
	} catch {
		return undefined;
	}
}
