/* SPDX-License-Identifier: Apache-2.0
 * deps - see deps.h
 *
 * Every image is read once, however often it is reached. What is walked is bounded by depth and by the number of
 * passes, since each visit of an image ends in one: two dependencies on the same image, forty levels deep, would be
 * a million million of them.
 */
#include "core/store/deps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/defence.h"
#include "core/store/internal.h"

#define NOT_LOOKED_UP (-1)
#define NOT_THERE     (-2)

struct node {
	struct image_id       id;
	struct image_manifest m;
	int                  *children; /* numbers of nodes, one for each dependency */
};

struct graph {
	struct store *st;
	struct node  *nodes[RECIPE_IMAGES_MAX];
	size_t        n_nodes, n_passes, depth;
	struct node  *chain[DEPS_DEPTH_MAX + 1]; /* from the image itself to the one being looked at */
	struct buf    text;
	void        (*tell)(void *ctx, const char *what); /* of what is missing; NULL: that is an error */
	void         *ctx;
};

static void node_free(struct node *n)
{
	if (!n)
		return;
	image_manifest_free(&n->m);
	free(n->children);
	free(n);
}

static void graph_free(struct graph *g)
{
	while (g->n_nodes)
		node_free(g->nodes[--g->n_nodes]);
	buf_free(&g->text);
}

/* ---- what an error names ---- */

/* "example.com/a -> example.com/b"; what is before the last @max of a long way is left out */
static void add_chain(const struct graph *g, struct buf *out)
{
	const size_t max = 6;
	size_t first = g->depth > max ? g->depth - max : 0;

	if (first)
		buf_str(out, "... -> ");
	for (size_t i = first; i < g->depth; i++) {
		buf_str(out, i > first ? " -> " : "");
		buf_clean(out, g->chain[i]->m.name, strlen(g->chain[i]->m.name));
	}
}

void deps_print(const struct appc_dependency *d, struct buf *out)
{
	buf_clean(out, d->image_name, strlen(d->image_name));
	for (size_t i = 0; i < d->labels.n; i++) {
		const struct appc_pair *l = &d->labels.v[i];
		buf_str(out, i ? ", " : " (");
		buf_clean(out, l->name, strlen(l->name));
		buf_str(out, "=");
		buf_clean(out, l->value, strlen(l->value));
	}
	buf_str(out, d->labels.n ? ")" : "");
	if (d->image_id)
		buf_fmt(out, " [%.19s]", d->image_id);
}

static int fail(const struct graph *g, int code, const char *why, struct err *e)
{
	auto_buf struct buf chain = { 0 };

	add_chain(g, &chain);
	return err_set(e, code, "%s: %s", chain.failed ? "its dependencies" : chain.data, why);
}

static int miss(const struct graph *g, const struct appc_dependency *d, struct err *e)
{
	auto_buf struct buf what = { 0 }, chain = { 0 };

	deps_print(d, &what);
	add_chain(g, &chain);
	if (what.failed || chain.failed)
		return err_set(e, ENOMEM, "out of memory");
	err_set(e, ENOENT, "dependency %s of %s is not in the store (rkt fetch it first)", what.data, chain.data);
	if (!g->tell)
		return -1;
	g->tell(g->ctx, e->msg);
	return 0;
}

/* ---- matching ---- */

static int differs(const struct graph *g, const struct appc_dependency *d, const struct image_id *id, const char *in,
		   struct err *e)
{
	auto_buf struct buf why = { 0 };

	buf_str(&why, "dependency ");
	deps_print(d, &why);
	buf_fmt(&why, ": image %.19s in the store has another %s", id->s, in);
	return fail(g, EBADMSG, why.failed ? "dependency: another image" : why.data, e);
}

/* The size is that of the image file; whether compressed, nobody says. */
const char *deps_differs(const struct appc_dependency *d, const struct import_facts *f)
{
	if (strcmp(f->manifest->name, d->image_name))
		return "name";
	if (appc_pairs_lacking(&f->manifest->labels, &d->labels))
		return "set of labels";
	if (d->size > 0 && (uint64_t)d->size != f->tar_bytes && (uint64_t)d->size != f->archive_bytes)
		return "size";
	return d->image_id && strncmp(f->id->s, d->image_id, strlen(d->image_id)) ? "ID" : NULL;
}

/* in what the image of the store is another one; NULL in *in: it is the one */
static int check_match(struct store *st, const struct appc_dependency *d, const struct image_id *id, const char **in,
		       struct err *e)
{
	struct image_info i;

	if (store_info(st, id, &i, e) < 0)
		return -1;
	const struct image_manifest m = { .name = i.name, .labels = i.labels };
	*in = deps_differs(d, &(struct import_facts){ id, &m, i.tar_bytes, i.archive_bytes });
	image_info_free(&i);
	return 0;
}

static int look_up(struct store *st, const struct appc_dependency *d, struct image_id *id, struct err *e)
{
	return d->image_id ? store_resolve(st, d->image_id, id, e) : store_find_name(st, d->image_name, &d->labels, id, e);
}

int deps_find(struct store *st, const struct appc_dependency *d, struct image_id *id, struct err *e)
{
	struct err why;
	const char *in;

	if (look_up(st, d, id, &why) == 0 && check_match(st, d, id, &in, &why) == 0)
		return !in;
	if (why.code == ENOENT)
		return 0;
	*e = why;
	return -1;
}

/* 1 found, 0 missing (and told), -1 */
static int find(const struct graph *g, const struct appc_dependency *d, struct image_id *id, struct err *e)
{
	struct err why;
	const char *in;

	if (look_up(g->st, d, id, &why) < 0)
		return why.code == ENOENT ? miss(g, d, e) : fail(g, why.code, why.msg, e);
	if (check_match(g->st, d, id, &in, e) < 0)
		return -1;
	return in ? differs(g, d, id, in, e) : 1;
}

/* ---- nodes ---- */

static int load(const struct graph *g, const struct image_id *id, struct node **out, struct err *e)
{
	struct node *n = calloc(1, sizeof(*n));

	if (!n || store_manifest(g->st, id, &n->m, e) < 0) {
		free(n);
		return n ? -1 : err_set(e, ENOMEM, "out of memory");
	}
	n->id = *id;
	n->children = malloc((n->m.dependencies.n + 1) * sizeof(*n->children));
	if (!n->children) {
		node_free(n);
		return err_set(e, ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < n->m.dependencies.n; i++)
		n->children[i] = NOT_LOOKED_UP;
	*out = n;
	return 0;
}

/* the number of the node of an image */
static int node_of(struct graph *g, const struct image_id *id, struct err *e)
{
	for (size_t i = 0; i < g->n_nodes; i++)
		if (!strcmp(g->nodes[i]->id.s, id->s))
			return (int)i;
	if (g->n_nodes == RECIPE_IMAGES_MAX) {
		char why[64];
		snprintf(why, sizeof(why), "more than %d images", RECIPE_IMAGES_MAX);
		return fail(g, E2BIG, why, e);
	}
	if (load(g, id, &g->nodes[g->n_nodes], e) < 0)
		return -1;
	return (int)g->n_nodes++;
}

/* number, or NOT_THERE; -1 */
static int child_of(struct graph *g, struct node *n, size_t i, struct err *e)
{
	struct image_id id;

	if (n->children[i] != NOT_LOOKED_UP)
		return n->children[i];
	int found = find(g, &n->m.dependencies.v[i], &id, e);
	if (found < 0)
		return -1;
	int child = found ? node_of(g, &id, e) : NOT_THERE;
	if (child != -1)
		n->children[i] = child;
	return child;
}

/* ---- the walk ---- */

static int check_way(const struct graph *g, const struct node *n, struct err *e)
{
	char why[160];

	for (size_t i = 0; i < g->depth; i++)
		if (g->chain[i] == n && DEFENCE("dependency-circle")) {
			snprintf(why, sizeof(why), "depends on %.100s again: a circle", n->m.name);
			return fail(g, ELOOP, why, e);
		}
	if (g->depth <= DEPS_DEPTH_MAX || !DEFENCE("dependency-circle"))
		return 0;
	snprintf(why, sizeof(why), "more than %d levels of dependencies", DEPS_DEPTH_MAX);
	return fail(g, ELOOP, why, e);
}

/* the image's own whitelist first, then those of the images above it */
static int add_pass(struct graph *g, const struct node *n, struct err *e)
{
	const struct image_id *filters[DEPS_DEPTH_MAX + 1];
	size_t n_filters = 0;
	char why[64];

	if (++g->n_passes > RECIPE_PASSES_MAX) {
		snprintf(why, sizeof(why), "more than %d archives would have to be read", RECIPE_PASSES_MAX);
		return fail(g, E2BIG, why, e);
	}
	for (size_t i = g->depth; i--;)
		if (g->chain[i]->m.path_whitelist.n)
			filters[n_filters++] = &g->chain[i]->id;
	recipe_add(&g->text, &n->id, filters, n_filters);
	return 0;
}

static int visit(struct graph *g, struct node *n, struct err *e)
{
	if (check_way(g, n, e) < 0)
		return -1;
	g->chain[g->depth++] = n;
	for (size_t i = 0; i < n->m.dependencies.n; i++) {
		int child = child_of(g, n, i, e);
		if (child == -1 || (child >= 0 && visit(g, g->nodes[child], e) < 0))
			return -1;
	}
	int r = add_pass(g, n, e);
	g->depth--;
	return r;
}

static int walk(struct graph *g, const struct image_id *id, struct err *e)
{
	recipe_begin(&g->text);
	int top = node_of(g, id, e);
	if (top < 0 || visit(g, g->nodes[top], e) < 0)
		return -1;
	return g->text.failed ? err_set(e, ENOMEM, "out of memory") : 0;
}

int deps_resolve(struct store *st, const struct image_id *id, struct recipe *out, struct buf *text, struct err *e)
{
	struct graph g = { .st = st };
	int r = walk(&g, id, e);

	if (r == 0 && !g.nodes[0]->m.dependencies.n) {
		r = recipe_single(id, out, e);
	} else if (r == 0 && (r = recipe_parse(g.text.data, g.text.len, out, e)) == 0) {
		*text = g.text;
		g.text = (struct buf){ 0 };
	}
	graph_free(&g);
	return r;
}

int deps_missing(struct store *st, const struct image_id *id, void (*tell)(void *ctx, const char *what), void *ctx,
		 struct err *e)
{
	struct graph g = { .st = st, .tell = tell, .ctx = ctx };
	int r = walk(&g, id, e);

	graph_free(&g);
	return r;
}
