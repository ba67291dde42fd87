/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The only declaration of what crosses between the kernel and ipvigil: ring records, map keys, map values
 * and the enums in them. src/decode/layout.generated.ts is generated from the BTF of this file, and at
 * start the sizes in the loaded object are compared with it. A type crosses when it stands in
 * `union crossing` below; nothing else is generated.
 *
 * Every octet is declared: the generator refuses bitfields and padding that the compiler would insert,
 * so that a record never carries what the ring held before. Addresses are 16 octets, IPv4 as the
 * v4-mapped ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2); ports stay in network order and are typed so.
 */
#ifndef IPVIGIL_EVENTS_H
#define IPVIGIL_EVENTS_H

#include <linux/types.h>

/*
 * Raised whenever a type below changes, or what audit.bpf.c does with one: pinned maps and links carry it
 * in their directory's name, so an older program is never adopted by a newer reader.
 */
enum events_version { EVENTS_VERSION = 2 };

/* linux/sched.h TASK_COMM_LEN, the terminating zero included. */
#define COMM_LENGTH 16

/* What a weight is called where there is none: the old one of an added destination, the new one of a deleted. */
enum no_weight { NO_WEIGHT = -1 };

enum event_kind {
	/* wire: a RST. */
	EVENT_KIND_REFUSAL = 1,
	/* audit: a destination was written, or was to be. */
	EVENT_KIND_WRITE = 2,
	/* wire: an ICMP error about a packet of ours. */
	EVENT_KIND_UNREACHABLE = 3,
	/* outcome: what became of a connection attempt. */
	EVENT_KIND_OUTCOME = 4,
	/* outcome: the endpoint behind a destination without a port of its own. */
	EVENT_KIND_LEARNED = 5,
	/* audit: a service was written, or was to be. */
	EVENT_KIND_SERVICE = 6,
	/* link: an interface of the director changed. */
	EVENT_KIND_LINK = 7,
	/* link: a neighbour (ARP, ND) failed or came back. */
	EVENT_KIND_NEIGHBOUR = 8,
};

enum operation {
	OPERATION_ADD = 1,
	OPERATION_EDIT = 2,
	OPERATION_DELETE = 3,
	/* All services at once; a service_event without a service. */
	OPERATION_FLUSH = 4,
};

/* How the writer spoke to IPVS. */
enum via {
	VIA_UNKNOWN = 0,
	VIA_NETLINK = 1,
	VIA_SETSOCKOPT = 2,
};

enum link_change {
	/* value: 1 up, 0 down. */
	LINK_CHANGE_CARRIER = 1,
	/* On a bond; value: the active slave's interface index, 0 for none. */
	LINK_CHANGE_ACTIVE_SLAVE = 2,
	/* On a slave; value: BOND_LINK_UP 0, FAIL 1, DOWN 2, BACK 3; other_index: its bond. */
	LINK_CHANGE_SLAVE = 3,
};

/* Where testimony is lost or left unread; the index into the per-CPU array `losses`. */
enum loss {
	LOSS_RING_FULL = 0,
	/* The packet ended inside a header, or says that it does. */
	LOSS_TRUNCATED = 1,
	/* Fragments are not put together again: a RST or SYN|ACK has no reason to come in pieces. */
	LOSS_FRAGMENT = 2,
	/* More IPv6 extension headers than EXTENSION_HEADERS_MAX. */
	LOSS_HEADER_CHAIN = 3,
	/* The last-writer map is full: the write is told by the ring, but will not be remembered. */
	LOSS_WRITERS_FULL = 4,
	/* Headers that contradict themselves (an IPv4 header of less than 20 octets, a length beyond the packet). */
	LOSS_MALFORMED = 5,
	/* The TCP header was not in the linear part of the packet. */
	LOSS_UNREADABLE = 6,
	/* A connection whose SYN was not seen (older than ipvigil, synchronised, or evicted): not judged. */
	LOSS_NO_SYN = 7,
	/* A connection for a destination that userspace has not listed yet. */
	LOSS_UNLISTED = 8,
	/* From a MAC address that is not the host's nor that of a router to it. */
	LOSS_STRANGER = 9,
	/* An ICMP error that quotes no packet that the director could have sent. */
	LOSS_BAD_QUOTE = 10,
	LOSS_COUNT = 11,
};

struct event_header {
	enum event_kind kind;
	/* Of the whole record, this header included. */
	__u32 size;
	/* CLOCK_MONOTONIC (bpf_ktime_get_ns). */
	__u64 time_ns;
};

struct endpoint_key {
	__u8 address[16];
	__be16 port;
	/* IPPROTO_*; 0 where a firewall mark names no protocol. */
	__u8 protocol;
	__u8 pad;
};

struct address_key {
	__u8 address[16];
};

/*
 * A token bucket in one word (GCRA, ITU-T I.371): the time at which the bucket will be full again. Shared by
 * all CPUs, written only when an event passes, so that in a flood every CPU keeps a clean copy of the line.
 */
struct event_gate {
	__u64 full_at_ns;
	/* Not sent since the last event; each event takes what is here with it. */
	__u64 suppressed;
};

#include "wire_events.h"

/*
 * Behind a refusal_event, an unreachable_event or an outcome_event where packets are asked for (trace): the first
 * octets of the packet that gave rise to it, from its Ethernet or IP header on.
 */
struct packet_head {
	/* Of the whole packet. */
	__u32 packet_octets;
	/* Of `octets`. */
	__u16 captured_octets;
	/* ETH_P_*: 0 where `octets` begins with an Ethernet header, else the protocol it begins with. */
	__be16 protocol;
	__u8 octets[128];
};

/* Who asked IPVS for a change, in the asking task. */
struct caller {
	/* The process (thread group), as the initial PID namespace numbers it. */
	__u32 pid;
	/* As the initial user namespace numbers it. */
	__u32 uid;
	char comm[COMM_LENGTH];
	char parent_comm[COMM_LENGTH];
};

/* A firewall mark that is not 0 names the service; its address then tells the family only. */
struct destination_key {
	struct endpoint_key service;
	struct endpoint_key destination;
	__u32 fwmark;
};

struct writer_value {
	__u64 writes;
	__u64 time_ns;
	/* The process (thread group), as the initial PID namespace numbers it. */
	__u32 pid;
	__s32 weight;
	enum operation operation;
	__u32 pad;
	char comm[COMM_LENGTH];
};

struct write_event {
	struct event_header header;
	struct destination_key key;
	enum operation operation;
	__s32 old_weight;
	__s32 new_weight;
	/* 0, or the negative errno with which IPVS refused. */
	__s32 result;
	enum via via;
	struct caller caller;
};

struct service_event {
	struct event_header header;
	struct endpoint_key service;
	__u32 fwmark;
	enum operation operation;
	/* 0, or the negative errno with which IPVS refused. */
	__s32 result;
	enum via via;
	__u32 pad;
	struct caller caller;
};

#include "outcome_events.h"

/* linux/if.h IFNAMSIZ. */
#define INTERFACE_NAME_LENGTH 16

struct link_event {
	struct event_header header;
	__u32 interface_index;
	enum link_change change;
	__u32 value;
	__u32 other_index;
	/* Of a carrier: how often it has changed, this change included (IFLA_CARRIER_CHANGES); else 0. */
	__u32 changes;
	__u32 pad;
	char name[INTERFACE_NAME_LENGTH];
};

struct neighbour_event {
	struct event_header header;
	__u8 address[16];
	__u32 interface_index;
	/* NUD_* (linux/neighbour.h). */
	__u32 state;
};

union crossing {
	enum events_version events_version;
	enum no_weight no_weight;
	enum event_kind event_kind;
	enum operation operation;
	enum via via;
	enum tunnel tunnel;
	enum sender sender;
	enum outcome outcome;
	enum link_change link_change;
	enum loss loss;
	struct event_header event_header;
	struct endpoint_key endpoint_key;
	struct address_key address_key;
	struct caller caller;
	struct event_gate event_gate;
	struct endpoint_state endpoint_state;
	struct host_state host_state;
	struct host_senders host_senders;
	struct endpoint_counters endpoint_counters;
	struct refusal_event refusal_event;
	struct unreachable_event unreachable_event;
	struct packet_head packet_head;
	struct destination_key destination_key;
	struct writer_value writer_value;
	struct write_event write_event;
	struct service_event service_event;
	enum outcome_epoch outcome_epoch;
	enum outcome_settled outcome_settled;
	struct waiting_cell waiting_cell;
	struct outcome_counters outcome_counters;
	struct outcome_state outcome_state;
	struct service_outcomes service_outcomes;
	struct outcome_event outcome_event;
	struct learned_event learned_event;
	struct link_event link_event;
	struct neighbour_event neighbour_event;
};

_Static_assert(sizeof(struct event_header) == 16, "every record opens with 16 octets");
_Static_assert(sizeof(struct endpoint_key) == 20, "a key without a hole");
_Static_assert(sizeof(struct packet_head) == 136, "a multiple of eight");
_Static_assert(sizeof(struct destination_key) == 44, "a key without a hole");
_Static_assert(sizeof(struct writer_value) == 48, "a multiple of eight");
_Static_assert(sizeof(struct write_event) == 120, "a multiple of eight");
_Static_assert(sizeof(struct service_event) == 96, "a multiple of eight");
_Static_assert(sizeof(struct link_event) == 56, "a multiple of eight");
_Static_assert(sizeof(struct neighbour_event) == 40, "a multiple of eight");

#endif
