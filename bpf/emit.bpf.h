/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The one way to send: reserve, zero, fill in the header; the caller fills in the rest and submits. A full
 * ring is counted here and nowhere else. Whether an event is worth sending is decided before.
 */
#ifndef IPVIGIL_EMIT_BPF_H
#define IPVIGIL_EMIT_BPF_H

#include "maps.bpf.h"

/* The ring's memory still holds what an earlier record left there, so it is zeroed whole, padding included. */
static __always_inline void *emit_reserve(enum event_kind kind, __u32 size, __u64 now_ns)
{
	struct event_header *header = bpf_ringbuf_reserve(&events, size, 0);

	if (!header) {
		count_loss(LOSS_RING_FULL);
		return 0;
	}
	__builtin_memset(header, 0, size);
	header->kind = kind;
	header->size = size;
	header->time_ns = now_ns;
	return header;
}

static __always_inline void emit_submit(void *record)
{
	bpf_ringbuf_submit(record, 0);
}

#endif
