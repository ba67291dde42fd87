/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The maps that every vantage point has: the ring that carries its events, and the counters of what did not
 * get through. Maps of one vantage point alone stand in its own file. Sizes here are defaults; userspace
 * sets the ring's before load.
 */
#ifndef IPVIGIL_MAPS_BPF_H
#define IPVIGIL_MAPS_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "events.h"

/* 4 MiB hold 52,000 refusals: a 5 ms reader's pause at the flood of 276,000 packets/s measured fills 2 % of it. */
#define RING_BYTES (4 * 1024 * 1024)

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, RING_BYTES);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LOSS_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} losses SEC(".maps");

/*
 * Ring records are no map's value type, so BTF would not carry them: a pointer keeps the whole union, at the
 * price of eight octets of .rodata.
 */
const union crossing *const volatile crossing_types = 0;

static __always_inline void count_loss(enum loss loss)
{
	__u32 index = loss;
	__u64 *count = bpf_map_lookup_elem(&losses, &index);

	if (count)
		*count += 1;
}

#endif
