/* SPDX-License-Identifier: Apache-2.0
 * write_files - an image of single files and the directories that lead to them; see write.h
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/archive/write_parts.h"
#include "core/base/fd.h"

/* @len of @path: rootfs itself or a directory in it */
static int write_parent(struct writer *w, const char *path, size_t len, struct err *e)
{
	const struct stat st = { .st_mode = S_IFDIR | 0755 };

	snprintf(w->walk.path, sizeof(w->walk.path), "%s%s%.*s", WALK_ROOT, len ? "/" : "", (int)len, path);
	entry_begin(w, &st);
	return entry_write(w, e);
}

static bool is_parent(const char *path, size_t len, const char *of)
{
	return !strncmp(path, of, len) && of[len] == '/';
}

/* those that the file before did not lead through; in byte order the files of a directory stand together */
static int write_parents(struct writer *w, const char *path, const char *before, struct err *e)
{
	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		size_t len = (size_t)(s - path);
		if (!is_parent(path, len, before) && write_parent(w, path, len, e) < 0)
			return -1;
	}
	return 0;
}

static int write_one(struct writer *w, const struct write_file *f, struct err *e)
{
	struct stat st;

	if (strlen(f->path) + sizeof(WALK_ROOT) > TAR_PATH_MAX)
		return err_set(e, ENAMETOOLONG, "%.200s...: path of more than %d bytes", f->path, TAR_PATH_MAX);
	if (fstat(f->fd, &st) < 0)
		return err_sys(e, "%s: stat", f->path);
	const struct stat shown = { .st_mode = S_IFREG | f->mode, .st_size = st.st_size };
	snprintf(w->walk.path, sizeof(w->walk.path), "%s/%s", WALK_ROOT, f->path);
	entry_begin(w, &shown);
	return entry_write_file(w, f->fd, st.st_size, e);
}

static int write_all(struct writer *w, const struct write_file *v, size_t n, struct err *e)
{
	if (write_parent(w, "", 0, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (write_parents(w, v[i].path, i ? v[i - 1].path : "", e) < 0 || write_one(w, &v[i], e) < 0)
			return -1;
	return writer_end(w, e);
}

int write_aci_files(int out_fd, const char *manifest, size_t manifest_len, const struct write_file *v, size_t n,
		    const struct write_opts *o, struct err *e)
{
	struct writer *w = writer_open(out_fd, manifest, manifest_len, o, e);

	if (!w)
		return -1;
	int r = write_all(w, v, n, e);
	writer_free(w);
	return r;
}
