/* SPDX-License-Identifier: Apache-2.0
 * trees - which rendered images the pods stand on
 *
 * Whatever cannot be read is taken for a name, so that nothing in use goes.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/dir.h"
#include "core/base/fd.h"
#include "core/pod/place.h"

struct each {
	int  (*fn)(void *ctx, const char *id);
	void  *ctx;
};

static int told(const struct pod *p, const char *path, const struct each *to)
{
	char text[POD_LINE_MAX];
	struct err why;

	if (pod_read_line(p, path, text, NULL, &why) == 0)
		return to->fn(to->ctx, text);
	return why.code == ENOENT || why.code == ENOTDIR ? 0 : to->fn(to->ctx, NULL);
}

int pod_each_tree(const struct pod *p, int (*fn)(void *ctx, const char *id), void *ctx)
{
	const struct each to = { fn, ctx };
	auto_dir_reader struct dir d;
	const struct dirent *de;

	dir_start(&d, -1);
	/* exited ones count: they can still be exported */
	if (p->state == POD_DELETING)
		return 0;
	int r = told(p, "stage1TreeStoreID", &to);
	if (r || p->state == POD_GARBAGE)
		return r;
	dir_start(&d, pod_open_beneath(p->dir_fd, "appsinfo", O_RDONLY | O_DIRECTORY));
	if (d.fd < 0)
		return errno == ENOENT ? 0 : fn(ctx, NULL);
	while (!r && (de = dir_next(&d))) {
		char path[NAME_MAX + 32];
		if (*de->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "appsinfo/%s/treeStoreID", de->d_name);
		r = told(p, path, &to);
	}
	return r || !errno ? r : fn(ctx, NULL);
}

/* ---- all at once ---- */

struct gather {
	struct pods_trees *to;
	const struct pod  *pod;
};

static int append(struct pods_trees *t, const char *id, const char *uuid, bool part)
{
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		struct pods_tree *v = realloc(t->v, cap * sizeof(*v));
		if (!v)
			return -1;
		t->v = v;
		t->cap = cap;
	}
	t->v[t->n].part = part;
	snprintf(t->v[t->n].id, sizeof(t->v->id), "%s", id);
	memcpy(t->v[t->n++].uuid, uuid, sizeof(t->v->uuid));
	return 0;
}

static int add(void *ctx, const char *id)
{
	const struct gather *g = ctx;

	if (id)
		return append(g->to, id, g->pod->uuid, false);
	g->to->unknown = true;
	return 0;
}

static int gather(void *ctx, struct pod *p, struct err *e)
{
	struct gather g = { ctx, p };

	return pod_each_tree(p, add, &g) ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int compare_pair(const struct pods_tree *x, const struct pods_tree *y)
{
	int r = strcmp(x->id, y->id);

	return r ? r : strcmp(x->uuid, y->uuid);
}

static int compare(const void *a, const void *b)
{
	const struct pods_tree *x = a, *y = b;
	int r = compare_pair(x, y);

	return r ? r : x->part - y->part;
}

static int compare_id(const void *id, const void *t)
{
	return strcmp(id, ((const struct pods_tree *)t)->id);
}

void pods_trees_sort(struct pods_trees *t)
{
	size_t n = 0;

	if (t->n)
		qsort(t->v, t->n, sizeof(*t->v), compare);
	for (size_t i = 0; i < t->n; i++)
		if (!n || compare_pair(&t->v[n - 1], &t->v[i]))
			t->v[n++] = t->v[i];
	t->n = n;
}

int pods_trees(struct pods *ps, struct pods_trees *out, struct err *e)
{
	*out = (struct pods_trees){ .n = 0 };
	if (pods_each(ps, gather, out, e) < 0) {
		pods_trees_free(out);
		return -1;
	}
	pods_trees_sort(out);
	return 0;
}

size_t pods_trees_run(const struct pods_trees *t, size_t first, size_t end)
{
	size_t n = 0;

	while (first + n < end && !strcmp(t->v[first + n].id, t->v[first].id))
		n++;
	return n;
}

int pods_trees_also(struct pods_trees *t, size_t first, size_t n, const char *id, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		/* what is appended may move the table */
		if (append(t, id, t->v[first + i].uuid, true) < 0)
			return err_set(e, ENOMEM, "out of memory");
	return 0;
}

const struct pods_tree *pods_trees_find(const struct pods_trees *t, const char *id, size_t *n)
{
	const struct pods_tree *at = t->n ? bsearch(id, t->v, t->n, sizeof(*t->v), compare_id) : NULL;

	*n = 0;
	while (at && at > t->v && !strcmp(at[-1].id, id))
		at--;
	if (at)
		*n = pods_trees_run(t, (size_t)(at - t->v), t->n);
	return at;
}

bool pods_trees_used(const struct pods_trees *t, const char *id)
{
	return t->unknown || (t->n && bsearch(id, t->v, t->n, sizeof(*t->v), compare_id));
}

bool pods_trees_root(const struct pods_trees *t, const char *id)
{
	size_t n;
	const struct pods_tree *v = pods_trees_find(t, id, &n);

	for (size_t i = 0; i < n; i++)
		if (!v[i].part)
			return true;
	return t->unknown;
}

void pods_trees_free(struct pods_trees *t)
{
	free(t->v);
	*t = (struct pods_trees){ .n = 0 };
}
