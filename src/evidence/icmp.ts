/**
 * What an ICMP or ICMPv6 error says, and whether it speaks against the server. A firewall answers with errors too: a
 * policy code never counts, and for TCP not even port-unreachable does, because that is what `iptables -j REJECT`
 * sends by default where a closed port would send a RST. PURE.
 */
import type { UnreachableEvent } from '../decode/event.js';

/** Against whom an error counts: nobody, the endpoint (nothing listens), or the host (no way to it). */
export type Blame = 'nobody' | 'endpoint' | 'host';

interface Code {
	name: string;
	blame: Blame | ((error: Error) => Blame);
}

/** Nothing listens on a UDP or SCTP port; for TCP it is a firewall's word. A tunnel that ends nowhere is the host's. */
function portUnreachable({ endpoint: { protocol }, tunnel }: Error): Blame {
	if (tunnel !== 'none') return 'host';
	return protocol === 'tcp' ? 'nobody' : 'endpoint';
}

const type3: Readonly<Record<number, Code>> = {
	0: { name: 'net unreachable', blame: 'host' },
	1: { name: 'host unreachable', blame: 'host' },
	2: { name: 'protocol unreachable', blame: 'host' },
	3: { name: 'port unreachable', blame: portUnreachable },
	4: { name: 'fragmentation needed', blame: 'nobody' },
	5: { name: 'source route failed', blame: 'nobody' },
	6: { name: 'net unknown', blame: 'host' },
	7: { name: 'host unknown', blame: 'host' },
	8: { name: 'source host isolated', blame: 'nobody' },
	9: { name: 'net administratively prohibited', blame: 'nobody' },
	10: { name: 'host administratively prohibited', blame: 'nobody' },
	11: { name: 'net unreachable for type of service', blame: 'nobody' },
	12: { name: 'host unreachable for type of service', blame: 'nobody' },
	13: { name: 'communication administratively prohibited', blame: 'nobody' },
	14: { name: 'host precedence violation', blame: 'nobody' },
	15: { name: 'precedence cutoff', blame: 'nobody' },
};

const type1v6: Readonly<Record<number, Code>> = {
	0: { name: 'no route', blame: 'host' },
	1: { name: 'communication administratively prohibited', blame: 'nobody' },
	2: { name: 'beyond scope of source address', blame: 'nobody' },
	3: { name: 'address unreachable', blame: 'host' },
	4: { name: 'port unreachable', blame: portUnreachable },
	5: { name: 'source address failed policy', blame: 'nobody' },
	6: { name: 'reject route', blame: 'nobody' },
	7: { name: 'error in source routing header', blame: 'nobody' },
	8: { name: 'headers too long', blame: 'nobody' },
};

/**
 * A packet runs out of hops before a healthy server whenever a client wishes (traceroute): IPVS hands on the client's hop
 * limit. One that waited for a fragment says nothing of the way.
 */
const timeExceeded: Readonly<Record<number, Code>> = {
	0: { name: 'time to live exceeded', blame: 'nobody' },
	1: { name: 'fragment reassembly time exceeded', blame: 'nobody' },
};

/** A host without tunnels says so; of anything else it is a firewall's or a broken sender's word. */
const parameterProblem: Readonly<Record<number, Code>> = {
	1: { name: 'unrecognized next header', blame: ({ tunnel }) => (tunnel === 'none' ? 'nobody' : 'host') },
};

/** By family and type: RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1; RFC 4443 and RFC 7112 for ICMPv6. */
const codes = {
	inet: new Map([
		[3, type3],
		[11, timeExceeded],
	]),
	inet6: new Map([
		[1, type1v6],
		[3, timeExceeded],
		[4, parameterProblem],
	]),
};

type Error = Pick<UnreachableEvent, 'endpoint' | 'icmpType' | 'icmpCode' | 'tunnel'>;

function codeOf({ endpoint, icmpType, icmpCode }: Error): Code {
	const unknown = { name: `ICMP type ${icmpType} code ${icmpCode}`, blame: 'nobody' as const };
	return codes[endpoint.family].get(icmpType)?.[icmpCode] ?? unknown;
}

/** "host unreachable"; the numbers where the registry knows no name. */
export function icmpName(error: Error): string {
	return codeOf(error).name;
}

export function icmpBlame(error: Error): Blame {
	const { blame } = codeOf(error);
	return typeof blame === 'function' ? blame(error) : blame;
}
