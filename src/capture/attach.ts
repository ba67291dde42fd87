/**
 * How the wire program gets onto an interface. The operator's choice is never silently downgraded, and no program
 * that is already there is replaced: native XDP is asked for as native (XDP_FLAGS_DRV_MODE) and by link, which the
 * kernel refuses with EBUSY where another XDP program stands. `auto` is tc, because attaching native XDP can reset
 * a NIC's rings or bounce its link (docs: DESIGN of the vantage points).
 *
 * By tc there may be others before and after: each sees the packet until one of them says something final. We pass
 * every packet on, so we stand first: a load balancer or a firewall that answers TC_ACT_OK would make us blind.
 */
import { type BpfObject, type ClsactFilter, interfaceHardwareType, interfaceIndex, type Link } from '../addon/index.js';

export type AttachPolicy = 'auto' | 'tc' | 'xdp' | 'xdp-generic';
export type AttachMethod = 'tcx' | 'clsact' | 'xdp' | 'xdp-generic';

/** What holds the program on the interface; close() takes it off. */
export interface Attachment {
	interfaceName: string;
	/** An interface that is made again under its name is another one: the kernel's number tells. */
	interfaceIndex: number;
	method: AttachMethod;
	/** False once somebody else has taken the program off; a link stays as long as its interface. */
	stands(): boolean;
	close(): void;
}

/**
 * The daemon's handle on a clsact qdisc. It means nothing to anybody else ("IPVI" in ASCII), so what stands there after
 * a crash is our own and may be replaced: unlike a link, a filter outlives the process that made it.
 */
const daemonHandle = 0x49505649;

/**
 * Of who watches beside a daemon, whose filter must stay: the process's number is no other's, and never reaches the
 * daemon's handle (PID_MAX_LIMIT is 2^22). What SIGKILL makes it leave behind goes with the interface or `tc filter del`.
 */
export const handleBeside = process.pid;

/** An early one, but not 1, which others take without looking (and delete with all that stands there). */
const clsactPriority = 7;

/** What a kernel before 6.6, or one without CONFIG_NET_XGRESS, answers to the attach type BPF_TCX_INGRESS. */
const tcxUnknown = new Set(['EINVAL', 'EOPNOTSUPP', 'ENOTSUPP']);

/** ARPHRD_ETHER and ARPHRD_LOOPBACK (linux/if_arp.h): frames begin with an Ethernet header; elsewhere with IP's. */
const ethernetTypes = new Set([1, 772]);

/** The SEC functions of wire.bpf.c that the policy needs, for interfaces with and without an Ethernet header. */
export function programsFor(policy: AttachPolicy): string[] {
	const program = policy === 'xdp' || policy === 'xdp-generic' ? 'wire_xdp' : 'wire_tc';
	return [program, `${program}_ip`];
}

function indexOf(interfaceName: string): number {
	const index = interfaceIndex(interfaceName);
	if (index !== undefined) return index;
	throw Object.assign(new Error(`no interface ${interfaceName}`), { code: 'ENODEV' });
}

/** Whether the interface that has this name now is the one that was attached, and the program is still on it. */
export function isCurrent(attachment: Attachment): boolean {
	return interfaceIndex(attachment.interfaceName) === attachment.interfaceIndex && attachment.stands();
}

/** A link, which is taken away on purpose only (BPF_LINK_DETACH), or a filter. */
type Holder = Pick<Link, 'close'> & Partial<Pick<ClsactFilter, 'stands'>>;

/** Attaches in exactly this way, or throws what the kernel said (code EBUSY, EOPNOTSUPP, ENODEV, ...). */
export function attachBy(
	method: AttachMethod,
	object: BpfObject,
	interfaceName: string,
	handle = daemonHandle,
): Attachment {
	const index = indexOf(interfaceName);
	const place = { handle, priority: clsactPriority, replace: true };
	const opening = ethernetTypes.has(interfaceHardwareType(interfaceName)) ? '' : '_ip';
	const holders: Record<AttachMethod, () => Holder> = {
		tcx: () => object.attachTcx(`wire_tc${opening}`, index, { first: true }),
		clsact: () => object.attachClsact(`wire_tc${opening}`, index, place),
		xdp: () => object.attachXdp(`wire_xdp${opening}`, index, 'native'),
		'xdp-generic': () => object.attachXdp(`wire_xdp${opening}`, index, 'generic'),
	};
	const holder = holders[method]();
	const stands = () => holder.stands?.() ?? true;
	return { interfaceName, interfaceIndex: index, method, stands, close: () => holder.close() };
}

/** tcx where the kernel has it, else clsact; any other failure of tcx is the operator's to know. */
function attachTc(object: BpfObject, interfaceName: string, handle?: number): Attachment {
	try {
		return attachBy('tcx', object, interfaceName);
	} catch (error) {
		if (!tcxUnknown.has((error as { code?: string }).code ?? '')) throw error;
		return attachBy('clsact', object, interfaceName, handle);
	}
}

/** Attaches as the operator asked; `handle`: where that is by clsact. Throws what the kernel said. */
export function attach(
	policy: AttachPolicy,
	object: BpfObject,
	interfaceName: string,
	handle = daemonHandle,
): Attachment {
	switch (policy) {
		case 'auto':
		case 'tc':
			return attachTc(object, interfaceName, handle);
		case 'xdp':
		case 'xdp-generic':
			return attachBy(policy, object, interfaceName);
	}
}
