/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Whether an event is worth its place in the ring: one token bucket per scope and kind, so that what one scope
 * suffers in a flood costs a counter and not the others' events. What does not pass is counted and rides on the next
 * event that does. It sends nothing itself.
 */
#ifndef IPVIGIL_GATE_BPF_H
#define IPVIGIL_GATE_BPF_H

#include <linux/types.h>
#include "events.h"

/* Set before load. Five at once, then one in 20 ms: a dead server is told at once and 50 times a second at most. */
const volatile __u64 event_interval_ns = 20 * 1000 * 1000;
const volatile __u32 event_burst = 5;

/*
 * What any client can bring about at will, for every destination at once, is told so often only: a server is asked once
 * a second at most, so more would change nothing and cost the reader much.
 */
#define SLOW_INTERVAL_NS (1000 * 1000 * 1000ull)

/*
 * May one more event pass? A full bucket holds `event_burst` intervals; each event costs one. Two CPUs that ask
 * in the same instant get one event between them: the loser's is as good as a suppressed one.
 */
static __always_inline int gate_opens_every(struct event_gate *gate, __u64 now_ns, __u64 interval_ns)
{
	__u64 full_at_ns = gate->full_at_ns;
	__u64 start_ns = full_at_ns > now_ns ? full_at_ns : now_ns;
	__u64 next_ns = start_ns + interval_ns;

	if (next_ns - now_ns > event_burst * interval_ns)
		return 0;
	return __sync_val_compare_and_swap(&gate->full_at_ns, full_at_ns, next_ns) == full_at_ns;
}

static __always_inline int gate_opens(struct event_gate *gate, __u64 now_ns)
{
	return gate_opens_every(gate, now_ns, event_interval_ns);
}

static __always_inline __u32 saturate(__u64 count)
{
	return count > 0xffffffff ? 0xffffffff : count;
}

static __always_inline void suppress(struct event_gate *gate)
{
	__sync_fetch_and_add(&gate->suppressed, 1);
}

/* What the next event tells of its forerunners; read first, because the line is mostly clean. */
static __always_inline __u32 take_suppressed(struct event_gate *gate)
{
	return gate->suppressed ? saturate(__sync_lock_test_and_set(&gate->suppressed, 0)) : 0;
}

#endif
