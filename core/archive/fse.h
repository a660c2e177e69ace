/* SPDX-License-Identifier: Apache-2.0
 * fse - zstd's entropy code (finite state entropy), the side that writes
 *
 * Symbols are written last one first, and read the other way round: a state tells the symbol, and how many bits lead to
 * the next state. Source: RFC 8878, 4.1.
 */
#pragma once

#include "core/archive/bits.h"

#define FSE_SYMBOLS_MAX 64u
#define FSE_LOG_MAX     6u

struct fse {
	unsigned log;
	uint16_t next[1u << FSE_LOG_MAX];
	struct { int32_t find; uint32_t bits; } of[FSE_SYMBOLS_MAX]; /* of each symbol: where its states are; how many bits */
};

/** fse_build() - @norm: how many of the 1 << log states each of @n symbols has; -1: one, with the fewest bits before it */
void fse_build(struct fse *f, const int16_t *norm, unsigned n, unsigned log);

/** fse_normalise() - @count of @n symbols to a sum of 1 << log; those that occur get at least 1 */
void fse_normalise(const uint32_t *count, unsigned n, unsigned log, int16_t *norm);

/** fse_put_norm() - the table's description; at most 4 + 7 * n bits */
void fse_put_norm(struct bits *b, const int16_t *norm, unsigned n, unsigned log);

/** fse_first() - the state of the last symbol, which is the first to be written and costs nothing yet */
static inline uint32_t fse_first(const struct fse *f, unsigned symbol)
{
	uint32_t n = (f->of[symbol].bits + (1u << 15)) >> 16, v = (n << 16) - f->of[symbol].bits;

	return f->next[(int32_t)(v >> n) + f->of[symbol].find];
}

/** fse_put() - up to FSE_LOG_MAX bits, and the state becomes that of the symbol before */
static inline void fse_put(const struct fse *f, struct bits *b, uint32_t *state, unsigned symbol)
{
	uint32_t n = (*state + f->of[symbol].bits) >> 16;

	bits_put(b, *state & ((1u << n) - 1), n);
	*state = f->next[(int32_t)(*state >> n) + f->of[symbol].find];
}

/** fse_end() - the state with which reading begins */
static inline void fse_end(const struct fse *f, struct bits *b, uint32_t state)
{
	bits_put(b, state & ((1u << f->log) - 1), f->log);
	bits_flush(b);
}
