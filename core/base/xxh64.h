/* SPDX-License-Identifier: Apache-2.0
 * xxh64 - a fast 64-bit checksum, for damage and not for malice
 *
 * Source: Y. Collet, "xxHash fast digest algorithm", doc/xxhash_spec.md, "XXH64 Algorithm Description"; seed 0.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct xxh64 {
	uint64_t v[4], len;
	uint8_t  tail[32]; /* of what came, all that does not fill a stripe */
};

void xxh64_init(struct xxh64 *x);
void xxh64_add(struct xxh64 *x, const void *p, size_t len);
uint64_t xxh64_get(const struct xxh64 *x); /* of all so far; more may be added */
