/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What outcome.bpf.c keeps: the destinations that userspace has listed, what stands of each of them, and the
 * connections under way; and the one way in which an edge leaves. It judges no packet.
 */
#ifndef IPVIGIL_ATTEMPTS_BPF_H
#define IPVIGIL_ATTEMPTS_BPF_H

#include <linux/in.h>
#include "emit.bpf.h"
#include "gate.bpf.h"
#include "ipvs.bpf.h"
#include "segment.bpf.h"
#include "waiting.bpf.h"

/* Set before load: events carry the head of their packet (trace). */
const volatile __u8 send_packets = 0;

/* What an edge puts in doubt, and so what dispels it. */
enum trouble {
	/* That the server accepts. */
	TROUBLE_HANDSHAKE = 1,
	/* That it answers what it has accepted. */
	TROUBLE_ANSWER = 2,
};

/* What is told of a destination, and what only the kernel needs for it. */
struct destination {
	struct outcome_state told;
	/* `enum trouble`: the edges since the last OUTCOME_ACCEPTED_AGAIN. */
	__u32 trouble;
	__u32 pad;
	/* By outcome, from 1 on; OUTCOME_NO_DESTINATION has its service's. */
	struct event_gate gates[OUTCOME_NO_DESTINATION - 1];
	/* Of learned endpoints. */
	struct event_gate learning;
};

/* What has been seen of a connection; `enum progress` in one word. */
enum progress {
	/* The server answered the SYN with SYN|ACK. */
	PROGRESS_SYN_ACK = 1,
	/* Counted among the open attempts no more. */
	PROGRESS_SETTLED = 2,
	PROGRESS_ACCEPTED = 4,
	PROGRESS_ASKED = 8,
	PROGRESS_ANSWERED = 16,
	/* The SYN came again, so its handshake is no measure of the path (Karn's rule, RFC 6298 section 3). */
	PROGRESS_REPEATED = 32,
	/* The server has closed its side: what it resets from now on was over. */
	PROGRESS_SERVER_CLOSED = 64,
	/* Nothing more is to be learned from this connection. */
	PROGRESS_OVER = 128,
};

struct connection {
	__u32 destination;
	__u32 progress;
	__u64 began_ns;
	__u64 asked_ns;
	/* Sequence number and data of the SYN. */
	__u32 isn;
	__u32 syn_octets;
	/* The server's first sequence number after its SYN: where its data begins. */
	__u32 server_start;
	/* One beyond the last octet that the client has sent, and where the newest segment began. */
	__u32 client_end;
	__u32 newest;
	/* The segment below `client_end` that came last. */
	__u32 again;
	/* Where the SYN came in. */
	__u32 interface_index;
	__u32 pad;
};

/*
 * Userspace lists the table's destinations under numbers that it never uses twice, so that a connection of one
 * that is gone finds nothing. Not preallocated: 1 KiB per destination, taken only for those that are listed.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 32768);
	__type(key, struct destination_key);
	__type(value, __u32);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 32768);
	__type(key, __u32);
	__type(value, struct destination);
} destinations SEC(".maps");

/*
 * By the address of IPVS's own entry. 65,536 connections at once take 7 MiB; of more than that, those go first
 * that have been silent longest, and are not judged any further. Only where so many are new within two seconds can
 * it be an open attempt, which then counts as unanswered: a reason to ask, never to convict.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct connection);
} connections SEC(".maps");

/* Services are few, and a service without destinations is not listed by anybody: four times the largest table. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct destination_key);
	__type(value, struct service_outcomes);
} services SEC(".maps");

/* An endpoint behind a destination without a port of its own. */
struct learned_key {
	__u32 destination;
	__be16 port;
	__be16 pad;
};

/* When each was told last: again after five minutes, in case there was no room for it, which does no harm. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct learned_key);
	__type(value, __u64);
} learned SEC(".maps");

#define LEARNED_AGAIN_NS (300 * 1000 * 1000 * 1000ull)

/* Whether this flag is set for the first time: several CPUs may see packets of one connection. */
static __always_inline int first_time(struct connection *connection, enum progress flag)
{
	return !(__sync_fetch_and_or(&connection->progress, flag) & flag);
}

static __always_inline int has(struct connection *connection, enum progress flag)
{
	return connection->progress & flag;
}

static __always_inline void count(__u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
}

/* The attempt has found its end or its answer: it waits no longer. */
static __always_inline void settle(struct destination *destination, struct connection *connection)
{
	if (first_time(connection, PROGRESS_SETTLED))
		end_waiting(&destination->told, connection->began_ns);
}

/* With the packet behind it where packets are asked for; 0 where the ring is full. */
static __always_inline struct outcome_event *reserve_outcome(const struct sk_buff *skb, __u32 family, __u64 now_ns)
{
	struct outcome_event *event;

	if (!send_packets)
		return emit_reserve(EVENT_KIND_OUTCOME, sizeof(*event), now_ns);
	event = emit_reserve(EVENT_KIND_OUTCOME, sizeof(*event) + sizeof(struct packet_head), now_ns);
	if (event)
		copy_packet((struct packet_head *)(event + 1), skb, family);
	return event;
}

static __noinline int send_outcome(struct destination *destination, struct ip_vs_conn *cp, const struct sk_buff *skb,
				   enum outcome outcome, __u64 now_ns)
{
	struct waiting waiting = look_at_unanswered(&destination->told, now_ns);
	struct outcome_event *event = reserve_outcome(skb, cp->af, now_ns);

	if (!event)
		return 0;
	event->key = destination->told.key;
	event->outcome = outcome;
	read_address(event->client, &cp->caddr, cp->af);
	event->client_port = cp->cport;
	event->server_port = cp->dport;
	event->waiting = waiting.count;
	event->waiting_us = saturate((now_ns - waiting.oldest_ns) / NS_PER_US);
	event->counters = destination->told.counters;
	event->suppressed = take_suppressed(&destination->gates[outcome - 1]);
	emit_submit(event);
	return 1;
}

/*
 * A refusal is the server's own word, and acceptances end a doubt; all others a client can bring about by itself. Where
 * the service means all ports, those that nobody judges must not take the place of the one that is.
 */
static __always_inline __u64 interval_of(struct destination *destination, enum outcome outcome)
{
	if (destination->told.key.service.port == 0)
		return event_interval_ns;
	switch (outcome) {
	case OUTCOME_REFUSED:
	case OUTCOME_PLAUSIBLY_REFUSED:
	case OUTCOME_ACCEPTED_AGAIN:
		return event_interval_ns;
	default:
		return SLOW_INTERVAL_NS;
	}
}

/* An edge: sent while its gate lets it, else counted with the next one. */
static __always_inline void tell(struct destination *destination, struct ip_vs_conn *cp, const struct sk_buff *skb,
				 enum outcome outcome, __u64 now_ns)
{
	struct event_gate *gate;

	if (outcome < OUTCOME_REFUSED || outcome >= OUTCOME_NO_DESTINATION)
		return;
	gate = &destination->gates[outcome - 1];
	if (outcome != OUTCOME_ACCEPTED_AGAIN)
		destination->trouble |= outcome < OUTCOME_DATA_REPEATED ? TROUBLE_HANDSHAKE : TROUBLE_ANSWER;
	if (!gate_opens_every(gate, now_ns, interval_of(destination, outcome)) ||
	    !send_outcome(destination, cp, skb, outcome, now_ns))
		suppress(gate);
	else if (outcome == OUTCOME_ACCEPTED_AGAIN)
		destination->trouble = 0;
}

/*
 * Where the table does not name the port that is asked, or, with a firewall mark, the protocol, an accepted connection
 * does. A service of port 0 is persistent, and then IPVS keeps the client's port, whatever the destination's is
 * (ip_vs_sched_persist, net/netfilter/ipvs/ip_vs_core.c). In DR and TUN a client can make up acceptances on every port:
 * what the gate holds back is told with a later connection.
 */
static __always_inline void learn(struct destination *destination, __u32 number, __be16 port, __u64 now_ns)
{
	struct destination_key *key = &destination->told.key;
	struct learned_key pair = {.destination = number, .port = port};
	struct learned_event *event;
	__u64 *told_ns;

	if (key->fwmark == 0 && key->service.port != 0 && key->destination.port != 0)
		return;
	told_ns = bpf_map_lookup_elem(&learned, &pair);
	if (told_ns && now_ns - *told_ns < LEARNED_AGAIN_NS)
		return;
	if (!gate_opens_every(&destination->learning, now_ns, SLOW_INTERVAL_NS))
		return;
	event = emit_reserve(EVENT_KIND_LEARNED, sizeof(*event), now_ns);
	if (!event)
		return;
	bpf_map_update_elem(&learned, &pair, &now_ns, BPF_ANY);
	event->key = *key;
	event->endpoint = key->destination;
	event->endpoint.port = port;
	event->endpoint.protocol = IPPROTO_TCP;
	emit_submit(event);
}

#endif
