/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Part of events.h: what crosses from outcome.bpf.c. Its own file only because the whole is too long to be read
 * in one go; nobody includes it but events.h.
 */
#ifndef IPVIGIL_OUTCOME_EVENTS_H
#define IPVIGIL_OUTCOME_EVENTS_H

/* What became of an attempt; each but the last speaks of one destination. */
enum outcome {
	/* RST|ACK, seq 0, ack = ISN + 1 + SYN data, for a SYN that IPVS scheduled and that was never accepted. */
	OUTCOME_REFUSED = 1,
	/* The client sent its SYN again: nobody answered. */
	OUTCOME_SYN_REPEATED = 2,
	/* Attempts wait longer than accepted ones do here, or did in vain, and none has been accepted since they began.
	 */
	OUTCOME_OVERDUE = 3,
	/* The client sent its data again: the host died after the handshake. */
	OUTCOME_DATA_REPEATED = 4,
	/* The server reset an accepted connection. */
	OUTCOME_RESET = 5,
	/* The client closed, its request unanswered. */
	OUTCOME_GAVE_UP = 6,
	/* The first acceptance after any of the first three, or the first answer after any of the above. */
	OUTCOME_ACCEPTED_AGAIN = 7,
	/*
	 * As OUTCOME_REFUSED, but the RST came in by the interface that the SYN had come in by: from a real server
	 * where all share one network, or from whoever sent the SYN. Its own kind, so that its gate is not the verified
	 * ones'.
	 */
	OUTCOME_PLAUSIBLY_REFUSED = 8,
	/* The scheduler found no destination: speaks of the service. */
	OUTCOME_NO_DESTINATION = 9,
};

/* Since the destination was listed. Connections, not packets, but for the repeats. */
struct outcome_counters {
	__u64 scheduled;
	/* The client acknowledged the server's SYN|ACK. */
	__u64 accepted;
	/* The client sent data. */
	__u64 asked;
	/* The client acknowledged data of the server's. */
	__u64 answered;
	__u64 refused;
	__u64 syn_repeated;
	/* Neither answered nor repeated in time, nor given up by IPVS itself (drop_entry). */
	__u64 unanswered;
	__u64 data_repeated;
	__u64 resets;
	__u64 gave_up;
	/* The client reset before anything was accepted: says nothing of the server. */
	__u64 withdrawn;
	__u64 last_accepted_ns;
};

/* Durations in microseconds by powers of two: bucket 0 below 2, bucket n from 2^n on, the last without an end (8.4 s).
 */
#define HISTOGRAM_BUCKETS 24

/* Attempts are counted by the time of their SYN, in epochs of 2^29 ns (0.54 s). */
enum outcome_epoch { OUTCOME_EPOCH_SHIFT = 29 };

/*
 * An attempt that is still open when its epoch is this old is unanswered: 1.6 to 2.1 s after the SYN. A client
 * whose SYN is lost sends it again after 1 s (RFC 6298 section 2.1; Linux adds up to 12 % timer slack), so a
 * repeated one is known as such by then.
 */
enum outcome_settled { OUTCOME_SETTLED_EPOCHS = 4 };

/* A power of two above OUTCOME_SETTLED_EPOCHS: the cell of an epoch is its number modulo this. */
#define WAITING_CELLS 8

/* The open attempts of one epoch. The kernel changes count and epoch as one word. */
struct waiting_cell {
	__u32 count;
	__u32 epoch;
	/* When the first of them began after the destination's last acceptance. */
	__u64 first_ns;
};

/* All that is told of one destination; userspace writes `key` once and zeroes the rest. */
struct outcome_state {
	struct destination_key key;
	/* Of `counters.unanswered`, those that began after the last acceptance; and when the first of them began. */
	__u32 unanswered_since;
	__u64 unanswered_first_ns;
	struct outcome_counters counters;
	struct waiting_cell waiting[WAITING_CELLS];
	/* From SYN to the client's ACK, and its mean deviation, smoothed as RFC 6298 section 2 does; 0 before the
	 * first. */
	__u32 handshake_us;
	__u32 handshake_deviation_us;
	__u64 handshakes[HISTOGRAM_BUCKETS];
	/* From the client's first data to its acknowledgement of the server's. */
	__u64 first_answers[HISTOGRAM_BUCKETS];
};

/* By a destination_key whose destination is zero; made by the kernel when a service first has none. */
struct service_outcomes {
	__u64 no_destination;
	struct event_gate gate;
};

struct outcome_event {
	struct event_header header;
	/* For OUTCOME_NO_DESTINATION the destination's part is zero. */
	struct destination_key key;
	enum outcome outcome;
	__u8 client[16];
	__be16 client_port;
	/* The port that the server was asked on: the destination's, or, where that has none, the connection's. */
	__be16 server_port;
	/* Of this outcome since its last event; saturates. */
	__u32 suppressed;
	/* Attempts that nobody has answered since the last acceptance, this one included; those of old as well. */
	__u32 waiting;
	/* How long ago the oldest of them began; saturates. */
	__u32 waiting_us;
	/* As they stood after this outcome. */
	struct outcome_counters counters;
};

struct learned_event {
	struct event_header header;
	struct destination_key key;
	struct endpoint_key endpoint;
};

_Static_assert(sizeof(struct outcome_state) == 672, "a multiple of eight");
_Static_assert(sizeof(struct outcome_event) == 192, "a multiple of eight");
_Static_assert(sizeof(struct learned_event) == 80, "a multiple of eight");

#endif
