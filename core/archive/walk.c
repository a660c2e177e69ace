/* SPDX-License-Identifier: Apache-2.0
 * walk - see walk.h
 */
#include "core/archive/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/fd.h"
#include "core/base/sys.h"

void walk_start(struct walk *w, int root_fd)
{
	w->root_fd = root_fd;
	strcpy(w->path, WALK_ROOT);
}

const char *walk_below(const struct walk *w)
{
	const char *p = w->path + sizeof(WALK_ROOT) - 1;

	return *p == '/' ? p + 1 : ".";
}

int walk_open(const struct walk *w, int flags)
{
	return sys_open_in(w->root_fd, walk_below(w), flags | O_NOFOLLOW, SYS_BENEATH | SYS_NO_SYMLINKS | SYS_NO_XDEV);
}

int walk_open_failed(const struct walk *w, struct err *e)
{
	if (errno == EXDEV)
		return err_set(e, EXDEV, "%s: something is mounted on it; unmount it first", w->path);
	return err_sys(e, "%s: open", w->path);
}

/* ---- the names in a directory ---- */

struct names {
	char   *text; /* one after the other */
	char  **v;
	size_t  n;
};

static void names_free(struct names *l)
{
	free(l->text);
	free(l->v);
}

int walk_by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int index_names(struct names *l, struct buf *text, size_t n, struct err *e)
{
	l->v = calloc(n + 1, sizeof(*l->v));
	if (text->failed || !l->v) {
		buf_free(text);
		return err_set(e, ENOMEM, "out of memory");
	}
	l->text = text->data;
	for (size_t at = 0; at < text->len; at += strlen(l->text + at) + 1)
		l->v[l->n++] = l->text + at;
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), walk_by_name);
	return 0;
}

static int list_names(const struct walk *w, int dir_fd, struct names *l, struct err *e)
{
	auto_dir DIR *d = fd_list(dir_fd);
	struct buf text = { 0 };
	struct dirent *de;
	size_t n = 0;

	if (!d)
		return err_sys(e, "%s: open", w->path);
	while (errno = 0, (de = readdir(d))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		buf_add(&text, de->d_name, strlen(de->d_name) + 1);
		n++;
	}
	if (errno) {
		err_sys(e, "%s: read directory", w->path);
		buf_free(&text);
		return -1;
	}
	return index_names(l, &text, n, e);
}

/* ---- the walk ---- */

static int enter(struct walk *w, int *dir_fd, const char *name, struct err *e)
{
	size_t len = strlen(w->path), n = strlen(name);

	if (len + 1 + n > TAR_PATH_MAX)
		return err_set(e, ENAMETOOLONG, "%.200s...: path of more than %d bytes", w->path, TAR_PATH_MAX);
	if (*dir_fd < 0 && (*dir_fd = walk_open(w, O_RDONLY | O_DIRECTORY)) < 0)
		return walk_open_failed(w, e);
	w->path[len] = '/';
	memcpy(w->path + len + 1, name, n + 1);
	return 0;
}

int walk_children(struct walk *w, int *dir_fd, int (*child)(struct walk *w, int *dir_fd, const char *name, struct err *e),
		  struct err *e)
{
	size_t len = strlen(w->path);
	struct names l = { 0 };
	int r = list_names(w, *dir_fd, &l, e);

	for (size_t i = 0; i < l.n && r == 0; i++) {
		r = enter(w, dir_fd, l.v[i], e);
		if (r == 0)
			r = child(w, dir_fd, l.v[i], e);
		w->path[len] = 0;
	}
	names_free(&l);
	return r < 0 ? -1 : 0;
}
