/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Whether a frame came from where its host is known to be: a forged RST or ICMP error that enters by another way bears
 * another source MAC address. Two lists say which are known. Userspace fills `senders` from routes and neighbours; the
 * kernel fills `learned` from accepted connections, because the neighbour table does not know all: the two routers of
 * an MLAG or VRRP pair send from their own addresses, a bond in balance-alb from each of its slaves.
 *
 * What stands here keeps those out who are not on the hosts' own segment; who is, can forge a MAC address too.
 */
#ifndef IPVIGIL_SENDERS_BPF_H
#define IPVIGIL_SENDERS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "wire_maps.bpf.h"

/* Of `struct host_senders`. */
#define LISTED_MAX 8
/* A pair of routers and a bond of two beside what is listed. */
#define LEARNED_MAX 4
/* At most one acceptance a second counts, so that a forger has to go on for this many seconds, beside the true host. */
#define ACCEPTANCES_TO_BE_KNOWN 8
#define ACCEPTANCE_INTERVAL_NS (1000ULL * 1000 * 1000)
/* Who has brought no acceptance for five minutes begins again: nobody is admitted for ever. */
#define LEARNED_FOR_NS (300ULL * 1000 * 1000 * 1000)

/* How far a frame's sender is trusted; the first two as in `enum sender`. */
enum trust {
	TRUST_UNLEARNED = SENDER_UNLEARNED,
	TRUST_KNOWN = SENDER_KNOWN,
	TRUST_STRANGER,
};

struct learned_sender {
	__u64 mac;
	__u64 last_ns;
	__u64 acceptances;
};

struct host_learned {
	/* When somebody who has become known last brought an acceptance. */
	__u64 known_ns;
	struct learned_sender senders[LEARNED_MAX];
};

/* By host slot. An array each, because a lookup in one is a bounds check, and who writes what stays clear. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HOSTS_MAX);
	__type(key, __u32);
	__type(value, struct host_senders);
} senders SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HOSTS_MAX);
	__type(key, __u32);
	__type(value, struct host_learned);
} learned SEC(".maps");

static __always_inline int is_listed(__u64 *listed, __u64 mac)
{
	for (int i = 0; i < LISTED_MAX && listed[i] != 0; i++)
		if (listed[i] == mac)
			return 1;
	return 0;
}

static __always_inline int is_fresh(__u64 then_ns, __u64 now_ns)
{
	return then_ns != 0 && now_ns - then_ns < LEARNED_FOR_NS;
}

static __always_inline int is_known(struct learned_sender *sender, __u64 now_ns)
{
	return sender->acceptances >= ACCEPTANCES_TO_BE_KNOWN && is_fresh(sender->last_ns, now_ns);
}

static __always_inline enum trust trust_of(__u32 host_slot, __u64 mac)
{
	__u64 *listed = bpf_map_lookup_elem(&senders, &host_slot);
	struct host_learned *host = bpf_map_lookup_elem(&learned, &host_slot);
	__u64 now_ns;

	if (mac == 0 || !listed || !host)
		return TRUST_UNLEARNED;
	if (is_listed(listed, mac))
		return TRUST_KNOWN;
	if (listed[0] == 0 && host->known_ns == 0)
		return TRUST_UNLEARNED;
	now_ns = bpf_ktime_get_ns();
	for (int i = 0; i < LEARNED_MAX; i++)
		if (host->senders[i].mac == mac && is_known(&host->senders[i], now_ns))
			return TRUST_KNOWN;
	return listed[0] != 0 || is_fresh(host->known_ns, now_ns) ? TRUST_STRANGER : TRUST_UNLEARNED;
}

/*
 * The place of this sender among the learned, or of the one who gives way to him: never somebody known, else the one
 * who was silent longest. None where all are known.
 */
static __always_inline struct learned_sender *place_for(struct host_learned *host, __u64 mac, __u64 now_ns)
{
	struct learned_sender *place = 0;

	for (int i = 0; i < LEARNED_MAX; i++) {
		struct learned_sender *sender = &host->senders[i];

		if (sender->mac == mac)
			return sender;
		if (!is_known(sender, now_ns) && (!place || sender->last_ns < place->last_ns))
			place = sender;
	}
	return place;
}

/* Adds where others might, too: two CPUs at once may count one too many, and that is all. */
static __always_inline void count_acceptance(struct host_learned *host, struct learned_sender *sender, __u64 mac,
					     __u64 now_ns)
{
	if (sender->mac == mac && now_ns - sender->last_ns < ACCEPTANCE_INTERVAL_NS)
		return;
	if (sender->mac != mac || !is_fresh(sender->last_ns, now_ns)) {
		sender->acceptances = 0;
		sender->mac = mac;
	}
	sender->last_ns = now_ns;
	__sync_fetch_and_add(&sender->acceptances, 1);
	if (is_known(sender, now_ns))
		host->known_ns = now_ns;
}

/* A host accepted a connection, in a frame from here. What userspace has listed needs no learning. */
static __always_inline void learn(__u32 host_slot, __u64 mac)
{
	__u64 *listed = bpf_map_lookup_elem(&senders, &host_slot);
	struct host_learned *host = bpf_map_lookup_elem(&learned, &host_slot);
	struct learned_sender *sender;
	__u64 now_ns;

	if (mac == 0 || !listed || !host || is_listed(listed, mac))
		return;
	now_ns = bpf_ktime_get_ns();
	sender = place_for(host, mac, now_ns);
	if (sender)
		count_acceptance(host, sender, mac, now_ns);
}

#endif
