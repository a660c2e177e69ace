/* SPDX-License-Identifier: Apache-2.0
 * tree_pass - the end of a pass: whitelists, and laying its tree over those before it; the end of all passes
 *
 * Everything here goes from name to name and from directory to parent, on neither stack nor heap: the depth of
 * a tree is up to the archive.
 */
#include <string.h>
#include <sys/stat.h>

#include "core/store/tree_parts.h"

/* ---- whitelists ---- */

/* @list is the one number @nth: what it keeps is marked so, if all before it kept that too */
static void mark_path(struct tree *t, const char *path, uint16_t nth)
{
	const struct tree_node *dir = t->at;

	while (*path) {
		size_t n = strcspn(path, "/");
		bool skip = !n || (n == 1 && *path == '.');
		struct tree_name *name = skip ? NULL : name_find(t, dir, path, n);
		path += n + (path[n] == '/');
		if (skip)
			continue;
		if (!name || !name->node || name->mark + 1 < nth)
			return;
		name->mark = nth;
		if (!S_ISDIR(name->node->mode))
			return;
		dir = name->node;
	}
}

static uint16_t mark_all(struct tree *t)
{
	uint16_t nth = 0;

	for (size_t i = 0; i < t->n_whitelists; i++) {
		const struct appc_strings *list = t->whitelists[i];
		if (!list || !list->n)
			continue;
		nth++;
		for (size_t k = 0; k < list->n; k++)
			mark_path(t, list->v[k], nth);
	}
	return nth;
}

static void apply_whitelists(struct tree *t)
{
	uint16_t lists = mark_all(t);
	struct tree_node *dir = t->at;
	struct tree_name *n = name_after(t, dir, NULL, 0);

	while (n || dir != t->at) {
		if (!n) {
			n = dir->u.dir.self;
			dir = dir->u.dir.parent;
		} else if (n->mark != lists) {
			tree_detach(t, n);
		} else if (S_ISDIR(n->node->mode)) {
			dir = n->node;
			n = name_after(t, dir, NULL, 0);
			continue;
		}
		n = name_after(t, dir, n->s, n->len);
	}
}

/* ---- merging ---- */

/* a directory over a directory */
static void take_attributes(struct tree_node *to, const struct tree_node *from)
{
	if (from->implicit)
		return;
	to->mode = from->mode;
	to->uid = from->uid;
	to->gid = from->gid;
	to->mtime_s = from->mtime_s;
	to->mtime_ns = from->mtime_ns;
	to->source = from->source;
	to->more = from->more;
	to->implicit = false;
}

static int merge(struct tree *t, struct err *e)
{
	struct tree_node *from = t->at, *to = t->root;
	struct tree_name *n = name_after(t, from, NULL, 0);

	take_attributes(to, from);
	while (n || from != t->at) {
		if (!n) {
			n = from->u.dir.self;
			from = from->u.dir.parent;
			to = to->u.dir.parent;
			n = name_after(t, from, n->s, n->len);
			continue;
		}
		struct tree_name *under = name_put(t, to, n->s, n->len, e);
		if (!under)
			return -1;
		if (under->node && S_ISDIR(under->node->mode) && S_ISDIR(n->node->mode)) {
			take_attributes(under->node, n->node);
			from = n->node;
			to = under->node;
			n = name_after(t, from, NULL, 0);
		} else {
			tree_attach(t, to, under, n->node); /* with all that is in it */
			n = name_after(t, from, n->s, n->len);
		}
	}
	return 0;
}

int tree_pass_end(struct tree *t, struct err *e)
{
	int r = 0;

	if (t->n_whitelists)
		apply_whitelists(t);
	if (t->pass == 1)
		t->root = t->at;
	else if (t->at != t->root)
		r = merge(t, e);
	t->last_dir = NULL;
	t->at = NULL;
	return r;
}

/* ---- the end of all passes ---- */

/* names in no directory of the finished tree are not seen: so the links that whitelists cut off do not count */
static void count(struct tree *t, struct tree_node *dir)
{
	dir->nlink = 2;
	for (struct tree_name *n = tree_names(dir); n; n = n->next) {
		t->totals.names++;
		tree_step(t);
		if (S_ISDIR(n->node->mode))
			dir->nlink++;
		else
			n->node->nlink++;
		t->totals.nodes += S_ISDIR(n->node->mode) || n->node->nlink == 1;
	}
}

void tree_finish(struct tree *t)
{
	t->totals = (struct tree_totals){ .nodes = 1 };
	if (t->arena.window && t->arena.window < TREE_WINDOW)
		t->arena.window = TREE_WINDOW;
	for (struct tree_node *d = t->root; d; d = tree_next_dir(t, d)) {
		name_sort(t, d);
		count(t, d);
	}
}

void tree_step(struct tree *t)
{
	arena_step(&t->arena);
}

struct tree_node *tree_root(const struct tree *t)
{
	return t->root;
}

struct tree_totals tree_totals(const struct tree *t)
{
	return t->totals;
}

static struct tree_node *first_dir(struct tree *t, const struct tree_name *n)
{
	for (; n && !S_ISDIR(n->node->mode); tree_step(t))
		n = n->next;
	return n ? n->node : NULL;
}

struct tree_node *tree_next_dir(struct tree *t, const struct tree_node *dir)
{
	tree_step(t);
	struct tree_node *next = first_dir(t, tree_names(dir));

	for (; !next && dir->u.dir.self; dir = dir->u.dir.parent)
		next = first_dir(t, dir->u.dir.self->next);
	return next;
}

size_t tree_path(const struct tree_name *name, char out[TAR_PATH_MAX + 1])
{
	size_t above = name->dir->path_len, len = above + (above ? 1 : 0) + name->len, at = len;

	out[at] = 0;
	for (const struct tree_name *n = name; n; n = n->dir->u.dir.self) {
		at -= n->len;
		memcpy(out + at, n->s, n->len);
		if (at)
			out[--at] = '/';
	}
	return len;
}

void tree_reset_walk(struct tree *t)
{
	for (struct tree_node *d = t->root; d; d = tree_next_dir(t, d)) {
		memset(&d->walk, 0, sizeof(d->walk));
		for (struct tree_name *n = tree_names(d); n; n = n->next) {
			memset(&n->node->walk, 0, sizeof(n->node->walk));
			tree_step(t);
		}
	}
}
