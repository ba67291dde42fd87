/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Part of outcome.bpf.c: what one more segment says about a connection whose SYN was seen. watch_client() and
 * watch_server() count it and return the edge that it makes, or 0; they find no connection and send nothing but
 * learned endpoints.
 */
#ifndef IPVIGIL_CONVERSATION_BPF_H
#define IPVIGIL_CONVERSATION_BPF_H

#include <linux/ip_vs.h>
#include "attempts.bpf.h"

/* A window before the handshake's end is not scaled (RFC 7323 section 2.2), so no first segment lies further off. */
#define FIRST_WINDOW_MAX 65535

static __always_inline int is_first_syn(__u8 flags)
{
	return (flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* Sequence numbers are compared modulo 2^32 (RFC 9293 section 3.4). */
static __always_inline int is_after(__u32 one, __u32 other)
{
	return (__s32)(one - other) > 0;
}

/*
 * The client's ACK of the handshake. Where the server's SYN|ACK passed here it must be that which is acknowledged;
 * in NAT it always passes, so that no client can claim an acceptance that never was.
 */
static __always_inline int acknowledges_handshake(struct ip_vs_conn *cp, struct connection *connection,
						  struct segment *segment)
{
	if (segment->sequence - connection->isn - 1 > FIRST_WINDOW_MAX)
		return 0;
	if (has(connection, PROGRESS_SYN_ACK))
		return segment->acknowledged - connection->server_start <= FIRST_WINDOW_MAX;
	return (cp->flags & IP_VS_CONN_F_FWD_MASK) != IP_VS_CONN_F_MASQ;
}

static __always_inline enum outcome accept(struct ip_vs_conn *cp, struct connection *connection,
					   struct destination *destination, struct segment *segment, __u64 now_ns)
{
	struct outcome_state *state = &destination->told;
	__u64 handshake_ns = now_ns - connection->began_ns;

	if (!has(connection, PROGRESS_SYN_ACK))
		connection->server_start = segment->acknowledged;
	connection->client_end = segment->sequence;
	if (!first_time(connection, PROGRESS_ACCEPTED))
		return 0;
	settle(destination, connection);
	count(&state->counters.accepted);
	state->counters.last_accepted_ns = now_ns;
	state->unanswered_since = 0;
	if (!has(connection, PROGRESS_REPEATED)) {
		record_duration(state->handshakes, handshake_ns);
		smooth_handshake(state, handshake_ns / NS_PER_US);
	}
	learn(destination, connection->destination, cp->dport, now_ns);
	return destination->trouble == TROUBLE_HANDSHAKE ? OUTCOME_ACCEPTED_AGAIN : 0;
}

/* Data that was not sent before. */
static __always_inline int advances(struct connection *connection, struct segment *segment)
{
	__u32 end = segment->sequence + segment->octets;

	if (!is_after(end, connection->client_end))
		return 0;
	connection->client_end = end;
	connection->newest = segment->sequence;
	connection->again = segment->sequence;
	return 1;
}

/*
 * Data that was all sent before: the server's host does not acknowledge it any more. A segment that only filled a gap
 * looks like that once, so one that is not the newest has to come twice. A single octet at the end is a keepalive.
 */
static __always_inline int is_repeated(struct connection *connection, struct segment *segment)
{
	__u32 end = segment->sequence + segment->octets;

	if (advances(connection, segment))
		return 0;
	if (segment->octets == 1 && end == connection->client_end)
		return 0;
	if (segment->sequence == connection->newest || segment->sequence == connection->again)
		return 1;
	connection->again = segment->sequence;
	return 0;
}

/* The rest of a conversation that has been answered: nothing is to be counted, and most segments are of this kind. */
static __always_inline int is_dull(struct connection *connection, struct segment *segment)
{
	if (!has(connection, PROGRESS_ANSWERED) || segment->flags & (TCP_SYN | TCP_FIN | TCP_RST))
		return 0;
	return segment->octets == 0 || advances(connection, segment);
}

static __always_inline enum outcome ask(struct connection *connection, struct destination *destination,
					struct segment *segment, __u64 now_ns)
{
	if (is_repeated(connection, segment)) {
		count(&destination->told.counters.data_repeated);
		return OUTCOME_DATA_REPEATED;
	}
	if (first_time(connection, PROGRESS_ASKED)) {
		connection->asked_ns = now_ns;
		count(&destination->told.counters.asked);
	}
	return 0;
}

/* One octet more may be the server's FIN, which answers nothing; two cannot. */
static __always_inline enum outcome answer(struct connection *connection, struct destination *destination,
					   struct segment *segment, __u64 now_ns)
{
	if (!is_after(segment->acknowledged, connection->server_start + 1) || has(connection, PROGRESS_ANSWERED))
		return 0;
	if (!first_time(connection, PROGRESS_ANSWERED))
		return 0;
	count(&destination->told.counters.answered);
	if (has(connection, PROGRESS_ASKED))
		record_duration(destination->told.first_answers, now_ns - connection->asked_ns);
	return destination->trouble ? OUTCOME_ACCEPTED_AGAIN : 0;
}

/*
 * The client closes. It has given up if its request is unanswered and was given time: who sends FIN with the request
 * or right behind it (a half-close) still expects the answer.
 */
static __always_inline enum outcome leave(struct connection *connection, struct destination *destination,
					  struct segment *segment, __u64 now_ns)
{
	int asks = has(connection, PROGRESS_ASKED) && !has(connection, PROGRESS_ANSWERED);
	int waited = now_ns - connection->asked_ns > patience_ns(&destination->told);

	if (asks && !waited && !(segment->flags & TCP_RST))
		return 0;
	if (!first_time(connection, PROGRESS_OVER) || !asks || !waited)
		return 0;
	count(&destination->told.counters.gave_up);
	return OUTCOME_GAVE_UP;
}

/* A client that resets before it accepted: it never asked for this connection, or wants it no more. */
static __always_inline enum outcome withdraw(struct connection *connection, struct destination *destination)
{
	settle(destination, connection);
	if (first_time(connection, PROGRESS_OVER))
		count(&destination->told.counters.withdrawn);
	return 0;
}

/* Where the server's answer has passed here, it is the way to the client that lost it. */
static __always_inline enum outcome repeat_syn(struct connection *connection, struct destination *destination)
{
	if (has(connection, PROGRESS_ACCEPTED))
		return 0;
	first_time(connection, PROGRESS_REPEATED);
	if (has(connection, PROGRESS_SYN_ACK))
		return 0;
	settle(destination, connection);
	count(&destination->told.counters.syn_repeated);
	return OUTCOME_SYN_REPEATED;
}

/* From the client; the edge that it makes, or 0. */
static __always_inline enum outcome watch_client(struct ip_vs_conn *cp, struct connection *connection,
						 struct destination *destination, struct segment *segment, __u64 now_ns)
{
	enum outcome accepted = 0, asked = 0, answered = 0, left = 0;

	if (is_first_syn(segment->flags))
		return repeat_syn(connection, destination);
	if (segment->flags & TCP_RST && !has(connection, PROGRESS_ACCEPTED))
		return withdraw(connection, destination);
	if (!(segment->flags & (TCP_ACK | TCP_RST)))
		return 0;
	if (!has(connection, PROGRESS_ACCEPTED)) {
		if (!acknowledges_handshake(cp, connection, segment))
			return 0;
		accepted = accept(cp, connection, destination, segment, now_ns);
	}
	if (segment->octets && !(segment->flags & TCP_RST))
		asked = ask(connection, destination, segment, now_ns);
	if (segment->flags & TCP_ACK)
		answered = answer(connection, destination, segment, now_ns);
	if (segment->flags & (TCP_FIN | TCP_RST))
		left = leave(connection, destination, segment, now_ns);
	return left ? left : asked ? asked : answered ? answered : accepted;
}

static __always_inline int acknowledges_syn(struct connection *connection, struct segment *segment)
{
	return segment->acknowledged - connection->isn - 1 <= connection->syn_octets;
}

/* From where the client is, anybody may send what looks like the server's RST: the SYN and its answer in one breath. */
static __always_inline enum outcome refuse(struct connection *connection, struct destination *destination,
					   __u32 interface_index)
{
	settle(destination, connection);
	if (!first_time(connection, PROGRESS_OVER))
		return 0;
	count(&destination->told.counters.refused);
	return interface_index == connection->interface_index ? OUTCOME_PLAUSIBLY_REFUSED : OUTCOME_REFUSED;
}

static __always_inline enum outcome reset(struct connection *connection, struct destination *destination)
{
	if (has(connection, PROGRESS_SERVER_CLOSED) || !first_time(connection, PROGRESS_OVER))
		return 0;
	count(&destination->told.counters.resets);
	return OUTCOME_RESET;
}

/* From the server, where its packets pass here: its SYN|ACK, FIN or RST; the edge that it makes, or 0. */
static __always_inline enum outcome watch_server(struct connection *connection, struct destination *destination,
						 struct segment *segment, __u32 interface_index)
{
	if (segment->flags & TCP_RST) {
		if (has(connection, PROGRESS_ACCEPTED))
			return reset(connection, destination);
		/* Another kind of RST before the acceptance was provoked by an ACK that fits nothing. */
		if (has(connection, PROGRESS_SYN_ACK) || !refuses_syn(segment->flags, segment->sequence) ||
		    segment->acknowledged != connection->isn + 1 + connection->syn_octets)
			return 0;
		return refuse(connection, destination, interface_index);
	}
	if (segment->flags & TCP_FIN) {
		first_time(connection, PROGRESS_SERVER_CLOSED);
	} else if (segment->flags & TCP_ACK && acknowledges_syn(connection, segment) &&
		   !has(connection, PROGRESS_SYN_ACK)) {
		connection->server_start = segment->sequence + 1;
		first_time(connection, PROGRESS_SYN_ACK);
		settle(destination, connection);
	}
	return 0;
}

#endif
