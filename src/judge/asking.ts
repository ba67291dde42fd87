/**
 * How the servers of a service are asked whether they serve: by a connection, on the VIP, by a datagram or by a command
 * of the operator's. What an answer proves is suspicion.ts's business; how it is asked, remedy's. PURE.
 */

/**
 * auto     on the VIP in DR and TUN, where that can be done; else by connecting to the server's own address
 * connect  by connecting, everywhere
 * udp      by a datagram
 * command  by a program: exit status 0 says that it serves
 */
export type ProbeMethod = 'auto' | 'connect' | 'udp' | 'command';

export interface Asking {
	method: ProbeMethod;
	/** A stand-in to be asked in the server's place, as an agent beside it; undefined: the server itself. */
	address?: string | undefined;
	port?: number | undefined;
	/** Our own address and firewall mark for the question, where routing or a firewall wants them. */
	sourceAddress?: string | undefined;
	mark?: number | undefined;
	/** What is sent once the connection stands, or as the datagram: octets as text (latin1). */
	request?: string | undefined;
	/** How the answer must begin; undefined: any octet is an answer. */
	expect?: string | undefined;
	/** The program and its arguments; absolute path. */
	command?: string[] | undefined;
}

export const defaultAsking: Asking = { method: 'auto' };

/**
 * A short name for a way of asking, the same in every process: what a probe proves is remembered under it, and another
 * question proves something else. Undefined for a plain connection.
 */
export function wayOf(asking: Asking): string | undefined {
	const { method, ...rest } = asking;
	const said = Object.entries(rest).filter(([, value]) => value !== undefined);
	if (said.length === 0 && (method === 'auto' || method === 'connect')) return undefined;
	const text = JSON.stringify(said.sort(([one], [other]) => (one < other ? -1 : 1)));
	return `${method} ${fnv1a(text)}`;
}

/** FNV-1a, 32 bits, in hexadecimal. */
function fnv1a(text: string): string {
	let hash = 0x811c9dc5;
	for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
	return (hash >>> 0).toString(16).padStart(8, '0');
}
