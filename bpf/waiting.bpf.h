/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The time side of outcome.bpf.c: which attempts of a destination are still open, for how long, which have become
 * unanswered, how long handshakes take here, and therefore when waiting is suspicious. All CPUs share these words;
 * they are written once or twice per connection, not per packet, and always by compare-and-swap or addition.
 *
 * Example: with handshakes of 20 ms +- 5 ms patience is 100 ms (the floor); with 150 ms +- 30 ms it is 270 ms.
 */
#ifndef IPVIGIL_WAITING_BPF_H
#define IPVIGIL_WAITING_BPF_H

#include <linux/types.h>
#include "events.h"

/* Set before load: below it no wait is suspicious. Twice what a delayed ACK may take (RFC 9293 section 3.8.6.3: 0.5 s
 * at most, 40 ms in Linux). */
const volatile __u64 patience_floor_ns = 100 * 1000 * 1000;

/*
 * Before the first handshake nothing is known, and RFC 6298 section 2.1 begins with one second: then a client repeats
 * its SYN, and an attempt that waits for longer is soon counted as unanswered. Clients far and near, or one that takes
 * its time on purpose, stretch the smoothed time no further.
 */
#define PATIENCE_MAX_NS (1000 * 1000 * 1000ull)
/* A slower handshake had a packet lost, and says nothing of the path. */
#define HANDSHAKE_SAMPLE_US_MAX (1000 * 1000)
/* How often a CPU tries anew when others change the same word; then one attempt is miscounted, and no harm done. */
#define SWAP_TRIES 4
#define NS_PER_US 1000

/* Attempts that nobody has answered, and when the oldest of them began. */
struct waiting {
	__u32 count;
	__u64 oldest_ns;
};

static __always_inline __u32 epoch_of(__u64 time_ns)
{
	return time_ns >> OUTCOME_EPOCH_SHIFT;
}

/* Count (low half) and epoch (high half) of a cell. */
static __always_inline __u64 *word_of(struct waiting_cell *cell)
{
	return (__u64 *)&cell->count;
}

/* The attempts of an epoch that is over; `first_ns` is that of its cell. */
static __always_inline void count_unanswered(struct outcome_state *state, __u64 word, __u64 first_ns)
{
	__u32 count = word;

	if (!count)
		return;
	__sync_fetch_and_add(&state->counters.unanswered, count);
	if (first_ns <= state->counters.last_accepted_ns)
		return;
	if (__sync_fetch_and_add(&state->unanswered_since, count) == 0)
		state->unanswered_first_ns = first_ns;
}

/* An attempt began. The cell may still hold an epoch of long ago: what is open of that one is unanswered. */
static __always_inline void begin_waiting(struct outcome_state *state, __u64 now_ns)
{
	__u32 epoch = epoch_of(now_ns);
	struct waiting_cell *cell = &state->waiting[epoch % WAITING_CELLS];
	__u64 first_ns = cell->first_ns;
	__u64 seen, next;

	for (int i = 0; i < SWAP_TRIES; i++) {
		seen = *word_of(cell);
		next = seen >> 32 == epoch ? seen + 1 : (__u64)epoch << 32 | 1;
		if (__sync_val_compare_and_swap(word_of(cell), seen, next) != seen)
			continue;
		if (seen >> 32 != epoch)
			count_unanswered(state, seen, first_ns);
		if ((__u32)next == 1 || cell->first_ns <= state->counters.last_accepted_ns)
			cell->first_ns = now_ns;
		return;
	}
}

/* An attempt that began then has found its end, whichever; one that is counted as unanswered stays so. */
static __always_inline void end_waiting(struct outcome_state *state, __u64 began_ns)
{
	__u32 epoch = epoch_of(began_ns);
	struct waiting_cell *cell = &state->waiting[epoch % WAITING_CELLS];
	__u64 seen;

	for (int i = 0; i < SWAP_TRIES; i++) {
		seen = *word_of(cell);
		if (seen >> 32 != epoch || (__u32)seen == 0)
			return;
		if (__sync_val_compare_and_swap(word_of(cell), seen, seen - 1) == seen)
			return;
	}
}

/* Settles the open attempts that are too old; the oldest is of those that began after the last acceptance. */
static __always_inline struct waiting look_at_waiting(struct outcome_state *state, __u64 now_ns)
{
	struct waiting waiting = {.oldest_ns = now_ns};
	__u32 epoch = epoch_of(now_ns);

	for (int i = 0; i < WAITING_CELLS; i++) {
		struct waiting_cell *cell = &state->waiting[i];
		__u64 seen = *word_of(cell);

		if ((__u32)seen == 0)
			continue;
		if ((__s32)(epoch - (__u32)(seen >> 32)) >= OUTCOME_SETTLED_EPOCHS) {
			if (__sync_val_compare_and_swap(word_of(cell), seen, seen >> 32 << 32) == seen)
				count_unanswered(state, seen, cell->first_ns);
			continue;
		}
		waiting.count += (__u32)seen;
		if (cell->first_ns > state->counters.last_accepted_ns && cell->first_ns < waiting.oldest_ns)
			waiting.oldest_ns = cell->first_ns;
	}
	return waiting;
}

/* With those that have waited in vain since the last acceptance. */
static __always_inline struct waiting look_at_unanswered(struct outcome_state *state, __u64 now_ns)
{
	struct waiting waiting = look_at_waiting(state, now_ns);

	if (state->unanswered_since) {
		waiting.count += state->unanswered_since;
		waiting.oldest_ns = state->unanswered_first_ns;
	}
	return waiting;
}

static __always_inline __u64 patience_ns(struct outcome_state *state)
{
	__u64 expected_ns = ((__u64)state->handshake_us + 4ull * state->handshake_deviation_us) * NS_PER_US;

	if (state->handshake_us == 0 || expected_ns > PATIENCE_MAX_NS)
		return PATIENCE_MAX_NS;
	return expected_ns > patience_floor_ns ? expected_ns : patience_floor_ns;
}

/* One handshake more for the smoothed time (RFC 6298 section 2); two CPUs at once lose one sample. */
static __always_inline void smooth_handshake(struct outcome_state *state, __u32 sample_us)
{
	__u32 smoothed_us = state->handshake_us;
	__u32 deviation_us = state->handshake_deviation_us;
	__u32 error_us = smoothed_us > sample_us ? smoothed_us - sample_us : sample_us - smoothed_us;

	if (sample_us == 0 || sample_us > HANDSHAKE_SAMPLE_US_MAX)
		return;
	if (smoothed_us == 0) {
		state->handshake_us = sample_us;
		state->handshake_deviation_us = sample_us / 2;
		return;
	}
	state->handshake_us = smoothed_us - smoothed_us / 8 + sample_us / 8;
	state->handshake_deviation_us = deviation_us - deviation_us / 4 + error_us / 4;
}

/* The power of two at or below a duration; 0 for 0 too. */
static __always_inline __u32 bucket_of(__u32 duration_us)
{
	__u32 bucket = 0;

	for (__u32 bits = 16; bits > 0; bits /= 2) {
		if (duration_us >> bits) {
			duration_us >>= bits;
			bucket += bits;
		}
	}
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

static __always_inline void record_duration(__u64 *buckets, __u64 duration_ns)
{
	__u64 duration_us = duration_ns / NS_PER_US;
	__u32 bucket = bucket_of(duration_us > 0xffffffff ? 0xffffffff : duration_us);

	if (bucket < HISTOGRAM_BUCKETS)
		__sync_fetch_and_add(&buckets[bucket], 1);
}

#endif
