/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From a frame to an answer: finds the TCP header behind Ethernet, VLAN tags, IPv4 with options or IPv6 with
 * extension headers, and says who refused or accepted whom. It reads and counts what it cannot read; whether
 * anybody cares for the sender is for wire.bpf.c to say.
 */
#ifndef IPVIGIL_PACKET_BPF_H
#define IPVIGIL_PACKET_BPF_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include "maps.bpf.h"
#include "tcp.bpf.h"

#define IPV4_FRAGMENT_MASK 0x3fff /* more fragments, and the offset; not "don't fragment" */
#define IPV6_FRAGMENT_MASK 0xfff9 /* the offset, and more fragments */

/* 802.1ad outside, 802.1Q inside. Where the NIC or the kernel has taken the outer tag off, one less is found. */
#define VLAN_TAGS_MAX 2
/* RFC 8200 section 4.1 recommends an order of six headers before TCP, one of them twice. */
#define EXTENSION_HEADERS_MAX 6
/* Ethernet 14, two tags 8, IPv6 40, TCP 20, and room for extension headers; what tc makes linear when it must. */
#define HEADERS_OCTETS_MAX 256

/* How reading a packet ended. */
enum reading {
	READING_DULL,
	READING_SHORT,
	READING_ANSWER,
};

/* A RST or SYN|ACK, and who sent it to whom. */
struct answer {
	struct endpoint_key from;
	struct address_key to;
	__be16 to_port;
	__u8 flags;
	__u8 answers_syn;
};

struct vlan_tag {
	__be16 tci;
	__be16 next_protocol;
};

struct extension_header {
	__u8 next_header;
	/* In units of eight octets, without the first eight; for a fragment header reserved. */
	__u8 length;
	__be16 fragment_offset;
	__be32 fragment_id;
};

static __always_inline void map_ipv4(__u8 *address, __be32 ipv4)
{
	__u32 *words = (__u32 *)address;

	words[0] = 0;
	words[1] = 0;
	words[2] = bpf_htonl(0xffff);
	words[3] = ipv4;
}

/* No host takes such a packet, so it testifies to nothing. */
static __always_inline enum reading malformed(void)
{
	count_loss(LOSS_MALFORMED);
	return READING_DULL;
}

static __always_inline int is_rst(__u8 flags)
{
	return flags & TCP_RST;
}

static __always_inline int is_syn_ack(__u8 flags)
{
	return (flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK);
}

/*
 * The TCP header, rejecting first: nearly every packet ends at the flags. `octets` is what the IP header
 * says that there is; padding of a short Ethernet frame must not pass for a TCP header. A header that is cut
 * in its options is not read either: tcp_v4_rcv (net/ipv4/tcp_ipv4.c) would drop it.
 */
static __always_inline enum reading read_tcp(void *at, void *end, __s32 octets, struct answer *answer)
{
	struct tcphdr *tcp = at;
	__s32 header_octets;
	__u8 flags;

	if ((void *)(tcp + 1) > end)
		return READING_SHORT;
	flags = tcp_flags(tcp);
	if (!is_rst(flags) && !is_syn_ack(flags))
		return READING_DULL;
	header_octets = tcp->doff * 4;
	if (header_octets < (__s32)sizeof(*tcp))
		return malformed();
	if (octets < header_octets || at + header_octets > end)
		return READING_SHORT;
	answer->from.port = tcp->source;
	answer->from.protocol = IPPROTO_TCP;
	answer->from.pad = 0;
	answer->to_port = tcp->dest;
	answer->flags = flags;
	answer->answers_syn = refuses_syn(flags, tcp->seq);
	return READING_ANSWER;
}

static __always_inline enum reading read_ipv4(void *at, void *end, struct answer *answer)
{
	struct iphdr *ip = at;
	__u32 header_octets;
	__u8 first_octet;

	if ((void *)(ip + 1) > end)
		return READING_SHORT;
	if (ip->protocol != IPPROTO_TCP)
		return READING_DULL;
	if (ip->frag_off & bpf_htons(IPV4_FRAGMENT_MASK)) {
		count_loss(LOSS_FRAGMENT);
		return READING_DULL;
	}
	/* Version 4, and a length of five words at least: what ip_rcv (net/ipv4/ip_input.c) lets in. */
	first_octet = *(__u8 *)ip;
	if (first_octet < 0x45 || first_octet > 0x4f)
		return malformed();
	header_octets = ip->ihl * 4;
	map_ipv4(answer->from.address, ip->saddr);
	map_ipv4(answer->to.address, ip->daddr);
	return read_tcp(at + header_octets, end, bpf_ntohs(ip->tot_len) - header_octets, answer);
}

/* Octets of an extension header that may stand before TCP, 0 for any other protocol (RFC 8200, RFC 4302). */
static __always_inline __u32 extension_octets(__u8 protocol, struct extension_header *header)
{
	switch (protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return (header->length + 1) * 8;
	case IPPROTO_FRAGMENT:
		return 8;
	case IPPROTO_AH:
		return (header->length + 2) * 4;
	default:
		return 0;
	}
}

static __always_inline int may_precede_tcp(__u8 protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING || protocol == IPPROTO_DSTOPTS ||
	       protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_AH;
}

/*
 * Walks to the TCP header and returns its offset behind the fixed header, or a negative number where the
 * packet ends the reading: -1 not TCP (or counted as lost), -2 too short.
 */
static __always_inline __s32 skip_extensions(void *at, void *end, __u8 protocol)
{
	__u32 offset = 0;

	for (int i = 0; i < EXTENSION_HEADERS_MAX; i++) {
		struct extension_header *header = at + offset;

		if (protocol == IPPROTO_TCP)
			return offset;
		if (!may_precede_tcp(protocol))
			return -1;
		if ((void *)(header + 1) > end)
			return -2;
		/* A fragment header without offset and without more fragments is a whole packet (RFC 6946). */
		if (protocol == IPPROTO_FRAGMENT && header->fragment_offset & bpf_htons(IPV6_FRAGMENT_MASK)) {
			count_loss(LOSS_FRAGMENT);
			return -1;
		}
		offset += extension_octets(protocol, header);
		protocol = header->next_header;
	}
	if (protocol == IPPROTO_TCP)
		return offset;
	if (may_precede_tcp(protocol))
		count_loss(LOSS_HEADER_CHAIN);
	return -1;
}

static __always_inline enum reading read_ipv6(void *at, void *end, struct answer *answer)
{
	struct ipv6hdr *ip = at;
	__s32 offset;

	if ((void *)(ip + 1) > end)
		return READING_SHORT;
	offset = skip_extensions(ip + 1, end, ip->nexthdr);
	if (offset < 0)
		return offset == -2 ? READING_SHORT : READING_DULL;
	if (ip->version != 6)
		return malformed();
	__builtin_memcpy(answer->from.address, &ip->saddr, sizeof(answer->from.address));
	__builtin_memcpy(answer->to.address, &ip->daddr, sizeof(answer->to.address));
	return read_tcp((void *)(ip + 1) + offset, end, bpf_ntohs(ip->payload_len) - offset, answer);
}

static __always_inline int is_vlan(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* One body for both hooks. A tag kept in skb->vlan_tci is no longer in the packet, so nothing is to be skipped for it.
 */
static __always_inline enum reading read_frame(void *data, void *end, struct answer *answer)
{
	struct ethhdr *ethernet = data;
	void *at = ethernet + 1;
	__be16 protocol;

	if (at > end)
		return READING_SHORT;
	protocol = ethernet->h_proto;
	for (int i = 0; i < VLAN_TAGS_MAX && is_vlan(protocol); i++) {
		struct vlan_tag *tag = at;

		at = tag + 1;
		if (at > end)
			return READING_SHORT;
		protocol = tag->next_protocol;
	}
	if (protocol == bpf_htons(ETH_P_IP))
		return read_ipv4(at, end, answer);
	if (protocol == bpf_htons(ETH_P_IPV6))
		return read_ipv6(at, end, answer);
	return READING_DULL;
}

#endif
