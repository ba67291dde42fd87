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
enum events_version { EVENTS_VERSION = 1 };

/* linux/sched.h TASK_COMM_LEN, the terminating zero included. */
#define COMM_LENGTH 16

/* What a weight is called where there is none: the old one of an added destination, the new one of a deleted. */
enum no_weight { NO_WEIGHT = -1 };

enum event_kind {
	EVENT_KIND_REFUSAL = 1,
	EVENT_KIND_WRITE = 2,
};

enum operation {
	OPERATION_ADD = 1,
	OPERATION_EDIT = 2,
	OPERATION_DELETE = 3,
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
	LOSS_COUNT = 5,
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

/* Userspace writes `slot` once and zeroes the rest; the kernel owns the gates. */
struct endpoint_state {
	/* The endpoint's index in the per-CPU array `counters`. */
	__u32 slot;
	__u32 pad;
	/*
	 * Two gates, because a client can provoke a reset whenever it likes (an ACK of something never sent) and
	 * must not be able to use up the tokens of true refusals.
	 */
	struct event_gate refusals;
	struct event_gate resets;
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
};

/* Protocol, address and port name the service, or the firewall mark where it is not 0 (then they tell the family only).
 */
struct writer_key {
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
	struct writer_key key;
	enum operation operation;
	__s32 old_weight;
	__s32 new_weight;
	__u32 pid;
	char comm[COMM_LENGTH];
	char parent_comm[COMM_LENGTH];
	__u32 pad;
};

union crossing {
	enum events_version events_version;
	enum no_weight no_weight;
	enum event_kind event_kind;
	enum operation operation;
	enum loss loss;
	struct event_header event_header;
	struct endpoint_key endpoint_key;
	struct address_key address_key;
	struct event_gate event_gate;
	struct endpoint_state endpoint_state;
	struct endpoint_counters endpoint_counters;
	struct refusal_event refusal_event;
	struct writer_key writer_key;
	struct writer_value writer_value;
	struct write_event write_event;
};

_Static_assert(sizeof(struct event_header) == 16, "every record opens with 16 octets");
_Static_assert(sizeof(struct endpoint_key) == 20, "a key without a hole");
_Static_assert(sizeof(struct endpoint_state) == 40, "slot and two gates");
_Static_assert(sizeof(struct endpoint_counters) == 64, "one cache line per endpoint and CPU");
_Static_assert(sizeof(struct refusal_event) == 64, "one cache line per record");
_Static_assert(sizeof(struct writer_key) == 44, "a key without a hole");
_Static_assert(sizeof(struct writer_value) == 48, "a multiple of eight");
_Static_assert(sizeof(struct write_event) == 112, "a multiple of eight");

#endif
