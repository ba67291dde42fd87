/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * From a frame to an answer or an error: finds the TCP or ICMP header behind Ethernet, VLAN tags, IPv4 with options or
 * IPv6 with extension headers, and says who refused or accepted whom, or that here is an ICMP error to be read on by
 * quote.bpf.h. It reads and counts what it cannot read; whether anybody cares for the sender is for wire.bpf.c to say.
 */
#ifndef IPVIGIL_PACKET_BPF_H
#define IPVIGIL_PACKET_BPF_H

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include "frame.bpf.h"
#include "maps.bpf.h"
#include "tcp.bpf.h"

#define IPV4_FRAGMENT_MASK 0x3fff /* more fragments, and the offset; not "don't fragment" */
#define IPV6_FRAGMENT_MASK 0xfff9 /* the offset, and more fragments */

/* RFC 792 and RFC 4443: type, code, checksum, and four octets more, before the quote. */
#define ICMP_HEADER_OCTETS 8
#define ICMPV4_UNREACHABLE 3
#define ICMPV4_TIME_EXCEEDED 11
#define ICMPV6_UNREACHABLE 1
#define ICMPV6_TIME_EXCEEDED 3

/* 802.1ad outside, 802.1Q inside. Where the NIC or the kernel has taken the outer tag off, one less is found. */
#define VLAN_TAGS_MAX 2
/* RFC 8200 section 4.1 recommends an order of six headers before TCP, one of them twice. */
#define EXTENSION_HEADERS_MAX 6
/* Ethernet 14, two tags 8, IPv6 40, TCP 20, and room for extension headers; what tc makes linear when it must. */
#define HEADERS_OCTETS_MAX 256

/* How reading a packet ended. */
enum reading {
	READING_DULL,
	/* It ends inside a header, as far as can be read in place. */
	READING_SHORT,
	READING_ANSWER,
	READING_ERROR,
};

/* A RST or SYN|ACK, or an ICMP error, and who sent it to whom. What the one does not have is 0 for the other. */
struct answer {
	/* Port and protocol: of a RST or SYN|ACK. */
	struct endpoint_key from;
	struct address_key to;
	__be16 to_port;
	__u8 flags;
	__u8 answers_syn;
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 ip_version;
	/* READING_ANSWER or READING_ERROR. */
	__u8 reading;
	/* Where the TCP or ICMP header begins, from the packet's first octet on. */
	__u32 offset;
	/* From there to the end of what IP carries, as the IP header says. */
	__s32 octets;
};

struct vlan_tag {
	__be16 tci;
	__be16 next_protocol;
};

struct icmp_head {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be32 rest;
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
static __always_inline enum reading read_tcp(void *at, void *end, struct answer *answer)
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
	if (answer->octets < header_octets || at + header_octets > end)
		return READING_SHORT;
	answer->from.port = tcp->source;
	answer->from.protocol = IPPROTO_TCP;
	answer->from.pad = 0;
	answer->to_port = tcp->dest;
	answer->flags = flags;
	answer->icmp_type = 0;
	answer->icmp_code = 0;
	answer->reading = READING_ANSWER;
	answer->answers_syn = refuses_syn(flags, tcp->seq);
	return READING_ANSWER;
}

/* Packet-too-big and parameter-problem speak of the packet, source-quench and redirect of nothing that has failed. */
static __always_inline int is_error(__u32 ip_version, __u8 type)
{
	if (ip_version == 4)
		return type == ICMPV4_UNREACHABLE || type == ICMPV4_TIME_EXCEEDED;
	return type == ICMPV6_UNREACHABLE || type == ICMPV6_TIME_EXCEEDED;
}

static __always_inline enum reading read_icmp(void *at, void *end, struct answer *answer)
{
	struct icmp_head *icmp = at;

	if ((void *)(icmp + 1) > end)
		return READING_SHORT;
	if (!is_error(answer->ip_version, icmp->type))
		return READING_DULL;
	if (answer->octets < ICMP_HEADER_OCTETS)
		return READING_SHORT;
	answer->from.port = 0;
	answer->from.protocol = 0;
	answer->from.pad = 0;
	answer->to_port = 0;
	answer->flags = 0;
	answer->answers_syn = 0;
	answer->icmp_type = icmp->type;
	answer->icmp_code = icmp->code;
	answer->reading = READING_ERROR;
	return READING_ERROR;
}

static __always_inline enum reading read_ipv4(void *data, void *at, void *end, struct answer *answer)
{
	struct iphdr *ip = at;
	__u32 header_octets;
	__u8 first_octet;

	if ((void *)(ip + 1) > end)
		return READING_SHORT;
	if (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_ICMP)
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
	answer->ip_version = 4;
	answer->offset = at - data + header_octets;
	answer->octets = bpf_ntohs(ip->tot_len) - header_octets;
	at += header_octets;
	return ip->protocol == IPPROTO_TCP ? read_tcp(at, end, answer) : read_icmp(at, end, answer);
}

/* One bit of each protocol below 64: the extension headers that may stand before TCP (RFC 8200, RFC 4302). */
#define EXTENSION_BITS                                                                                                 \
	(1ULL << IPPROTO_HOPOPTS | 1ULL << IPPROTO_ROUTING | 1ULL << IPPROTO_DSTOPTS | 1ULL << IPPROTO_FRAGMENT |      \
	 1ULL << IPPROTO_AH)

/* Without a branch, which the compiler would make of it if it knew the bits. */
static __always_inline __u32 bit_of(__u64 bits, __u8 protocol)
{
	asm volatile("" : "+r"(bits));
	return bits >> protocol & 1;
}

static __always_inline int is_extension(__u8 protocol)
{
	return protocol < 64 && bit_of(EXTENSION_BITS, protocol);
}

/*
 * Octets of an extension header: its length counts units of eight without the first, of AH units of four without the
 * first two, and of a fragment header nothing. It is calculated and not looked up case by case, because the verifier
 * would follow each case of each header of a chain.
 */
static __always_inline __u32 extension_octets(__u8 protocol, struct extension_header *header)
{
	__u32 is_fragment = bit_of(1ULL << IPPROTO_FRAGMENT, protocol);
	__u32 is_ah = bit_of(1ULL << IPPROTO_AH, protocol);
	__u32 octets = ((header->length & (is_fragment - 1)) + 1 + is_ah) << (3 - is_ah);

	/* 2,048 at most, which the compiler knows and the verifier has to be told. */
	asm volatile("" : "+r"(octets));
	return octets & 0xfff;
}

/* A walk along extension headers: where it stands, behind the fixed header, and what stands there. */
struct walk {
	__u32 offset;
	__u8 protocol;
};

/* Walks to TCP or ICMPv6. READING_ANSWER: it is there; all else ends the reading. */
static __always_inline enum reading skip_extensions(void *at, void *end, struct walk *walk)
{
	for (int i = 0; i < EXTENSION_HEADERS_MAX; i++) {
		struct extension_header *header = at + walk->offset;

		if (!is_extension(walk->protocol))
			break;
		if ((void *)(header + 1) > end)
			return READING_SHORT;
		/* A fragment header without offset and without more fragments is a whole packet (RFC 6946). */
		if (walk->protocol == IPPROTO_FRAGMENT && header->fragment_offset & bpf_htons(IPV6_FRAGMENT_MASK)) {
			count_loss(LOSS_FRAGMENT);
			return READING_DULL;
		}
		walk->offset += extension_octets(walk->protocol, header);
		walk->protocol = header->next_header;
	}
	if (is_extension(walk->protocol))
		count_loss(LOSS_HEADER_CHAIN);
	return walk->protocol == IPPROTO_TCP || walk->protocol == IPPROTO_ICMPV6 ? READING_ANSWER : READING_DULL;
}

static __always_inline enum reading read_ipv6(void *data, void *at, void *end, struct answer *answer)
{
	struct ipv6hdr *ip = at;
	struct walk walk = {};
	enum reading reading;

	if ((void *)(ip + 1) > end)
		return READING_SHORT;
	walk.protocol = ip->nexthdr;
	reading = skip_extensions(ip + 1, end, &walk);
	if (reading != READING_ANSWER)
		return reading;
	if (ip->version != 6)
		return malformed();
	__builtin_memcpy(answer->from.address, &ip->saddr, sizeof(answer->from.address));
	__builtin_memcpy(answer->to.address, &ip->daddr, sizeof(answer->to.address));
	answer->ip_version = 6;
	answer->offset = (void *)(ip + 1) - data + walk.offset;
	answer->octets = bpf_ntohs(ip->payload_len) - walk.offset;
	at = (void *)(ip + 1) + walk.offset;
	return walk.protocol == IPPROTO_TCP ? read_tcp(at, end, answer) : read_icmp(at, end, answer);
}

static __always_inline int is_vlan(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* A tag kept in skb->vlan_tci is no longer in the packet, so nothing is to be skipped for it. */
static __always_inline enum reading read_ethernet(void *data, void *end, struct answer *answer)
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
		return read_ipv4(data, at, end, answer);
	if (protocol == bpf_htons(ETH_P_IPV6))
		return read_ipv6(data, at, end, answer);
	return READING_DULL;
}

/* Where no link layer says what comes, the IP header itself does. */
static __always_inline enum reading read_ip(void *data, void *end, struct answer *answer)
{
	__u8 *first = data;

	if ((void *)(first + 1) > end)
		return READING_SHORT;
	switch (*first >> 4) {
	case 4:
		return read_ipv4(data, data, end, answer);
	case 6:
		return read_ipv6(data, data, end, answer);
	default:
		return READING_DULL;
	}
}

static __always_inline enum reading read_packet(void *data, void *end, enum opening opening, struct answer *answer)
{
	return opening == OPENING_ETHERNET ? read_ethernet(data, end, answer) : read_ip(data, end, answer);
}

#endif
