/* SPDX-License-Identifier: Apache-2.0
 * compose - from a recipe and the store's archives to a tree, and from that to an index or a directory
 */
#pragma once

#include "core/store/erofs.h"
#include "core/store/recipe.h"

/* the archives of a recipe, opened; by their numbers in it */
struct compose {
	struct store        *st;
	const struct recipe *r;
	struct erofs_source *sources;
	int                 *fds;
};

/** compose_open() - every archive, of the size that it was imported with as far as that is known; compose_close() it either way */
int compose_open(struct compose *c, struct store *st, const struct recipe *r, struct err *e);
void compose_close(struct compose *c);

/**
 * compose_tree() - reads the archives, pass by pass; tree_free() it
 * Each is hashed on the way. Errors: EBADMSG one is not what was imported.
 */
struct tree *compose_tree(const struct compose *c, struct err *e);

/** compose_check() - after a pass over an archive that ended with @r: whether it was what was imported; -1 and why not */
int compose_check(struct store *st, const struct image_id *id, int r, const struct aci_result *res, struct err *e);

/** compose_index() - makes the index and publishes it, durable, replacing what is there; errors of erofs_write() as well */
int compose_index(const struct compose *c, struct err *e);

/* The same in steps, for import: the index is written while there is no ID to publish it under yet. */
struct blob;
/** index_dir() - of all indexes, made if need be; a descriptor */
int index_dir(struct store *st, struct err *e);
/** index_write() - from a finished tree into a temporary file, to be synced; blob_drop() it either way */
int index_write(int dir_fd, struct tree *t, const struct erofs_opts *o, struct blob *out, struct err *e);
/** index_publish() - durable */
int index_publish(struct blob *b, const char *id, struct err *e);

/** index_open() - an index that is whole, of our version and made of these archives; -1: ENOENT, EBADMSG, ESTALE ... */
int index_open(const struct compose *c, struct err *e);
