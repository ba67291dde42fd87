/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * ICMP errors as testimony: whose packet it was that did not arrive, and whether the error may be believed. The quote
 * must be of a packet that the director forwarded or sent: an error goes to the quoted packet's source, a tunnel's to
 * the director. What it means, evidence in userspace weighs, from type and code; here the codes are only told apart
 * into two kinds, so that a firewall's many rejections cannot use up the events of failures.
 */
#ifndef IPVIGIL_ICMP_BPF_H
#define IPVIGIL_ICMP_BPF_H

#include "emit.bpf.h"
#include "gate.bpf.h"
#include "quote.bpf.h"
#include "senders.bpf.h"

/*
 * One bit for each code of "destination unreachable" that counts as a failure; src/evidence/icmp.ts blames for the same
 * ones. IPv4: net, host and protocol unreachable, net and host unknown (RFC 792, RFC 1122 section 3.2.2.1). IPv6: no
 * route, address unreachable (RFC 4443 section 3.1).
 */
#define ICMPV4_FAILURES (1 << 0 | 1 << 1 | 1 << 2 | 1 << 6 | 1 << 7)
#define ICMPV6_FAILURES (1 << 0 | 1 << 3)
#define ICMPV4_PORT 3
#define ICMPV6_PORT 4

/* An error with what it quotes. */
struct error {
	struct answer *answer;
	struct report *report;
	enum trust trust;
};

static __always_inline int is_port_unreachable(struct answer *answer)
{
	return answer->icmp_code == (answer->ip_version == 4 ? ICMPV4_PORT : ICMPV6_PORT);
}

/*
 * For TCP, port-unreachable is what a firewall's REJECT says: a host without a listener sends a RST. Time-exceeded
 * never counts, because a client makes as many as it likes: IPVS hands on its hop limit less one, in a tunnel too
 * (net/netfilter/ipvs/ip_vs_xmit.c), so a traceroute to the VIP ends at a router before a healthy server.
 */
static __always_inline int counts_as_failure(struct answer *answer, struct report *report)
{
	__u8 unreachable = answer->ip_version == 4 ? ICMPV4_UNREACHABLE : ICMPV6_UNREACHABLE;
	__u32 failures = answer->ip_version == 4 ? ICMPV4_FAILURES : ICMPV6_FAILURES;

	if (answer->icmp_type != unreachable)
		return 0;
	if (is_port_unreachable(answer))
		return report->tunnel != TUNNEL_NONE || report->endpoint.protocol != IPPROTO_TCP;
	return answer->icmp_code < 32 && failures >> answer->icmp_code & 1;
}

/* A packet of the director's own, a tunnel's inner one included: its probes, a monitor's checks. */
static __always_inline int is_own(struct report *report)
{
	return is_local(&report->client);
}

static __always_inline int is_same(struct address_key *one, struct address_key *other)
{
	__u32 *left = (__u32 *)one;
	__u32 *right = (__u32 *)other;

	return left[0] == right[0] && left[1] == right[1] && left[2] == right[2] && left[3] == right[3];
}

static __always_inline int is_plausible(struct answer *answer, struct report *report)
{
	if (!is_same(&answer->to, &report->origin))
		return 0;
	return report->tunnel == TUNNEL_NONE || is_local(&report->origin);
}

static __always_inline struct unreachable_event *reserve_unreachable(struct frame *frame, struct answer *answer,
								     __u64 now_ns)
{
	struct {
		struct unreachable_event event;
		struct packet_head head;
	} * record;

	if (!with_packets)
		return emit_reserve(EVENT_KIND_UNREACHABLE, sizeof(record->event), now_ns);
	record = emit_reserve(EVENT_KIND_UNREACHABLE, sizeof(*record), now_ns);
	if (!record)
		return 0;
	fill_packet_head(&record->head, frame, answer->ip_version);
	return &record->event;
}

static __always_inline int send_unreachable(struct event_gate *gate, struct frame *frame, struct error *error,
					    __u64 now_ns)
{
	struct answer *answer = error->answer;
	struct report *report = error->report;
	struct unreachable_event *event = reserve_unreachable(frame, answer, now_ns);

	if (!event)
		return 0;
	event->endpoint = report->endpoint;
	event->client_port = report->client_port;
	event->icmp_type = answer->icmp_type;
	event->icmp_code = answer->icmp_code;
	__builtin_memcpy(event->client, &report->client, sizeof(event->client));
	__builtin_memcpy(event->reporter, answer->from.address, sizeof(event->reporter));
	event->quoted_sequence = report->sequence;
	event->tunnel = report->tunnel;
	event->sender = (enum sender)error->trust;
	event->interface_index = frame->interface_index;
	event->suppressed = take_suppressed(gate);
	emit_submit(event);
	return 1;
}

/* Of a listed endpoint. */
static __always_inline void weigh_endpoint_error(struct endpoint_state *endpoint, struct endpoint_counters *count,
						 struct frame *frame, struct error *error)
{
	struct event_gate *gate = &endpoint->rejections;

	if (is_own(error->report)) {
		count->own_unreachables += 1;
		return;
	}
	error->trust = trust_of(endpoint->host_slot, frame->source);
	if (error->trust == TRUST_STRANGER) {
		count->strangers += 1;
		count_loss(LOSS_STRANGER);
		return;
	}
	if (counts_as_failure(error->answer, error->report)) {
		count->unreachables += 1;
		gate = &endpoint->unreachables;
	} else {
		count->rejections += 1;
	}
	if (!gate_opens(gate, bpf_ktime_get_coarse_ns())) {
		count->events_suppressed += 1;
		suppress(gate);
	} else if (send_unreachable(gate, frame, error, bpf_ktime_get_ns())) {
		count->events_sent += 1;
	} else {
		count->events_lost += 1;
		suppress(gate);
	}
}

/* Of a host, where no listed endpoint is quoted. */
static __always_inline void weigh_host_error(struct host_state *host, struct frame *frame, struct error *error)
{
	struct event_gate *gate = &host->rejection_gate;

	if (is_own(error->report)) {
		__sync_fetch_and_add(&host->own_unreachables, 1);
		return;
	}
	error->trust = trust_of(host->slot, frame->source);
	if (error->trust == TRUST_STRANGER) {
		__sync_fetch_and_add(&host->strangers, 1);
		count_loss(LOSS_STRANGER);
		return;
	}
	if (counts_as_failure(error->answer, error->report)) {
		__sync_fetch_and_add(&host->unreachables, 1);
		gate = &host->unreachable_gate;
	} else {
		__sync_fetch_and_add(&host->rejections, 1);
	}
	if (!gate_opens(gate, bpf_ktime_get_coarse_ns()) || !send_unreachable(gate, frame, error, bpf_ktime_get_ns()))
		suppress(gate);
}

static __always_inline void weigh_report(struct frame *frame, struct error *error)
{
	struct report *report = error->report;
	struct endpoint_state *endpoint = bpf_map_lookup_elem(&endpoints, &report->endpoint);
	struct host_state *host = 0;
	struct endpoint_counters *count;
	__u32 slot;

	if (!endpoint)
		host = bpf_map_lookup_elem(&hosts, &report->endpoint.address);
	if (!endpoint && !host)
		return;
	if (!is_plausible(error->answer, report)) {
		count_loss(LOSS_BAD_QUOTE);
		return;
	}
	if (host) {
		weigh_host_error(host, frame, error);
		return;
	}
	slot = endpoint->slot;
	count = bpf_map_lookup_elem(&counters, &slot);
	if (count)
		weigh_endpoint_error(endpoint, count, frame, error);
}

/* Octets of the ICMP message that can be had; 0 where not even an IP header is quoted. */
static __always_inline __u32 copy_quote(struct frame *frame, struct answer *answer, struct quote *quote)
{
	__u32 octets = answer->octets;

	if (octets > sizeof(quote->octets))
		octets = sizeof(quote->octets);
	if (octets < ICMP_HEADER_OCTETS + sizeof(struct iphdr))
		return 0;
	return copy_octets(frame, answer->offset, quote->octets, octets) == 0 ? octets : 0;
}

static __always_inline void weigh_error(struct frame *frame, struct answer *answer)
{
	struct report report = {};
	struct error error = {.answer = answer, .report = &report};
	__u32 key = 0;
	struct quote *quote = bpf_map_lookup_elem(&quotes, &key);
	enum quoting quoting = QUOTING_SHORT;
	__u32 octets;

	if (!quote)
		return;
	octets = copy_quote(frame, answer, quote);
	if (octets)
		quoting = read_quote(quote, octets, answer->ip_version, &report);
	if (quoting == QUOTING_READ)
		weigh_report(frame, &error);
	else if (quoting != QUOTING_DULL)
		count_loss(quoting == QUOTING_BAD ? LOSS_BAD_QUOTE : LOSS_TRUNCATED);
}

#endif
