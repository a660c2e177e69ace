/* SPDX-License-Identifier: Apache-2.0
 * walk - every directory of a tree, one open at a time: depth costs neither stack nor descriptors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/archive/tar.h"
#include "core/base/fd.h"
#include "core/store/internal.h"

/* directories that are still to be visited */
struct stack {
	char **v;
	size_t n, cap;
};

static int push(struct stack *s, const char *path, struct err *e)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 64;
		char **v = realloc(s->v, cap * sizeof(*v));
		if (!v)
			return err_set(e, ENOMEM, "/%s: out of memory", path);
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n] = strdup(path);
	if (!s->v[s->n])
		return err_set(e, ENOMEM, "/%s: out of memory", path);
	s->n++;
	return 0;
}

static int visit_entries(int fd, const char *path, const struct walk *w, struct stack *s, struct err *e)
{
	char child[TAR_PATH_MAX + 1];
	auto_dir DIR *d = fd_list(fd);
	struct dirent *de;

	if (!d)
		return err_sys(e, "/%s: read directory", path);
	while (errno = 0, (de = readdir(d))) {
		bool descend = false;
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		int n = snprintf(child, sizeof(child), "%s%s%s", path, *path ? "/" : "", de->d_name);
		if (n < 0 || (size_t)n >= sizeof(child))
			return err_set(e, ENAMETOOLONG, "/%s/%s: path too long", path, de->d_name);
		if (w->entry(w->ctx, child, de->d_name, fd, &descend, e) < 0)
			return -1;
		if (descend && push(s, child, e) < 0)
			return -1;
	}
	return errno ? err_sys(e, "/%s: read directory", path) : 0;
}

static int visit(int root_fd, const char *path, const struct walk *w, struct stack *s, struct err *e)
{
	auto_close int fd = beneath_open(root_fd, path, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return err_sys(e, "/%s: open directory", path);
	if (w->enter && w->enter(w->ctx, path, fd, e) < 0)
		return -1;
	if (visit_entries(fd, path, w, s, e) < 0)
		return -1;
	return w->leave ? w->leave(w->ctx, path, fd, e) : 0;
}

int walk_tree(int root_fd, const struct walk *w, struct err *e)
{
	struct stack s = { 0 };
	int r = push(&s, "", e);

	while (r == 0 && s.n) {
		auto_free char *path = s.v[--s.n];
		r = visit(root_fd, path, w, &s, e);
	}
	while (s.n)
		free(s.v[--s.n]);
	free(s.v);
	return r;
}
