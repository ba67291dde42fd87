// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The vantage point on the wire: RST and SYN|ACK that listed endpoints send, and ICMP errors about packets to them,
 * seen where they enter the director from the real-server side, by XDP or by tc. What goes to a client is testimony;
 * what goes to one of the director's own addresses answers its own probe or a monitor's check, and is only counted,
 * but for the errors about a tunnel's outer packet, which the director has sent for a client.
 *
 * It sees, counts and sends a few; it verifies nothing (whether a refusal answers a SYN that IPVS scheduled
 * is outcome's knowledge), and every packet passes untouched. In DR and TUN replies take another way, so
 * RST and SYN|ACK are only silence here.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include "emit.bpf.h"
#include "gate.bpf.h"
#include "icmp.bpf.h"
#include "packet.bpf.h"
#include "senders.bpf.h"
#include "wire_maps.bpf.h"

static __always_inline struct refusal_event *reserve_refusal(struct frame *frame, struct answer *answer, __u64 now_ns)
{
	struct {
		struct refusal_event event;
		struct packet_head head;
	} * record;

	if (!with_packets)
		return emit_reserve(EVENT_KIND_REFUSAL, sizeof(record->event), now_ns);
	record = emit_reserve(EVENT_KIND_REFUSAL, sizeof(*record), now_ns);
	if (!record)
		return 0;
	fill_packet_head(&record->head, frame, answer->ip_version);
	return &record->event;
}

/* The suppressed ones ride on the next event that gets through; where the ring is full they wait on. */
static __always_inline int send_refusal(struct event_gate *gate, struct frame *frame, struct answer *answer,
					enum trust trust, __u64 now_ns)
{
	struct refusal_event *event = reserve_refusal(frame, answer, now_ns);

	if (!event)
		return 0;
	event->endpoint = answer->from;
	event->client_port = answer->to_port;
	event->answers_syn = answer->answers_syn;
	event->tcp_flags = answer->flags;
	__builtin_memcpy(event->client, &answer->to, sizeof(event->client));
	event->interface_index = frame->interface_index;
	event->suppressed = take_suppressed(gate);
	event->sender = (enum sender)trust;
	emit_submit(event);
	return 1;
}

/* A flood is counted by the clock of the last tick, a sixth cheaper; what is told carries the true time. */
static __always_inline void tell_refusal(struct event_gate *gate, struct endpoint_counters *count, struct frame *frame,
					 struct answer *answer, enum trust trust)
{
	if (!gate_opens(gate, bpf_ktime_get_coarse_ns())) {
		count->events_suppressed += 1;
		suppress(gate);
	} else if (send_refusal(gate, frame, answer, trust, bpf_ktime_get_ns())) {
		count->events_sent += 1;
	} else {
		count->events_lost += 1;
		suppress(gate);
	}
}

static __always_inline void weigh_rst(struct endpoint_state *endpoint, struct endpoint_counters *count,
				      struct frame *frame, struct answer *answer)
{
	enum trust trust = trust_of(endpoint->host_slot, frame->source);

	if (trust == TRUST_STRANGER) {
		count->strangers += 1;
		count_loss(LOSS_STRANGER);
	} else if (answer->answers_syn) {
		count->refusals += 1;
		tell_refusal(&endpoint->refusals, count, frame, answer, trust);
	} else {
		count->resets += 1;
		tell_refusal(&endpoint->resets, count, frame, answer, trust);
	}
}

/*
 * An answer's sender is looked up first: most RSTs on a busy director come from nobody we watch. An acceptance counts
 * whoever brings it, because too much trust in it only keeps a server in.
 */
static __always_inline void weigh_answer(struct frame *frame, struct answer *answer)
{
	/* On the stack, because 6.1 takes no key from a global function's argument. */
	struct endpoint_key from = answer->from;
	struct endpoint_state *endpoint = bpf_map_lookup_elem(&endpoints, &from);
	struct endpoint_counters *count;
	__u32 slot;
	int own;

	if (!endpoint)
		return;
	slot = endpoint->slot;
	count = bpf_map_lookup_elem(&counters, &slot);
	if (!count)
		return;
	own = is_local(&answer->to);
	if (is_syn_ack(answer->flags)) {
		*(own ? &count->own_acceptances : &count->acceptances) += 1;
		learn(endpoint->host_slot, frame->source);
	} else if (own) {
		count->own_refusals += 1;
	} else {
		weigh_rst(endpoint, count, frame, answer);
	}
}

/* Few packets come this far. Octets that IP's header tells of and the packet does not have contradict it. */
static __always_inline void weigh(struct frame *frame, struct answer *answer)
{
	if (answer->offset + answer->octets > frame->octets)
		count_loss(LOSS_MALFORMED);
	else if (answer->reading == READING_ANSWER)
		weigh_answer(frame, answer);
	else
		weigh_error(frame, answer);
}

/*
 * Both are global, so that the verifier looks at each once for any answer, and not again along each of the many ways by
 * which a header can be reached. Linux 6.1 takes no key of a map from what a global function was given, later kernels
 * do, so the answer is copied to a stack of its own.
 */
__attribute__((noinline)) int weigh_xdp(struct xdp_md *ctx, struct answer *given, __u64 source, __u32 opening)
{
	struct frame frame = {.context = ctx, .hook = HOOK_XDP, .opening = opening, .source = source};
	struct answer answer;

	if (!given)
		return 0;
	answer = *given;
	frame.octets = bpf_xdp_get_buff_len(ctx);
	frame.interface_index = ctx->ingress_ifindex;
	weigh(&frame, &answer);
	return 0;
}

__attribute__((noinline)) int weigh_skb(struct __sk_buff *skb, struct answer *given, __u64 source, __u32 opening)
{
	struct frame frame = {.context = skb, .hook = HOOK_TC, .opening = opening, .source = source};
	struct answer answer;

	if (!given)
		return 0;
	answer = *given;
	frame.octets = skb->len;
	frame.interface_index = skb->ifindex;
	weigh(&frame, &answer);
	return 0;
}

static __always_inline int watch_xdp(struct xdp_md *ctx, enum opening opening)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct answer answer;
	enum reading reading;

	reading = read_packet(data, end, opening, &answer);
	if (reading == READING_ANSWER || reading == READING_ERROR)
		weigh_xdp(ctx, &answer, source_of(data, end, opening), opening);
	else if (reading == READING_SHORT)
		count_loss(LOSS_TRUNCATED);
	return XDP_PASS;
}

static __always_inline enum reading read_skb(struct __sk_buff *skb, enum opening opening, struct answer *answer)
{
	return read_packet((void *)(long)skb->data, (void *)(long)skb->data_end, opening, answer);
}

/* Only the linear part of an skb can be read in place; the rare packet whose headers are elsewhere is read twice. */
static __always_inline int watch_skb(struct __sk_buff *skb, enum opening opening)
{
	__u32 wanted = skb->len < HEADERS_OCTETS_MAX ? skb->len : HEADERS_OCTETS_MAX;
	struct answer answer;
	enum reading reading;
	__u64 source;

	reading = read_skb(skb, opening, &answer);
	if (reading == READING_SHORT && skb->data_end - skb->data < wanted && bpf_skb_pull_data(skb, wanted) == 0)
		reading = read_skb(skb, opening, &answer);
	source = source_of((void *)(long)skb->data, (void *)(long)skb->data_end, opening);
	if (reading == READING_ANSWER || reading == READING_ERROR)
		weigh_skb(skb, &answer, source, opening);
	else if (reading == READING_SHORT)
		count_loss(LOSS_TRUNCATED);
	return TC_ACT_UNSPEC;
}

/* "frags" says that a packet in several buffers (jumbo frames) does not disturb us: the headers are in the first. */
SEC("xdp.frags")
int wire_xdp(struct xdp_md *ctx)
{
	return watch_xdp(ctx, OPENING_ETHERNET);
}

SEC("xdp.frags")
int wire_xdp_ip(struct xdp_md *ctx)
{
	return watch_xdp(ctx, OPENING_IP);
}

/* TC_ACT_UNSPEC is also TCX_NEXT: whoever comes after us still sees the packet. */
SEC("tc")
int wire_tc(struct __sk_buff *skb)
{
	return watch_skb(skb, OPENING_ETHERNET);
}

SEC("tc")
int wire_tc_ip(struct __sk_buff *skb)
{
	return watch_skb(skb, OPENING_IP);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
