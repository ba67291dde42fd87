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
