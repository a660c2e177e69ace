/* SPDX-License-Identifier: Apache-2.0
 * bits - writing numbers of some bits each, the first one lowest, as deflate and zstd have it
 */
#pragma once

#include <endian.h>
#include <stdint.h>
#include <string.h>

struct bits {
	uint8_t *at;
	uint64_t held;
	unsigned n;
};

#define BITS_SPARE 8u /* bytes behind the last one that bits_flush() may write to */

/** bits_put() - up to 64 - 7 bits since the last flush */
static inline void bits_put(struct bits *b, uint64_t v, unsigned n)
{
	b->held |= v << b->n;
	b->n += n;
}

/** bits_flush() - writes eight bytes and keeps less than one */
static inline void bits_flush(struct bits *b)
{
	uint64_t le = htole64(b->held);

	memcpy(b->at, &le, 8);
	b->at += b->n >> 3;
	b->held = b->n < 64 ? b->held >> (b->n & ~7u) : 0;
	b->n &= 7;
}

/** bits_align() - what follows begins with a byte; zeros fill up the one before */
static inline void bits_align(struct bits *b)
{
	b->n = (b->n + 7) & ~7u;
	bits_flush(b);
}
