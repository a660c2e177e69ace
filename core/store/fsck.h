/* SPDX-License-Identifier: Apache-2.0
 * fsck - whether everything in the store fits together, and what can be done where it does not
 *
 * Leftovers of imports and removals that were cut off are no error; store_gc() tells of them.
 */
#pragma once

#include "core/store/store.h"

struct fsck_finding {
	const char *path;    /* below cas/ */
	const char *what;    /* is wrong with it */
	const char *remedy;  /* what was done, or what somebody else has to do */
	bool        repaired;
};

struct fsck_opts {
	bool  full;   /* every byte of every image: as store_verify(), which marks what is damaged */
	bool  repair; /* nothing is lost by it: content is never removed, what is damaged is marked */
	void *ctx;
	void (*found)(void *ctx, const struct fsck_finding *f);
};

/** store_fsck() - 0 when all could be looked at, however much was found; *n_images: how many there are */
int store_fsck(struct store *st, const struct fsck_opts *o, uint64_t *n_images, struct err *e);
