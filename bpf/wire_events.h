/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Part of events.h: what crosses from and to wire.bpf.c. Its own file only because the whole is too long to be read
 * in one go; nobody includes it but events.h.
 */
#ifndef IPVIGIL_WIRE_EVENTS_H
#define IPVIGIL_WIRE_EVENTS_H

/* The encapsulation that a quoted packet of ours was in. */
enum tunnel {
	TUNNEL_NONE = 0,
	TUNNEL_IPIP = 1,
	TUNNEL_GUE = 2,
	TUNNEL_GRE = 3,
};

/* Whether the frame came from where the host is known to be. A stranger's packet is rejected and counted. */
enum sender {
	/* Nothing is known of this host's MAC addresses yet, or the interface has none. */
	SENDER_UNLEARNED = 0,
	SENDER_KNOWN = 1,
};

/* Userspace writes the slots once and zeroes the rest; the kernel owns the gates. */
struct endpoint_state {
	/* The endpoint's index in the per-CPU array `counters`. */
	__u32 slot;
	/* Its host's index in the arrays `senders` and `learned`. */
	__u32 host_slot;
	/*
	 * Two gates for RSTs, because a client can provoke a reset whenever it likes (an ACK of something never sent)
	 * and must not be able to use up the tokens of true refusals; and two for ICMP, because of those that a
	 * firewall sends there may be as many as a client likes, too.
	 */
	struct event_gate refusals;
	struct event_gate resets;
	struct event_gate unreachables;
	struct event_gate rejections;
};

/*
 * A host: what an ICMP error speaks of whose quote names no listed endpoint. Userspace writes `slot` once and zeroes
 * the rest; the kernel counts here without a copy per CPU, because such errors are rare and rate-limited by who sends
 * them (net.ipv4.icmp_ratelimit, RFC 4443 section 2.4 f).
 */
struct host_state {
	__u32 slot;
	__u32 pad;
	struct event_gate unreachable_gate;
	struct event_gate rejection_gate;
	__u64 unreachables;
	__u64 rejections;
	__u64 own_unreachables;
	__u64 strangers;
};

/* MAC addresses from which a host's packets may come: its own, or of the routers to it. Userspace writes them. */
struct host_senders {
	/* Eight of eight octets: six of the address, two zeroes; all zero behind the last. */
	__u8 macs[64];
};

struct endpoint_counters {
	/* RST|ACK with sequence number 0 towards a client: the answer to a SYN for a closed port. */
	__u64 refusals;
	/* Any other RST towards a client. */
	__u64 resets;
	/* SYN|ACK towards a client. */
	__u64 acceptances;
	/* RSTs and SYN|ACKs to the director itself: what its own probes and the monitor's checks were answered. */
	__u64 own_refusals;
	__u64 own_acceptances;
	__u64 events_sent;
	__u64 events_suppressed;
	__u64 events_lost;
	/* ICMP errors about a client's packet that may speak of a failure. */
	__u64 unreachables;
	/* ICMP errors that speak of a policy or of the packet itself (its hop limit, say): see counts_as_failure() in
	 * icmp.bpf.h. */
	__u64 rejections;
	/* ICMP errors about the director's own packets. */
	__u64 own_unreachables;
	/* RSTs and ICMP errors rejected, because they came from a MAC address that is not known for the host. */
	__u64 strangers;
};

struct refusal_event {
	struct event_header header;
	struct endpoint_key endpoint;
	__be16 client_port;
	/* 1 for RST|ACK with sequence number 0 (RFC 9293 section 3.10.7.1), 0 for any other RST. */
	__u8 answers_syn;
	__u8 tcp_flags;
	__u8 client[16];
	__u32 interface_index;
	/* Saturates; of this gate, since its last event. */
	__u32 suppressed;
	enum sender sender;
	__u32 pad;
};

struct unreachable_event {
	struct event_header header;
	/*
	 * From the quoted packet: whom it was sent to. Port 0 where the quote does not reach that far; protocol 0 where
	 * only a tunnel's outer header is quoted: then it speaks of the host alone.
	 */
	struct endpoint_key endpoint;
	__be16 client_port;
	/* ICMP for IPv4 or ICMPv6, as the endpoint's address says. */
	__u8 icmp_type;
	__u8 icmp_code;
	/* Of the quoted packet; zeroes where it was a tunnel's outer one and the inner one is not quoted. */
	__u8 client[16];
	/* Who says so: the host itself or a router before it. */
	__u8 reporter[16];
	/* The quoted TCP sequence number, 0 where there is none. */
	__u32 quoted_sequence;
	enum tunnel tunnel;
	enum sender sender;
	__u32 interface_index;
	/* Saturates; of this gate, since its last event. */
	__u32 suppressed;
	__u32 pad;
};

_Static_assert(sizeof(struct endpoint_state) == 72, "two slots and four gates");
_Static_assert(sizeof(struct host_state) == 72, "a multiple of eight");
_Static_assert(sizeof(struct host_senders) == 64, "one cache line");
_Static_assert(sizeof(struct endpoint_counters) == 96, "a multiple of eight");
_Static_assert(sizeof(struct refusal_event) == 72, "a multiple of eight");
_Static_assert(sizeof(struct unreachable_event) == 96, "a multiple of eight");

#endif
