/* SPDX-License-Identifier: Apache-2.0
 * tree_parts - what the files of the tree share; nobody else includes it
 */
#pragma once

#include "core/store/arena.h"
#include "core/store/tree.h"

struct tree {
	struct arena      arena;
	bool              layers, finished;
	struct tree_node *root; /* what all passes that ended have left */
	uint64_t          random;
	struct tree_totals totals;
	uint64_t          n_added;
	/* the pass under way */
	bool              in_pass;
	uint16_t          pass, source; /* pass: counts from 1 */
	struct tree_node *at; /* its root; the same as root when there is nothing that it must be kept apart from */
	const struct appc_strings *const *whitelists;
	size_t            n_whitelists;
	/* the directory of the entry before, usually that of the next one too; NULL: none */
	struct tree_node *last_dir;
	size_t            last_len;
	char              last[TAR_PATH_MAX + 1];
};

/* ---- tree_names.c: the names of a directory ---- */

/** name_find() - NULL: none; its node may be NULL */
struct tree_name *name_find(struct tree *t, const struct tree_node *dir, const char *s, size_t len);

/** name_put() - the one that is there, or a new one without a node */
struct tree_name *name_put(struct tree *t, struct tree_node *dir, const char *s, size_t len, struct err *e);

/** name_after() - the first one after @s in order of bytes that has a node; @s NULL: the first of all */
struct tree_name *name_after(struct tree *t, const struct tree_node *dir, const char *s, size_t len);

/** name_sort() - from the search tree of @dir to a list, without those that are gone */
void name_sort(struct tree *t, struct tree_node *dir);

/* ---- tree.c ---- */

/** tree_make_dir() - a directory without an entry under @name in @dir */
struct tree_node *tree_make_dir(struct tree *t, struct tree_node *dir, struct tree_name *name, struct err *e);

/** tree_attach() - @node becomes what @name in @dir stands for; what was there is gone */
void tree_attach(struct tree *t, struct tree_node *dir, struct tree_name *name, struct tree_node *node);
void tree_detach(struct tree *t, struct tree_name *name);

static inline bool node_is(const struct tree_node *n, unsigned type)
{
	return (n->mode & 0170000) == type;
}

/* ---- tree_layer.c: what OCI layers have beyond images ---- */

/**
 * layer_walk() - the directory that @path leads to, links followed inside the root
 * @create: make what is missing; otherwise *dir is NULL when something is
 */
int layer_walk(struct tree *t, const char *path, size_t len, bool create, struct tree_node **dir, struct err *e);

/** layer_whiteout() - if @s is the name of a whiteout, does what it asks for and says true */
bool layer_whiteout(struct tree *t, struct tree_node *dir, const char *s, size_t len);
