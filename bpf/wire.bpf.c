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
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "emit.bpf.h"
#include "gate.bpf.h"
#include "packet.bpf.h"

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
	event->suppressed = take_suppressed(gate);
	emit_submit(event);
	return 1;
}

static __always_inline void tell_refusal(struct event_gate *gate, struct endpoint_counters *count,
					 struct answer *answer, __u32 interface_index)
{
	__u64 now_ns = bpf_ktime_get_ns();

	if (!gate_opens(gate, now_ns)) {
		count->events_suppressed += 1;
		suppress(gate);
	} else if (send_refusal(gate, answer, interface_index, now_ns)) {
		count->events_sent += 1;
	} else {
		count->events_lost += 1;
		suppress(gate);
	}
}

static __always_inline void count_own(struct endpoint_counters *count, struct answer *answer)
{
	if (is_rst(answer->flags))
		count->own_refusals += 1;
	else
		count->own_acceptances += 1;
}

/* An answer's sender is looked up first: most RSTs on a busy director come from nobody we watch. */
static __always_inline void weigh(struct answer *answer, __u32 interface_index)
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

static __always_inline int watch_xdp(struct xdp_md *ctx)
{
	enum reading reading;
	struct answer answer;

	reading = read_frame((void *)(long)ctx->data, (void *)(long)ctx->data_end, &answer);
	if (reading == READING_ANSWER)
		weigh(&answer, ctx->ingress_ifindex);
	else if (reading == READING_SHORT)
		count_loss(LOSS_TRUNCATED);
	return XDP_PASS;
}

static __always_inline enum reading read_skb(struct __sk_buff *skb, struct answer *answer)
{
	return read_frame((void *)(long)skb->data, (void *)(long)skb->data_end, answer);
}

/* Only the linear part of an skb can be read in place; the rare packet whose headers are elsewhere is read twice. */
static __always_inline int watch_skb(struct __sk_buff *skb)
{
	__u32 wanted = skb->len < HEADERS_OCTETS_MAX ? skb->len : HEADERS_OCTETS_MAX;
	enum reading reading;
	struct answer answer;

	reading = read_skb(skb, &answer);
	if (reading == READING_SHORT && skb->data_end - skb->data < wanted && bpf_skb_pull_data(skb, wanted) == 0)
		reading = read_skb(skb, &answer);
	if (reading == READING_ANSWER)
		weigh(&answer, skb->ifindex);
	else if (reading == READING_SHORT)
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
