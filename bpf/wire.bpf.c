// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The vantage point on the wire: RST and SYN|ACK that listed endpoints send, seen where they enter the
 * director from the real-server side, by XDP or by tc. What goes to a client is testimony; what goes to one
 * of the director's own addresses answers its own probe or a monitor's check, and is only counted.
 *
 * It sees, counts and sends a few; it verifies nothing (whether a refusal answers a SYN that IPVS scheduled
 * is outcome's knowledge), and every packet passes untouched. In DR and TUN replies take another way, so
 * here is only silence.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/tcp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include "emit.bpf.h"

/* Octet 13 of the TCP header (RFC 9293 section 3.1). */
#define TCP_FLAGS_OFFSET 13
#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

#define IPV4_FRAGMENT_MASK 0x3fff /* more fragments, and the offset; not "don't fragment" */
#define IPV6_FRAGMENT_MASK 0xfff9 /* the offset, and more fragments */

/* 802.1ad outside, 802.1Q inside. Where the NIC or the kernel has taken the outer tag off, one less is found. */
#define VLAN_TAGS_MAX 2
/* RFC 8200 section 4.1 recommends an order of six headers before TCP, one of them twice. */
#define EXTENSION_HEADERS_MAX 6
/* Ethernet 14, two tags 8, IPv6 40, TCP 20, and room for extension headers; what tc makes linear when it must. */
#define HEADERS_OCTETS_MAX 256

/* Set before load. Five at once, then one in 20 ms: a dead endpoint is told at once and 50 times a second at most. */
const volatile __u64 event_interval_ns = 20 * 1000 * 1000;
const volatile __u32 event_burst = 5;

/* 32,768 endpoints are twice the largest table aimed at (1,024 services of 16 destinations). */
#define ENDPOINTS_MAX 32768

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ENDPOINTS_MAX);
	__type(key, struct endpoint_key);
	__type(value, struct endpoint_state);
} endpoints SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ENDPOINTS_MAX);
	__type(key, __u32);
	__type(value, struct endpoint_counters);
} counters SEC(".maps");

/* The director's addresses, VIPs included; 4,096 hold a large class of VIPs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct address_key);
	__type(value, __u8);
} local_addresses SEC(".maps");

/* How reading a packet ended. */
enum reading { READING_DONE, READING_SHORT };

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

static __always_inline int is_rst(__u8 flags)
{
	return flags & TCP_RST;
}

static __always_inline int is_syn_ack(__u8 flags)
{
	return (flags & (TCP_SYN | TCP_ACK | TCP_RST)) == (TCP_SYN | TCP_ACK);
}

/*
 * May one more event pass? A full bucket holds `event_burst` intervals; each event costs one. Two CPUs that ask
 * in the same instant get one event between them: the loser's refusal is as good as a suppressed one.
 */
static __always_inline int gate_opens(struct event_gate *gate, __u64 now_ns)
{
	__u64 full_at_ns = gate->full_at_ns;
	__u64 start_ns = full_at_ns > now_ns ? full_at_ns : now_ns;
	__u64 next_ns = start_ns + event_interval_ns;

	if (next_ns - now_ns > event_burst * event_interval_ns)
		return 0;
	return __sync_val_compare_and_swap(&gate->full_at_ns, full_at_ns, next_ns) == full_at_ns;
}

static __always_inline __u32 saturate(__u64 count)
{
	return count > 0xffffffff ? 0xffffffff : count;
}

/* The suppressed ones ride on the next event that gets through; where the ring is full they wait on. */
static __always_inline int send_refusal(struct event_gate *gate, struct answer *answer, __u32 interface_index,
					__u64 now_ns)
{
	struct refusal_event *event = emit_reserve(EVENT_KIND_REFUSAL, sizeof(*event), now_ns);

	if (!event)
		return 0;
	event->endpoint = answer->from;
	event->client_port = answer->to_port;
	event->answers_syn = answer->answers_syn;
	event->tcp_flags = answer->flags;
	__builtin_memcpy(event->client, &answer->to, sizeof(event->client));
	event->interface_index = interface_index;
	if (gate->suppressed)
		event->suppressed = saturate(__sync_lock_test_and_set(&gate->suppressed, 0));
	emit_submit(event);
	return 1;
}

static __always_inline void tell_refusal(struct event_gate *gate, struct endpoint_counters *count,
					 struct answer *answer, __u32 interface_index)
{
	__u64 now_ns = bpf_ktime_get_ns();

	if (!gate_opens(gate, now_ns)) {
		count->events_suppressed += 1;
		__sync_fetch_and_add(&gate->suppressed, 1);
	} else if (send_refusal(gate, answer, interface_index, now_ns)) {
		count->events_sent += 1;
	} else {
		count->events_lost += 1;
		__sync_fetch_and_add(&gate->suppressed, 1);
	}
}

static __always_inline void count_own(struct endpoint_counters *count, struct answer *answer)
{
	if (is_rst(answer->flags))
		count->own_refusals += 1;
	else
		count->own_acceptances += 1;
}

/*
 * Not inlined: four copies would make the path of uninteresting packets miss the instruction cache. An answer's
 * sender is looked up first: most RSTs on a busy director come from nobody we watch.
 */
static __noinline void weigh(struct answer *answer, __u32 interface_index)
{
	struct endpoint_state *endpoint = bpf_map_lookup_elem(&endpoints, &answer->from);
	struct endpoint_counters *count;
	__u32 slot;

	if (!endpoint)
		return;
	slot = endpoint->slot;
	count = bpf_map_lookup_elem(&counters, &slot);
	if (!count)
		return;
	if (bpf_map_lookup_elem(&local_addresses, &answer->to)) {
		count_own(count, answer);
	} else if (!is_rst(answer->flags)) {
		count->acceptances += 1;
	} else if (answer->answers_syn) {
		count->refusals += 1;
		tell_refusal(&endpoint->refusals, count, answer, interface_index);
	} else {
		count->resets += 1;
		tell_refusal(&endpoint->resets, count, answer, interface_index);
	}
}

/*
 * The TCP header, rejecting first: nearly every packet ends at the flags. `octets` is what the IP header
 * says that there is; padding of a short Ethernet frame must not pass for a TCP header.
 */
static __always_inline struct tcphdr *interesting_tcp(void *at, void *end, __s32 octets, enum reading *reading)
{
	struct tcphdr *tcp = at;
	__u8 flags;

	*reading = READING_SHORT;
	if ((void *)(tcp + 1) > end)
		return 0;
	flags = ((__u8 *)tcp)[TCP_FLAGS_OFFSET];
	if (is_rst(flags) || is_syn_ack(flags)) {
		if (octets < (__s32)sizeof(*tcp))
			return 0;
		*reading = READING_DONE;
		return tcp;
	}
	*reading = READING_DONE;
	return 0;
}

static __always_inline void fill_from_tcp(struct answer *answer, struct tcphdr *tcp)
{
	__u8 flags = ((__u8 *)tcp)[TCP_FLAGS_OFFSET];

	answer->from.port = tcp->source;
	answer->from.protocol = IPPROTO_TCP;
	answer->from.pad = 0;
	answer->to_port = tcp->dest;
	answer->flags = flags;
	answer->answers_syn = (flags & (TCP_RST | TCP_ACK | TCP_SYN | TCP_FIN)) == (TCP_RST | TCP_ACK) && tcp->seq == 0;
}

static __always_inline enum reading read_ipv4(void *at, void *end, __u32 interface_index)
{
	struct iphdr *ip = at;
	enum reading reading;
	struct answer answer;
	struct tcphdr *tcp;
	__u32 header_octets;

	if ((void *)(ip + 1) > end)
		return READING_SHORT;
	if (ip->protocol != IPPROTO_TCP)
		return READING_DONE;
	if (ip->frag_off & bpf_htons(IPV4_FRAGMENT_MASK)) {
		count_loss(LOSS_FRAGMENT);
		return READING_DONE;
	}
	header_octets = ip->ihl * 4;
	if (header_octets < sizeof(*ip))
		return READING_SHORT;
	tcp = interesting_tcp(at + header_octets, end, bpf_ntohs(ip->tot_len) - header_octets, &reading);
	if (!tcp)
		return reading;
	map_ipv4(answer.from.address, ip->saddr);
	map_ipv4(answer.to.address, ip->daddr);
	fill_from_tcp(&answer, tcp);
	weigh(&answer, interface_index);
	return READING_DONE;
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

static __always_inline enum reading read_ipv6(void *at, void *end, __u32 interface_index)
{
	struct ipv6hdr *ip = at;
	enum reading reading;
	struct answer answer;
	struct tcphdr *tcp;
	__s32 offset;

	if ((void *)(ip + 1) > end)
		return READING_SHORT;
	offset = skip_extensions(ip + 1, end, ip->nexthdr);
	if (offset < 0)
		return offset == -2 ? READING_SHORT : READING_DONE;
	tcp = interesting_tcp((void *)(ip + 1) + offset, end, bpf_ntohs(ip->payload_len) - offset, &reading);
	if (!tcp)
		return reading;
	__builtin_memcpy(answer.from.address, &ip->saddr, sizeof(answer.from.address));
	__builtin_memcpy(answer.to.address, &ip->daddr, sizeof(answer.to.address));
	fill_from_tcp(&answer, tcp);
	weigh(&answer, interface_index);
	return READING_DONE;
}

static __always_inline int is_vlan(__be16 protocol)
{
	return protocol == bpf_htons(ETH_P_8021Q) || protocol == bpf_htons(ETH_P_8021AD);
}

/* One body for both hooks. A tag kept in skb->vlan_tci is no longer in the packet, so nothing is to be skipped for it.
 */
static __always_inline enum reading read_frame(void *data, void *end, __u32 interface_index)
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
		return read_ipv4(at, end, interface_index);
	if (protocol == bpf_htons(ETH_P_IPV6))
		return read_ipv6(at, end, interface_index);
	return READING_DONE;
}

static __always_inline int watch_xdp(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;

	if (read_frame(data, end, ctx->ingress_ifindex) == READING_SHORT)
		count_loss(LOSS_TRUNCATED);
	return XDP_PASS;
}

/* Only the linear part of an skb can be read in place; the rare packet whose headers are elsewhere is read twice. */
static __always_inline int watch_skb(struct __sk_buff *skb)
{
	__u32 linear = skb->data_end - skb->data;
	__u32 wanted = skb->len < HEADERS_OCTETS_MAX ? skb->len : HEADERS_OCTETS_MAX;

	if (read_frame((void *)(long)skb->data, (void *)(long)skb->data_end, skb->ifindex) == READING_DONE)
		return TC_ACT_UNSPEC;
	if (linear >= wanted || bpf_skb_pull_data(skb, wanted) != 0 ||
	    read_frame((void *)(long)skb->data, (void *)(long)skb->data_end, skb->ifindex) == READING_SHORT)
		count_loss(LOSS_TRUNCATED);
	return TC_ACT_UNSPEC;
}

/* "frags" says that a packet in several buffers (jumbo frames) does not disturb us: the headers are in the first. */
SEC("xdp.frags")
int wire_xdp(struct xdp_md *ctx)
{
	return watch_xdp(ctx);
}

/* TC_ACT_UNSPEC is also TCX_NEXT: whoever comes after us still sees the packet. */
SEC("tc")
int wire_tc(struct __sk_buff *skb)
{
	return watch_skb(skb);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
