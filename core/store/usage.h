/* SPDX-License-Identifier: Apache-2.0
 * usage - what the store takes on disk, in allocated bytes
 *
 * Counted without waiting for anybody, so what changes meanwhile may be counted or not.
 */
#pragma once

#include "core/store/store.h"

struct store_use { uint64_t n, bytes; };

struct store_usage {
	struct store_use images;    /* blobs */
	struct store_use trees;     /* what is made of them to be run */
	struct store_use records;   /* all the small files */
	struct store_use leftovers; /* what store_gc() would remove; in none of the above */
};

/** store_usage() - @tree_used as in struct store_gc_opts */
int store_usage(struct store *st, bool (*tree_used)(void *ctx, const struct image_id *id), void *ctx,
		struct store_usage *out, struct err *e);

/** store_image_bytes() - what would be free without this image: blob, what was made of it, records */
uint64_t store_image_bytes(struct store *st, const struct image_id *id);
