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

/** deps_print() - "example.com/base (version=1, os=linux) [sha512-...]", cleaned */
void deps_print(const struct appc_dependency *d, struct buf *out);

/** deps_differs() - in what an image is another one than @d asks for: "name", "size" ...; NULL: it is the one */
const char *deps_differs(const struct appc_dependency *d, const struct import_facts *f);

/** deps_find() - the image of the store that @d asks for: 1, 0 there is none, -1 it cannot be told */
int deps_find(struct store *st, const struct appc_dependency *d, struct image_id *id, struct err *e);

/** deps_missing() - tells of each dependency, also of dependencies, that the store lacks; -1 as deps_resolve() */
int deps_missing(struct store *st, const struct image_id *id, void (*tell)(void *ctx, const char *what), void *ctx,
		 struct err *e);
