/* SPDX-License-Identifier: Apache-2.0
 * pump - a source that is read on a thread of its own, a few blocks ahead of whoever consumes it
 *
 * Decompression costs about as much as everything that is done with its result, hashing above all; so on two
 * processors an image is read in little more than half the time. Memory is bounded: PUMP_SLOTS blocks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/archive/source.h"

#define PUMP_SLOTS 4u
#define PUMP_BLOCK (128u << 10)

/** pump_wanted() - there is more than one processor to run on */
bool pump_wanted(void);

/**
 * pump_open() - starts reading @in, a source made by inflate_open()
 * @in: borrowed; until the pump is closed nobody else may touch it
 *
 * close() waits for a call of @in's next() that is under way.
 */
struct source *pump_open(struct source *in, struct err *e);

/** pump_in_bytes() - what inflate_in_bytes() said when the block that next() lent last was made */
uint64_t pump_in_bytes(const struct source *s);
