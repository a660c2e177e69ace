/* SPDX-License-Identifier: Apache-2.0
 * deps - from an image to all archives that its root file system is made of
 *
 * Depth first, dependencies in the order in which they are listed, the image itself last: A -> [B, C], C -> [D]
 * gives B, D, C, A. An image that is reached in two ways is read twice, each time through the whitelists of those
 * above it there.
 * Source: appc spec, spec/ace.md "Filesystem Setup"; spec/aci.md "Dependency Matching".
 */
#pragma once

#include "core/store/recipe.h"

/* THREATS, graphs */
#define DEPS_DEPTH_MAX 32

/**
 * deps_resolve() - the recipe by which @id is rendered with what the store has now; recipe_free() it
 * @text: receives it as it is to be saved; nothing for an image without dependencies
 *
 * Errors, each naming the images on the way: ENOENT a dependency is not in the store; EBADMSG the one that its ID
 * leads to has another name, other labels or another size; ELOOP a cycle, or too deep; E2BIG too many.
 */
int deps_resolve(struct store *st, const struct image_id *id, struct recipe *out, struct buf *text, struct err *e);

/** deps_missing() - tells of each dependency, also of dependencies, that the store lacks; -1 as deps_resolve() */
int deps_missing(struct store *st, const struct image_id *id, void (*tell)(void *ctx, const char *what), void *ctx,
		 struct err *e);
