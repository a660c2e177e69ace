/* SPDX-License-Identifier: Apache-2.0
 * lz - what occurred before: bytes as literals and references, quickly rather than well
 *
 * One look at one candidate, found by a hash over four bytes; where nothing matches for long, fewer and fewer places are
 * looked at. What is found depends on nothing but the bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LZ_MATCH_MIN 4u

/* some literals, then a match; len 0: the end */
struct lz_sequence {
	uint32_t literals, len, distance;
};

struct lz {
	unsigned            hash_bits;
	size_t              n;
	struct lz_sequence *v;       /* of lz_find() */
	uint32_t            heads[]; /* place + 1 of the last such four bytes, from `base` */
};

/** lz_new() - for up to @most bytes at a time; NULL: out of memory */
struct lz *lz_new(unsigned hash_bits, size_t most);
void lz_free(struct lz *lz);

/** lz_begin() - forgets all but the @history bytes from @base on */
void lz_begin(struct lz *lz, const uint8_t *base, size_t history);

/** lz_find() - @p to @end become lz->v; matches end there, are up to @longest, and begin up to @window before */
void lz_find(struct lz *lz, const uint8_t *base, const uint8_t *p, const uint8_t *end, uint32_t window, uint32_t longest);
