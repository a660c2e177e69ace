/* SPDX-License-Identifier: Apache-2.0
 * lz - see lz.h
 */
#include "core/archive/lz.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

struct lz *lz_new(unsigned hash_bits, size_t most)
{
	struct lz *lz = malloc(sizeof(*lz) + (sizeof(uint32_t) << hash_bits));

	if (!lz)
		return NULL;
	lz->hash_bits = hash_bits;
	lz->v = malloc((most / LZ_MATCH_MIN + 2) * sizeof(*lz->v));
	if (!lz->v) {
		free(lz);
		return NULL;
	}
	return lz;
}

void lz_free(struct lz *lz)
{
	if (lz)
		free(lz->v);
	free(lz);
}

static inline uint32_t load4(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return le32toh(v);
}

static inline uint64_t load8(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return le64toh(v);
}

static inline uint32_t *head_of(struct lz *lz, uint32_t v)
{
	return &lz->heads[(v * 2654435761u) >> (32 - lz->hash_bits)];
}

static inline uint32_t match_length(const uint8_t *a, const uint8_t *b, const uint8_t *end)
{
	const uint8_t *start = a;

	while (end - a >= 8) {
		uint64_t x = load8(a) ^ load8(b);
		if (x)
			return (uint32_t)(a - start) + ((uint32_t)__builtin_ctzll(x) >> 3);
		a += 8;
		b += 8;
	}
	while (a < end && *a == *b) {
		a++;
		b++;
	}
	return (uint32_t)(a - start);
}

void lz_begin(struct lz *lz, const uint8_t *base, size_t history)
{
	memset(lz->heads, 0, sizeof(uint32_t) << lz->hash_bits);
	for (size_t i = 0; i + 4 <= history; i += 2)
		*head_of(lz, load4(base + i)) = (uint32_t)i + 1;
}

void lz_find(struct lz *lz, const uint8_t *base, const uint8_t *p, const uint8_t *end, uint32_t window, uint32_t longest)
{
	const uint8_t *literals = p;
	struct lz_sequence *out = lz->v;
	uint32_t misses = 0;

	while (end - p >= 8) {
		uint32_t v = load4(p), *head = head_of(lz, v), at = (uint32_t)(p - base), before = *head;
		*head = at + 1;
		if (!before || at + 1 - before > window || load4(base + before - 1) != v) {
			p += 1 + (misses++ >> 5);
			continue;
		}
		const uint8_t *limit = end - p > (ptrdiff_t)longest ? p + longest : end;
		uint32_t len = LZ_MATCH_MIN + match_length(p + LZ_MATCH_MIN, base + before - 1 + LZ_MATCH_MIN, limit);
		*out++ = (struct lz_sequence){ (uint32_t)(p - literals), len, at + 1 - before };
		/* one more place of the match is remembered: near its end, where the next one may continue */
		if (end - (p + len) >= 8)
			*head_of(lz, load4(p + len - 2)) = at + len - 2 + 1;
		p += len;
		literals = p;
		misses = 0;
	}
	*out++ = (struct lz_sequence){ (uint32_t)(end - literals), 0, 0 };
	lz->n = (size_t)(out - lz->v);
}
