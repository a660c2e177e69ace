/* SPDX-License-Identifier: Apache-2.0
 * images_deps - all that an image depends on, from wherever it is to the store
 */
#pragma once

#include "applets/rkt/images.h"

/**
 * images_deps() - fetches what the store lacks of the dependencies of an image, and of theirs
 * @p: IMAGES_PULL_NEVER: only tells of what is missing or wrong; IMAGES_PULL_UPDATE: what has no ID is asked for anew,
 *	whatever the store has
 *
 * Up to three at a time. Every one has to be verified as if it had been named itself.
 * Errors name the images on the way: those of images_fetch_name(), images_trust() and deps_resolve().
 */
int images_deps(struct store *st, const struct rkt_globals *g, const struct image_id *id, const struct images_policy *p,
		struct err *e);
