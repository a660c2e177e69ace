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
	struct store_use rendered;  /* what is made of them to be run: indexes and trees */
	struct store_use records;   /* all the small files, and what has come of downloads that may go on */
	struct store_use leftovers; /* what store_gc() would remove; in none of the above */
};

/**
 * store_usage()
 * @used: whether a pod stands on what has that render ID, or on an image as a part of it; NULL: none does
 */
int store_usage(struct store *st, bool (*used)(void *ctx, const char *id), void *ctx,
		struct store_usage *out, struct err *e);

/** store_image_bytes() - what would be free without this image: blob, what was made of it, records */
uint64_t store_image_bytes(struct store *st, const struct image_id *id);
