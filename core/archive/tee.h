/* SPDX-License-Identifier: Apache-2.0
 * tee - a source that shows every block to somebody else on its way
 *
 * With several processors the blocks wait in a ring, and whoever has nothing to do sees them: tee_open() sets
 * source.work, which the pump calls as one of its steps, and source.lag. Where nobody comes in time, the reader does it.
 */
#pragma once

#include <stdbool.h>

#include "core/archive/pump.h"

#define TEE_LAG      (64u << 10) /* what may wait in the ring unless somebody sets more */
#define TEE_LAG_MOST (512u << 10)

/**
 * tee_open() - @in: borrowed
 * @f: copied; NULL: only counts; sees the bytes in their order, never two calls at once, on whatever thread
 */
struct source *tee_open(struct source *in, const struct pump_follower *f, struct err *e);

/**
 * tee_finish() - when all was read, and nobody reads on another thread any more: has the follower see the rest
 * EBADMSG: the source below has bytes that nobody asked for
 */
int tee_finish(struct source *s, struct err *e);

uint64_t tee_bytes(const struct source *s); /* how many passed */
