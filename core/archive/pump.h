/* SPDX-License-Identifier: Apache-2.0
 * pump - a source that is read ahead of two that consume it, on as many threads as there are processors for it
 *
 * Decompressing costs about as much as hashing, and everything else that is done with an image half of that. The blocks
 * are shared: one is filled anew when both consumers are done with it.
 * Memory is bounded: PUMP_SLOTS blocks, and only a few smaller ones where the decoder needs it. With many, all go on while
 * the kernel has one of them wait for a processor or for the disk; with few, they wait for each other.
 */
#pragma once

#include <stdint.h>

#include "core/archive/source.h"

#define PUMP_SLOTS     16u
#define PUMP_SLOTS_FEW 3u
#define PUMP_BLOCK     (128u << 10)
#define PUMP_BLOCK_FEW (64u << 10)
#define PUMP_LAG       (512u << 10) /* of what is below, unless there are few slots */

/* who sees every block besides the caller of next(), one after the other, on whatever thread */
struct pump_follower {
	void *ctx;
	void (*see)(void *ctx, const uint8_t *p, size_t len);
};

/**
 * pump_open() - starts reading @in, a source made by inflate_open()
 * @in: borrowed; until the pump is closed nobody else may touch it. Its next() is called on whatever thread, the
 *     caller's included, but never by two at once.
 * @below: what @in reads from; its work() is done by who would have to wait otherwise, but not all of it. Or NULL. Its lag
 *     is set where there is memory for that.
 * @threads: at most so many are at work, the caller's included
 * @f: copied; see() is called until pump_finish() or close() returns. Blocks are those that next() lends, whole
 *     but for the last one.
 *
 * Threads that cannot be started are done without. close() waits for a call of @in's next() that is under way.
 */
struct source *pump_open(struct source *in, struct source *below, unsigned threads, const struct pump_follower *f,
			 struct err *e);

/** pump_finish() - when next() has said that this was the end: has the follower see the rest */
void pump_finish(struct source *s);

/** pump_in_bytes() - what inflate_in_bytes() said when the block that next() lent last was made */
uint64_t pump_in_bytes(const struct source *s);
