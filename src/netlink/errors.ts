/**
 * The errors of this folder's clients: what was asked, what the kernel or the socket answered, and what the
 * operator can do. `code` is the errno's name, or one of the words below where the errno alone would mislead. PURE.
 */

/**
 * IPVS_MISSING       the kernel has no IPVS, or its module is not loaded
 * IPVS_DENIED        IPVS is there, and we may not speak to it
 * NETLINK_MALFORMED  an answer that could not be read
 * NETLINK_CLOSED     the client was closed while, or before, the request was waiting
 */
export class NetlinkError extends Error {
	override readonly name = 'NetlinkError';

	constructor(
		readonly code: string,
		readonly errno: number,
		/** The request, for example "IPVS SET_DEST". */
		readonly syscall: string,
		/** The kernel's own words, where it has any. */
		readonly detail?: string,
	) {
		super(
			[`${syscall}: ${detail ?? meanings[code] ?? code}`, remedies[code]]
				.filter((part) => part !== undefined)
				.join('; '),
		);
	}
}

const meanings: Record<string, string> = {
	EPERM: 'not permitted (EPERM)',
	EINVAL: 'the kernel does not accept this request (EINVAL)',
	EINTR: 'the table kept changing while it was read (EINTR)',
	EBUSY: 'too many requests are waiting (EBUSY)',
	ENOBUFS: 'answers were lost, the socket was full (ENOBUFS)',
	ETIMEDOUT: 'the kernel has not answered in time (ETIMEDOUT)',
	IPVS_MISSING: 'this kernel offers no IPVS',
	IPVS_DENIED: 'speaking to IPVS is not permitted',
	NETLINK_MALFORMED: 'the answer could not be read',
	NETLINK_CLOSED: 'the netlink socket is closed',
};

const remedies: Record<string, string> = {
	EPERM: 'run as root or with CAP_NET_ADMIN',
	EINTR: 'ask again',
	EBUSY: 'ask again when fewer are under way',
	ENOBUFS: 'whether it took effect is not known: read the table again',
	ETIMEDOUT: 'whether it took effect is not known: read the table again',
	IPVS_MISSING: 'load it: modprobe ip_vs',
	IPVS_DENIED: 'run as root or with CAP_NET_ADMIN in the initial user namespace',
	NETLINK_MALFORMED: 'please report this with the kernel version',
};
