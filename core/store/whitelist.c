/* SPDX-License-Identifier: Apache-2.0
 * whitelist - a manifest's pathWhitelist: all that is not on it goes
 *
 * The list is complete by definition: a directory on it is kept, what is in it only if that is listed as well.
 * What leads to a listed path stays, of whatever type it is, or the path would not exist.
 * Source: appc spec, spec/ace.md "Filesystem Setup" 3; spec/aci.md "pathWhitelist".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/archive/tar.h"
#include "core/base/fd.h"
#include "core/store/internal.h"

struct list {
	char **v; /* sorted, "a/b/c", without "." and empty components */
	size_t n;
};

static char *normalised(const char *path)
{
	char *out = malloc(strlen(path) + 1), *w = out;

	while (out && *path) {
		size_t n = strcspn(path, "/");
		if (n && !(n == 1 && *path == '.')) {
			if (w != out)
				*w++ = '/';
			memcpy(w, path, n);
			w += n;
		}
		path += n + (path[n] == '/');
	}
	if (out)
		*w = 0;
	return out;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In sorted order, what lies below a path need not follow it at once ("a-b" is between "a" and "a/b"). */
static bool is_kept(const struct list *l, const char *path)
{
	char below[TAR_PATH_MAX + 2];
	size_t n = strlen(path);
	size_t lo = 0, hi = l->n;

	if (bsearch(&path, l->v, l->n, sizeof(*l->v), compare))
		return true;
	memcpy(below, path, n);
	memcpy(below + n, "/", 2);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (strcmp(l->v[mid], below) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->n && !strncmp(l->v[lo], below, n + 1);
}

static int judge(void *ctx, const char *path, const char *name, int dir_fd, bool *descend, struct err *e)
{
	struct stat st;

	if (!is_kept(ctx, path))
		return fd_remove_tree(dir_fd, name, e) < 0 ? err_wrap(e, "rootfs/%s", path) : 0;
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "rootfs/%s", path);
	*descend = S_ISDIR(st.st_mode);
	return 0;
}

int whitelist_apply(int root_fd, const struct appc_strings *whitelist, struct err *e)
{
	struct list l = { .v = calloc(whitelist->n, sizeof(*l.v)) };
	const struct walk w = { .ctx = &l, .entry = judge };
	int r = 0;

	for (; l.v && r == 0 && l.n < whitelist->n; l.n += r == 0)
		r = (l.v[l.n] = normalised(whitelist->v[l.n])) ? 0 : -1;
	if (!l.v || r < 0) {
		r = err_set(e, ENOMEM, "apply the path whitelist: out of memory");
	} else {
		qsort(l.v, l.n, sizeof(*l.v), compare);
		r = walk_tree(root_fd, &w, e);
	}
	while (l.n)
		free(l.v[--l.n]);
	free(l.v);
	return r;
}
