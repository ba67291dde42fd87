/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A TCP segment as the hooks inside IPVS are given it: in an skb whose IP header is at network_header and whose TCP
 * header is at transport_header (so found on every packet of 6.1, 6.12 and 7.3, both families, all forwarding
 * methods; in TUN it is the inner packet, in NAT the addresses may be rewritten already). It reads; what a segment
 * means is for outcome.bpf.c.
 */
#ifndef IPVIGIL_SEGMENT_BPF_H
#define IPVIGIL_SEGMENT_BPF_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/tcp.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "compat.bpf.h"
#include "events.h"
#include "tcp.bpf.h"

/* Octet 6 of the IPv6 header (RFC 8200 section 3). */
#define IPV6_NEXT_HEADER_OFFSET 6

struct segment {
	__u32 sequence;
	__u32 acknowledged;
	/* Of data, without any header. */
	__u32 octets;
	__u8 flags;
};

/*
 * False where the header is not in the linear part, or where IPv6 extension headers stand before it: there
 * transport_header is the first of them, and not every kernel tells the hook where they end.
 */
static __always_inline int read_segment(const struct sk_buff *skb, __u32 family, struct segment *segment)
{
	const unsigned char *ip = skb->head + skb->network_header;
	__u32 start = skb->transport_header;
	__u32 end = (__u64)skb->data - (__u64)skb->head + skb->len;
	struct tcphdr tcp;
	__u8 next_header;

	if (start + sizeof(tcp) > end - skb->data_len)
		return 0;
	if (family == AF_INET6 &&
	    (bpf_probe_read_kernel(&next_header, 1, ip + IPV6_NEXT_HEADER_OFFSET) || next_header != IPPROTO_TCP))
		return 0;
	if (bpf_probe_read_kernel(&tcp, sizeof(tcp), skb->head + start))
		return 0;
	segment->sequence = bpf_ntohl(tcp.seq);
	segment->acknowledged = bpf_ntohl(tcp.ack_seq);
	segment->octets = end - start - tcp.doff * 4;
	segment->flags = tcp_flags(&tcp);
	return 1;
}

/* The packet from its IP header on, for those who asked for packets. */
static __always_inline void copy_packet(struct packet_head *head, const struct sk_buff *skb, __u32 family)
{
	const unsigned char *ip = skb->head + skb->network_header;
	__u32 before = (__u64)skb->data - (__u64)skb->head - skb->network_header;
	__u32 linear = before + skb->len - skb->data_len;
	__u32 octets = linear < sizeof(head->octets) ? linear : sizeof(head->octets);

	head->packet_octets = before + skb->len;
	head->protocol = family == AF_INET6 ? bpf_htons(ETH_P_IPV6) : bpf_htons(ETH_P_IP);
	if (bpf_probe_read_kernel(head->octets, octets, ip) == 0)
		head->captured_octets = octets;
}

#endif
