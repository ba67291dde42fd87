/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the wire watches and counts. Userspace lists endpoints, hosts, addresses and senders; the kernel owns gates and
 * counters. Sizes are defaults that userspace may set before load.
 */
#ifndef IPVIGIL_WIRE_MAPS_BPF_H
#define IPVIGIL_WIRE_MAPS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "events.h"

/* Twice the largest table aimed at (1,024 services of 16 destinations). */
#define ENDPOINTS_MAX 32768
/* Each destination of that table on a host of its own. */
#define HOSTS_MAX 16384

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ENDPOINTS_MAX);
	__type(key, struct endpoint_key);
	__type(value, struct endpoint_state);
} endpoints SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ENDPOINTS_MAX);
	__type(key, __u32);
	__type(value, struct endpoint_counters);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HOSTS_MAX);
	__type(key, struct address_key);
	__type(value, struct host_state);
} hosts SEC(".maps");

/*
 * The director's addresses, VIPs included: 65,536 hold a /16 of them, 64 times the services of the largest table aimed
 * at. Not preallocated, because most directors have a few dozen.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct address_key);
	__type(value, __u8);
} local_addresses SEC(".maps");

/* UDP ports that IPVS tunnels to (GUE), in network order; one is usual, 64 are more than anybody has use for. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __be16);
	__type(value, __u8);
} tunnel_ports SEC(".maps");

static __always_inline int is_local(struct address_key *address)
{
	/* On the stack, because 6.1 takes no key from a global function's argument. */
	struct address_key key = *address;

	return bpf_map_lookup_elem(&local_addresses, &key) != 0;
}

#endif
