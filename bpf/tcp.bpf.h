/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The TCP header's flags, and the one form of RST that says "nobody listens here". Shared by the wire, which reads
 * frames, and by outcome, which reads what IPVS is given; it finds no header itself.
 */
#ifndef IPVIGIL_TCP_BPF_H
#define IPVIGIL_TCP_BPF_H

#include <linux/tcp.h>
#include <linux/types.h>

/* Octet 13 of the TCP header (RFC 9293 section 3.1). */
#define TCP_FLAGS_OFFSET 13
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

static __always_inline __u8 tcp_flags(const struct tcphdr *tcp)
{
	return ((const __u8 *)tcp)[TCP_FLAGS_OFFSET];
}

/* The reset that answers a SYN for a closed port: RST|ACK with sequence number 0 (RFC 9293 section 3.10.7.1). */
static __always_inline int refuses_syn(__u8 flags, __u32 sequence)
{
	return (flags & (TCP_RST | TCP_ACK | TCP_SYN | TCP_FIN)) == (TCP_RST | TCP_ACK) && sequence == 0;
}

#endif
