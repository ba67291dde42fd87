// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The vantage point inside IPVS on connections: what became of every attempt, by destination, from the packets that
 * IPVS itself matches to a connection. In NAT both directions pass; in DR and TUN only the client's, whose own
 * acknowledgements say whether the server accepted and answered.
 *
 * An attempt begins with a SYN that meets a connection of ours and ends with the first of: accepted, refused,
 * withdrawn by the client, repeated, forgotten by IPVS, or too old (unanswered). Connections whose SYN was not seen
 * are not judged. The hooks see all network namespaces; only our own connections ever get into the maps, so a
 * stranger's packet costs one look-up. Every packet passes untouched.
 */
#include <linux/bpf.h>
#include <linux/ip_vs.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "conversation.bpf.h"

#define FTP_PORT 21

/* The destination that a connection was scheduled to, if it is listed; its number in `number`. */
static __always_inline struct destination *find_destination(struct ip_vs_service *service, struct ip_vs_dest *dest,
							    __u32 *number)
{
	struct destination_key key;
	__u32 *found;

	read_key(&key, service, dest);
	found = bpf_map_lookup_elem(&numbers, &key);
	if (!found) {
		count_loss(LOSS_UNLISTED);
		return 0;
	}
	*number = *found;
	return bpf_map_lookup_elem(&destinations, number);
}

/*
 * None was accepted since others began, and the oldest of those that wait, this one included, waits longer than
 * acceptances take here; or, where clients come so rarely that no two of them wait together, two waited in vain.
 */
static __always_inline int is_overdue(struct outcome_state *state, __u64 now_ns)
{
	struct waiting waiting = look_at_waiting(state, now_ns);

	if (state->unanswered_since >= 2)
		return 1;
	return waiting.count >= 2 && now_ns - waiting.oldest_ns > patience_ns(state);
}

/*
 * An FTP data connection goes to a port of its own: no attempt to reach the service. In NAT it belongs to its control
 * connection, in DR and TUN, where a persistent service takes it in (ip_vs_service_find), to a template, as every
 * connection of such a service does. A service of port 0 or by firewall mark means all ports.
 */
static __always_inline int is_data_connection(struct ip_vs_conn *cp, struct ip_vs_service *service,
					      struct ip_vs_dest *dest)
{
	struct ip_vs_conn *control = cp->control;

	if (control && !(control->flags & IP_VS_CONN_F_TEMPLATE))
		return 1;
	return service->port && dest->port && dest->port != cp->dport;
}

/*
 * A new attempt: not only where IPVS has just scheduled one. In DR and TUN it goes on with the entry of an earlier
 * connection from the same port for two minutes (FIN_WAIT), without asking the scheduler.
 */
static __always_inline void begin(struct ip_vs_conn *cp, const struct sk_buff *skb, struct segment *syn, __u64 now_ns)
{
	struct connection connection = {
	    .began_ns = now_ns,
	    .isn = syn->sequence,
	    .syn_octets = syn->octets,
	    .interface_index = skb->skb_iif,
	};
	struct ip_vs_dest *dest = cp->dest;
	struct destination *destination;
	struct ip_vs_service *service;
	__u64 address = (__u64)cp;

	if (!dest || !is_own(cp->ipvs))
		return;
	service = dest->svc;
	if (!service || is_data_connection(cp, service, dest))
		return;
	destination = find_destination(service, dest, &connection.destination);
	if (!destination || bpf_map_update_elem(&connections, &address, &connection, BPF_ANY) != 0)
		return;
	count(&destination->told.counters.scheduled);
	begin_waiting(&destination->told, now_ns);
	if (is_overdue(&destination->told, now_ns))
		tell(destination, cp, skb, OUTCOME_OVERDUE, now_ns);
}

/* An acceptance that cannot be counted, because the SYN was not seen. */
static __always_inline void note_unjudged(struct ip_vs_conn *cp, int direction, struct segment *segment)
{
	if (direction == IP_VS_DIR_INPUT && segment->flags & TCP_ACK && cp->state == IP_VS_TCP_S_SYN_RECV &&
	    is_own(cp->ipvs))
		count_loss(LOSS_NO_SYN);
}

/*
 * One segment of a connection of IPVS's, before IPVS changes the connection's state. Most are the server's data or the
 * client's acknowledgements of it: those end before, or at, the look-up of the connection.
 */
static __always_inline int watch_segment(struct ip_vs_conn *cp, int direction, const struct sk_buff *skb)
{
	struct destination *destination;
	struct connection *connection;
	__u64 address = (__u64)cp;
	struct segment segment;
	enum outcome outcome;
	__u64 now_ns;

	if (!read_segment(skb, cp->af, &segment)) {
		if (is_own(cp->ipvs))
			count_loss(LOSS_UNREADABLE);
		return 0;
	}
	if (direction != IP_VS_DIR_INPUT && !(segment.flags & (TCP_SYN | TCP_RST | TCP_FIN)))
		return 0;
	connection = bpf_map_lookup_elem(&connections, &address);
	if (direction == IP_VS_DIR_INPUT && is_first_syn(segment.flags) &&
	    (!connection || connection->isn != segment.sequence)) {
		begin(cp, skb, &segment, bpf_ktime_get_ns());
		return 0;
	}
	if (!connection) {
		note_unjudged(cp, direction, &segment);
		return 0;
	}
	if (direction == IP_VS_DIR_INPUT && is_dull(connection, &segment))
		return 0;
	destination = bpf_map_lookup_elem(&destinations, &connection->destination);
	if (!destination)
		return 0;
	now_ns = bpf_ktime_get_ns();
	outcome = direction == IP_VS_DIR_INPUT ? watch_client(cp, connection, destination, &segment, now_ns)
					       : watch_server(connection, destination, &segment, skb->skb_iif);
	/* Deleted before the telling: its memory may be another connection's at once, so it is not touched again. */
	if (has(connection, PROGRESS_OVER))
		bpf_map_delete_elem(&connections, &address);
	if (outcome)
		tell(destination, cp, skb, outcome, now_ns);
	return 0;
}

/* The 4th and 5th argument differ from kernel to kernel, and are not needed. */
SEC("fentry/tcp_state_transition")
int BPF_PROG(watch_tcp, struct ip_vs_conn *cp, int direction, const struct sk_buff *skb)
{
	return watch_segment(cp, direction, skb);
}

/* UDP and SCTP: that a flow was scheduled is all that its packets say. */
static __always_inline int count_scheduled(struct ip_vs_service *service, struct ip_vs_conn *cp)
{
	struct destination *destination;
	struct ip_vs_dest *dest;
	__u32 number;

	/* NULL where no destination was found, and for packets that IPVS leaves alone. */
	if ((__u64)cp == 0 || cp->protocol == IPPROTO_TCP || !is_own(service->ipvs))
		return 0;
	dest = cp->dest;
	if (!dest)
		return 0;
	destination = find_destination(service, dest, &number);
	if (destination)
		count(&destination->told.counters.scheduled);
	return 0;
}

SEC("fexit/ip_vs_schedule")
int BPF_PROG(watch_schedule, struct ip_vs_service *service, struct sk_buff *skb, void *protocol_data, int *ignored,
	     struct ip_vs_iphdr *iph, struct ip_vs_conn *cp)
{
	return count_scheduled(service, cp);
}

static __always_inline int forget(__u64 timer)
{
	__u64 address = timer - bpf_core_field_offset(struct ip_vs_conn, timer);
	struct connection *connection = bpf_map_lookup_elem(&connections, &address);
	struct destination *destination;

	if (!connection)
		return 0;
	destination = bpf_map_lookup_elem(&destinations, &connection->destination);
	if (destination)
		settle(destination, connection);
	bpf_map_delete_elem(&connections, &address);
	return 0;
}

/* Also where IPVS gives up an attempt early (drop_entry under attack, a SYN that is scheduled anew): no failure. */
SEC("fentry/ip_vs_conn_expire")
int BPF_PROG(watch_expire, struct timer_list *timer)
{
	return forget((__u64)timer);
}

static __always_inline struct service_outcomes *find_service(struct destination_key *key)
{
	struct service_outcomes fresh = {};
	struct service_outcomes *service = bpf_map_lookup_elem(&services, key);

	if (service)
		return service;
	bpf_map_update_elem(&services, key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&services, key);
}

static __always_inline int send_no_destination(struct service_outcomes *outcomes, struct destination_key *key,
					       const struct sk_buff *skb, struct ip_vs_iphdr *iph, __be16 *ports,
					       __u32 family, __u64 now_ns)
{
	struct outcome_event *event = reserve_outcome(skb, family, now_ns);

	if (!event)
		return 0;
	event->key = *key;
	event->outcome = OUTCOME_NO_DESTINATION;
	read_address(event->client, &iph->saddr, family);
	event->client_port = ports[0];
	event->server_port = ports[1];
	event->suppressed = take_suppressed(&outcomes->gate);
	emit_submit(event);
	return 1;
}

/*
 * The service of FTP's port is found for every port above 1023 of its address that no service has, in case it is a data
 * connection; what is none goes on to the director itself (ip_vs_service_find, ip_vs_leave).
 */
static __always_inline int is_beside_ftp(struct ip_vs_service *service, __be16 port)
{
	return service->fwmark == 0 && service->port == bpf_htons(FTP_PORT) && port != service->port;
}

static __always_inline int tell_no_destination(struct ip_vs_service *service, const struct sk_buff *skb,
					       struct ip_vs_iphdr *iph)
{
	struct service_outcomes *outcomes;
	struct destination_key key;
	__be16 ports[2] = {};
	__u64 now_ns;

	if (!is_own(service->ipvs))
		return 0;
	/* The same place in TCP, UDP and SCTP. */
	bpf_probe_read_kernel(ports, sizeof(ports), skb->head + skb->network_header + iph->len);
	if (is_beside_ftp(service, ports[1]))
		return 0;
	read_service_key(&key, service);
	outcomes = find_service(&key);
	if (!outcomes)
		return 0;
	now_ns = bpf_ktime_get_ns();
	count(&outcomes->no_destination);
	if (!gate_opens(&outcomes->gate, now_ns) ||
	    !send_no_destination(outcomes, &key, skb, iph, ports, service->af, now_ns))
		suppress(&outcomes->gate);
	return 0;
}

SEC("fentry/ip_vs_leave")
int BPF_PROG(watch_leave, struct ip_vs_service *service, struct sk_buff *skb, void *protocol_data,
	     struct ip_vs_iphdr *iph)
{
	return tell_no_destination(service, skb, iph);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
