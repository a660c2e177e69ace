/* SPDX-License-Identifier: Apache-2.0
 * write - see write.h
 *
 * The walk opens directories by their path from the root, never following a link nor leaving the file system
 * (openat2), and keeps at most one open however deep the tree is: it is opened again after each subdirectory.
 * What an entry says comes from the descriptor that is read, not from an earlier look at the name.
 */
#include "core/archive/write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/archive/exclude.h"
#include "core/archive/write_parts.h"
#include "core/base/buf.h"
#include "core/base/fd.h"
#include "core/base/sys.h"

/* 1: it was written as one more name of an earlier entry */
static int write_link(struct writer *w, const struct stat *st, struct err *e)
{
	const char *first;

	if (st->st_nlink < 2)
		return 0;
	int r = links_find(&w->links, st->st_dev, st->st_ino, w->path, &first, e);
	if (r <= 0)
		return r;
	archive_entry_set_size(w->en, 0);
	archive_entry_copy_hardlink(w->en, first);
	return entry_write(w, e) < 0 ? -1 : 1;
}

/* without following a link or entering a mount; from the root so that "..", races and depth are no matter */
static int open_below(const struct writer *w, const char *path, int flags)
{
	return sys_open_in(w->root_fd, path, flags | O_NOFOLLOW, SYS_BENEATH | SYS_NO_SYMLINKS | SYS_NO_XDEV);
}

static const char *below_root(const struct writer *w)
{
	const char *p = w->path + sizeof(WRITE_ROOT) - 1;

	return *p == '/' ? p + 1 : ".";
}

static int open_failed(const struct writer *w, struct err *e)
{
	if (errno == EXDEV)
		return err_set(e, EXDEV, "%s: something is mounted on it; unmount it first", w->path);
	return err_sys(e, "%s: open", w->path);
}

static int write_file(struct writer *w, struct err *e)
{
	struct stat st;
	auto_close int fd = open_below(w, below_root(w), O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return open_failed(w, e);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s: stat", w->path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EAGAIN, "%s: changed while it was read", w->path);
	entry_begin(w, &st);
	int linked = write_link(w, &st, e);
	if (linked)
		return linked < 0 ? -1 : 0;
	return entry_xattrs(w, NULL, fd, e) < 0 ? -1 : entry_write_file(w, fd, st.st_size, e);
}

/* ---- the others ---- */

static int write_symlink(struct writer *w, int dir_fd, const char *name, const struct stat *st, struct err *e)
{
	char *target = w->names; /* not on the stack: the walk is recursive */
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(w->names) - 1);

	if (n < 0)
		return err_sys(e, "%s: read link", w->path);
	if ((size_t)n > TAR_PATH_MAX)
		return err_set(e, ENAMETOOLONG, "%s: target too long", w->path);
	target[n] = 0;
	entry_begin(w, st);
	archive_entry_copy_symlink(w->en, target);
	return entry_write(w, e);
}

static int write_node(struct writer *w, struct err *e)
{
	char where[32];
	struct stat st;
	auto_close int fd = open_below(w, below_root(w), O_PATH);

	if (fd < 0)
		return open_failed(w, e);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s: stat", w->path);
	entry_begin(w, &st);
	snprintf(where, sizeof(where), "/proc/self/fd/%d", fd);
	return entry_xattrs(w, where, -1, e) < 0 ? -1 : entry_write(w, e);
}

/* ---- directories ---- */

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
		qsort(l->v, l->n, sizeof(*l->v), write_by_name);
	return 0;
}

static int list_names(const struct writer *w, int dir_fd, struct names *l, struct err *e)
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

static int write_dir(struct writer *w, struct err *e);

static int write_child(struct writer *w, int *dir_fd, const char *name, struct err *e)
{
	struct stat st;

	if (w->o->exclude && exclude_has(w->o->exclude, below_root(w)))
		return 0;
	if (fstatat(*dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%s: stat", w->path);
	switch (st.st_mode & S_IFMT) {
	case S_IFREG:
		return write_file(w, e);
	case S_IFDIR:
		fd_cleanup(dir_fd);
		return write_dir(w, e);
	case S_IFLNK:
		return write_symlink(w, *dir_fd, name, &st, e);
	case S_IFSOCK: /* whoever listened there does not come along */
		return 0;
	default:
		return write_node(w, e);
	}
}

static int write_children(struct writer *w, int *dir_fd, const struct names *l, struct err *e)
{
	size_t len = strlen(w->path);

	for (size_t i = 0; i < l->n; i++) {
		size_t n = strlen(l->v[i]);
		if (len + 1 + n > TAR_PATH_MAX)
			return err_set(e, ENAMETOOLONG, "%.200s...: path of more than %d bytes", w->path,
				       TAR_PATH_MAX);
		if (*dir_fd < 0) {
			*dir_fd = open_below(w, below_root(w), O_RDONLY | O_DIRECTORY);
			if (*dir_fd < 0)
				return open_failed(w, e);
		}
		w->path[len] = '/';
		memcpy(w->path + len + 1, l->v[i], n + 1);
		int r = write_child(w, dir_fd, l->v[i], e);
		w->path[len] = 0;
		if (r < 0)
			return -1;
	}
	return 0;
}

static int write_dir_entry(struct writer *w, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s: stat", w->path);
	entry_begin(w, &st);
	return entry_xattrs(w, NULL, fd, e) < 0 ? -1 : entry_write(w, e);
}

/* a mount point: the directory is packed, what is mounted there is not */
static int write_mount_point(struct writer *w, struct err *e)
{
	auto_close int fd = sys_open_in(w->root_fd, below_root(w), O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
		SYS_BENEATH | SYS_NO_SYMLINKS);

	return fd < 0 ? err_sys(e, "%s: open", w->path) : write_dir_entry(w, fd, e);
}

static int write_dir(struct writer *w, struct err *e)
{
	struct names l = { 0 };
	auto_close int fd = open_below(w, below_root(w), O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return errno == EXDEV ? write_mount_point(w, e) : open_failed(w, e);
	if (write_dir_entry(w, fd, e) < 0 || list_names(w, fd, &l, e) < 0)
		return -1;
	int r = write_children(w, &fd, &l, e);
	names_free(&l);
	return r;
}

int write_aci(int out_fd, const char *manifest, size_t manifest_len, int rootfs_fd, const struct write_opts *o,
	      struct err *e)
{
	struct writer *w = writer_open(out_fd, manifest, manifest_len, o, e);

	if (!w)
		return -1;
	w->root_fd = rootfs_fd;
	strcpy(w->path, WRITE_ROOT);
	int r = write_dir(w, e) < 0 ? -1 : writer_end(w, e);
	writer_free(w);
	return r;
}
