/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What an ICMP error quotes: which packet of ours or of a client's did not arrive. An error is rare, so it is copied to
 * a place of its own and read there by functions that the verifier checks once each; headers may stand anywhere.
 *
 * A quote is as long as its sender likes, at least an IP header and eight octets (RFC 792); what it does not reach
 * stays zero. In a tunnel (IPVS TUN) the quote begins with the director's own outer header, and the client's packet
 * follows it, if at all. Nothing here decides whether anybody cares.
 */
#ifndef IPVIGIL_QUOTE_BPF_H
#define IPVIGIL_QUOTE_BPF_H

#include "packet.bpf.h"
#include "wire_maps.bpf.h"

/* The ICMP header; the outer packet of a tunnel with options, GUE and the inner packet's headers take 200 at most. */
#define QUOTE_OCTETS_MAX 512

#define IPV4_OFFSET_MASK 0x1fff
#define IPV6_OFFSET_MASK 0xfff8

/* RFC 2784 and RFC 2890: each optional field of four octets has its bit; version, and routing of RFC 1701, must be 0.
 */
#define GRE_HEADER_OCTETS 4
#define GRE_CHECKSUM 0x8000
#define GRE_KEY 0x2000
#define GRE_SEQUENCE 0x1000
#define GRE_UNREADABLE 0x4007

/* draft-ietf-intarea-gue-09: version, control bit and the optional fields' length in the first octet. */
#define UDP_HEADER_OCTETS 8
#define GUE_HEADER_OCTETS 4
#define GUE_CONTROL 0x20
#define GUE_LENGTH_MASK 0x1f

struct quote {
	__u8 octets[QUOTE_OCTETS_MAX];
};

/* The place: an error is read to its end before the CPU sees another packet. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct quote);
} quotes SEC(".maps");

enum quoting {
	QUOTING_READ,
	QUOTING_SHORT,
	QUOTING_BAD,
	/* Neither of a transport protocol that IPVS balances, nor a tunnel: a ping, say. */
	QUOTING_DULL,
};

/* An IP header of the quote. */
struct quoted_ip {
	struct address_key from;
	struct address_key to;
	/* Where what it carries begins; 0 where that is not there to be read. */
	__u32 payload;
	__u32 protocol;
};

/* Where a tunnel's inner packet would be; version 0 where it cannot be found. */
struct quoted_inner {
	__u32 offset;
	__u32 version;
};

/* Whom the quote is about. */
struct report {
	/* Address: the quoted packet's destination, a tunnel's outer one. */
	struct endpoint_key endpoint;
	/* The source of the quoted packet: a client, or the director. */
	struct address_key origin;
	/* The same without a tunnel; in one, the inner packet's source. */
	struct address_key client;
	__be16 client_port;
	__u16 pad;
	__u32 sequence;
	enum tunnel tunnel;
};

static __always_inline void *quoted(struct quote *quote, __u32 offset, __u32 size, __u32 octets)
{
	if (offset > QUOTE_OCTETS_MAX - size || offset + size > octets)
		return 0;
	return &quote->octets[offset];
}

static __always_inline enum quoting read_quoted_ipv4(struct quote *quote, __u32 offset, __u32 octets,
						     struct quoted_ip *found)
{
	struct iphdr *ip = quoted(quote, offset, sizeof(*ip), octets);

	if (!ip)
		return QUOTING_SHORT;
	if (ip->version != 4 || ip->ihl * 4 < sizeof(*ip))
		return QUOTING_BAD;
	map_ipv4(found->from.address, ip->saddr);
	map_ipv4(found->to.address, ip->daddr);
	found->protocol = ip->protocol;
	if (!(ip->frag_off & bpf_htons(IPV4_OFFSET_MASK)))
		found->payload = offset + ip->ihl * 4;
	return QUOTING_READ;
}

/* A chain that is not quoted to its end leaves the protocol unknown. */
static __always_inline void skip_quoted_extensions(struct quote *quote, __u32 offset, __u32 octets,
						   struct quoted_ip *found)
{
	__u8 protocol = found->protocol;

	found->protocol = 0;
	for (int i = 0; i < EXTENSION_HEADERS_MAX && is_extension(protocol); i++) {
		struct extension_header *header = quoted(quote, offset, sizeof(*header), octets);

		if (!header)
			return;
		if (protocol == IPPROTO_FRAGMENT && header->fragment_offset & bpf_htons(IPV6_OFFSET_MASK))
			return;
		offset += extension_octets(protocol, header);
		protocol = header->next_header;
	}
	if (is_extension(protocol)) {
		count_loss(LOSS_HEADER_CHAIN);
		return;
	}
	found->protocol = protocol;
	found->payload = offset;
}

static __always_inline enum quoting read_quoted_ipv6(struct quote *quote, __u32 offset, __u32 octets,
						     struct quoted_ip *found)
{
	struct ipv6hdr *ip = quoted(quote, offset, sizeof(*ip), octets);

	if (!ip)
		return QUOTING_SHORT;
	if (ip->version != 6)
		return QUOTING_BAD;
	__builtin_memcpy(found->from.address, &ip->saddr, sizeof(found->from.address));
	__builtin_memcpy(found->to.address, &ip->daddr, sizeof(found->to.address));
	found->protocol = ip->nexthdr;
	skip_quoted_extensions(quote, offset + sizeof(*ip), octets, found);
	return QUOTING_READ;
}

/* Global, so that the verifier looks at it once, whatever the offset, and not along every way that leads here. */
__attribute__((noinline)) int read_quoted_ip(struct quote *quote, __u32 offset, __u32 octets, __u32 version,
					     struct quoted_ip *found)
{
	if (!quote || !found)
		return QUOTING_SHORT;
	return version == 4 ? read_quoted_ipv4(quote, offset, octets, found)
			    : read_quoted_ipv6(quote, offset, octets, found);
}

static __always_inline int is_balanced(__u32 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

/* Protocol and ports, and TCP's sequence number: the first eight octets of TCP, UDP and SCTP. */
static __always_inline void read_quoted_ports(struct quote *quote, __u32 octets, struct quoted_ip *ip,
					      struct report *report)
{
	__be16 *ports;
	__be32 *sequence;

	if (!is_balanced(ip->protocol))
		return;
	report->endpoint.protocol = ip->protocol;
	if (!ip->payload)
		return;
	ports = quoted(quote, ip->payload, 2 * sizeof(*ports), octets);
	if (!ports)
		return;
	report->client_port = ports[0];
	report->endpoint.port = ports[1];
	sequence = quoted(quote, ip->payload + 2 * sizeof(*ports), sizeof(*sequence), octets);
	if (ip->protocol == IPPROTO_TCP && sequence)
		report->sequence = bpf_ntohl(*sequence);
}

static __always_inline void find_behind_gre(struct quote *quote, __u32 octets, __u32 payload,
					    struct quoted_inner *inner)
{
	__be16 *header = quoted(quote, payload, GRE_HEADER_OCTETS, octets);
	__u16 flags;

	if (!header)
		return;
	flags = bpf_ntohs(header[0]);
	if (flags & GRE_UNREADABLE)
		return;
	inner->offset = payload + GRE_HEADER_OCTETS;
	inner->offset += (flags & GRE_CHECKSUM ? 4 : 0) + (flags & GRE_KEY ? 4 : 0) + (flags & GRE_SEQUENCE ? 4 : 0);
	if (header[1] == bpf_htons(ETH_P_IP))
		inner->version = 4;
	else if (header[1] == bpf_htons(ETH_P_IPV6))
		inner->version = 6;
}

static __always_inline __u32 version_of(__u8 protocol)
{
	if (protocol == IPPROTO_IPIP)
		return 4;
	return protocol == IPPROTO_IPV6 ? 6 : 0;
}

/* Variant 1 has no header of its own: the IP version's bits are what tells the variants apart. */
static __always_inline void find_behind_gue(struct quote *quote, __u32 octets, __u32 payload,
					    struct quoted_inner *inner)
{
	__u8 *header = quoted(quote, payload + UDP_HEADER_OCTETS, GUE_HEADER_OCTETS, octets);

	if (!header)
		return;
	if (header[0] >> 6 == 1) {
		inner->offset = payload + UDP_HEADER_OCTETS;
		inner->version = header[0] >> 4;
	} else if (header[0] >> 6 == 0 && !(header[0] & GUE_CONTROL)) {
		inner->offset = payload + UDP_HEADER_OCTETS + GUE_HEADER_OCTETS + (header[0] & GUE_LENGTH_MASK) * 4;
		inner->version = version_of(header[1]);
	}
}

static __always_inline int goes_to_tunnel(struct quote *quote, __u32 octets, struct quoted_ip *outer)
{
	__be16 *ports = quoted(quote, outer->payload, 2 * sizeof(*ports), octets);
	__be16 port;

	if (!ports)
		return 0;
	port = ports[1];
	return bpf_map_lookup_elem(&tunnel_ports, &port) && is_local(&outer->from);
}

static __always_inline enum tunnel tunnel_of(struct quote *quote, __u32 octets, struct quoted_ip *outer)
{
	switch (outer->protocol) {
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
		return TUNNEL_IPIP;
	case IPPROTO_GRE:
		return TUNNEL_GRE;
	case IPPROTO_UDP:
		return outer->payload && goes_to_tunnel(quote, octets, outer) ? TUNNEL_GUE : TUNNEL_NONE;
	default:
		return TUNNEL_NONE;
	}
}

static __always_inline void find_inner(struct quote *quote, __u32 octets, enum tunnel tunnel, struct quoted_ip *outer,
				       struct quoted_inner *inner)
{
	if (!outer->payload)
		return;
	if (tunnel == TUNNEL_GRE) {
		find_behind_gre(quote, octets, outer->payload, inner);
	} else if (tunnel == TUNNEL_GUE) {
		find_behind_gue(quote, octets, outer->payload, inner);
	} else {
		inner->offset = outer->payload;
		inner->version = version_of(outer->protocol);
	}
}

/* Of the inner packet, as far as it is quoted: the outer one alone names the host. */
static __always_inline enum quoting read_inner(struct quote *quote, __u32 octets, struct quoted_ip *outer,
					       struct report *report)
{
	struct quoted_inner inner = {};
	struct quoted_ip ip = {};
	enum quoting quoting;

	find_inner(quote, octets, report->tunnel, outer, &inner);
	if (inner.version == 0)
		return QUOTING_READ;
	quoting = read_quoted_ip(quote, inner.offset, octets, inner.version, &ip);
	if (quoting != QUOTING_READ)
		return quoting == QUOTING_SHORT ? QUOTING_READ : quoting;
	report->client = ip.from;
	read_quoted_ports(quote, octets, &ip, report);
	return QUOTING_READ;
}

/* `octets` of the ICMP message are in `quote`. */
static __always_inline enum quoting read_quote(struct quote *quote, __u32 octets, __u32 version, struct report *report)
{
	struct quoted_ip outer = {};
	enum quoting quoting = read_quoted_ip(quote, ICMP_HEADER_OCTETS, octets, version, &outer);

	if (quoting != QUOTING_READ)
		return quoting;
	report->origin = outer.from;
	report->client = outer.from;
	__builtin_memcpy(report->endpoint.address, &outer.to, sizeof(report->endpoint.address));
	report->tunnel = tunnel_of(quote, octets, &outer);
	if (report->tunnel == TUNNEL_NONE) {
		read_quoted_ports(quote, octets, &outer, report);
		return outer.protocol == 0 || is_balanced(outer.protocol) ? QUOTING_READ : QUOTING_DULL;
	}
	__builtin_memset(&report->client, 0, sizeof(report->client));
	return read_inner(quote, octets, &outer, report);
}

#endif
