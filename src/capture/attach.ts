/**
 * How the wire program gets onto an interface. The operator's choice is never silently downgraded, and no program
 * that is already there is replaced: native XDP is asked for as native (XDP_FLAGS_DRV_MODE) and by link, which the
 * kernel refuses with EBUSY where another XDP program stands. `auto` is tc, because attaching native XDP can reset
 * a NIC's rings or bounce its link (docs: DESIGN of the vantage points).
 */
import { type BpfObject, interfaceIndex } from '../addon/index.js';

export type AttachPolicy = 'auto' | 'tc' | 'xdp' | 'xdp-generic';
export type AttachMethod = 'tcx' | 'clsact' | 'xdp' | 'xdp-generic';

/** What holds the program on the interface; close() takes it off. */
export interface Attachment {
	interfaceName: string;
	method: AttachMethod;
	close(): void;
}

/**
 * Our filter's place on a clsact qdisc. Neither number means anything to anybody else ("IPVI" in ASCII; a priority that
 * no tool allocates), so what stands there after a crash is our own and may be replaced: unlike a link, a filter
 * outlives the process that made it.
 */
const clsactPlace = { handle: 0x49505649, priority: 49_731, replace: true };

/** What a kernel before 6.6, or one without CONFIG_NET_XGRESS, answers to the attach type BPF_TCX_INGRESS. */
const tcxUnknown = new Set(['EINVAL', 'EOPNOTSUPP', 'ENOTSUPP']);

/** The SEC function of wire.bpf.c that the policy needs. */
export function programFor(policy: AttachPolicy): 'wire_tc' | 'wire_xdp' {
	return policy === 'xdp' || policy === 'xdp-generic' ? 'wire_xdp' : 'wire_tc';
}

function indexOf(interfaceName: string): number {
	const index = interfaceIndex(interfaceName);
	if (index !== undefined) return index;
	throw Object.assign(new Error(`no interface ${interfaceName}`), { code: 'ENODEV' });
}

/** Attaches in exactly this way, or throws what the kernel said (code EBUSY, EOPNOTSUPP, ENODEV, ...). */
export function attachBy(method: AttachMethod, object: BpfObject, interfaceName: string): Attachment {
	const index = indexOf(interfaceName);
	const holders: Record<AttachMethod, () => { close(): void }> = {
		tcx: () => object.attachTcx('wire_tc', index),
		clsact: () => object.attachClsact('wire_tc', index, clsactPlace),
		xdp: () => object.attachXdp('wire_xdp', index, 'native'),
		'xdp-generic': () => object.attachXdp('wire_xdp', index, 'generic'),
	};
	const holder = holders[method]();
	return { interfaceName, method, close: () => holder.close() };
}

/** tcx where the kernel has it, else clsact; any other failure of tcx is the operator's to know. */
function attachTc(object: BpfObject, interfaceName: string): Attachment {
	try {
		return attachBy('tcx', object, interfaceName);
	} catch (error) {
		if (!tcxUnknown.has((error as { code?: string }).code ?? '')) throw error;
		return attachBy('clsact', object, interfaceName);
	}
}

/** Attaches as the operator asked. Throws what the kernel said. */
export function attach(policy: AttachPolicy, object: BpfObject, interfaceName: string): Attachment {
	switch (policy) {
		case 'auto':
		case 'tc':
			return attachTc(object, interfaceName);
		case 'xdp':
		case 'xdp-generic':
			return attachBy(policy, object, interfaceName);
	}
}
