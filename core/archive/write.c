/* SPDX-License-Identifier: Apache-2.0
 * write - see write.h
 *
 * What an entry says comes from the descriptor that is read, not from an earlier look at the name.
 */
#include "core/archive/write.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>

#include "core/archive/exclude.h"
#include "core/archive/write_parts.h"
#include "core/base/fd.h"
#include "core/base/sys.h"

/* 1: it was written as one more name of an earlier entry */
static int write_link(struct writer *w, const struct stat *st, struct err *e)
{
	const char *first;

	if (st->st_nlink < 2)
		return 0;
	int r = links_find(&w->links, st->st_dev, st->st_ino, w->walk.path, &first, e);
	if (r <= 0)
		return r;
	archive_entry_set_size(w->en, 0);
	archive_entry_copy_hardlink(w->en, first);
	return entry_write(w, e) < 0 ? -1 : 1;
}

static int write_file(struct writer *w, struct err *e)
{
	struct stat st;
	auto_close int fd = walk_open(&w->walk, O_RDONLY | O_NONBLOCK);

	if (fd < 0)
		return walk_open_failed(&w->walk, e);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s: stat", w->walk.path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EAGAIN, "%s: changed while it was read", w->walk.path);
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
		return err_sys(e, "%s: read link", w->walk.path);
	if ((size_t)n > TAR_PATH_MAX)
		return err_set(e, ENAMETOOLONG, "%s: target too long", w->walk.path);
	target[n] = 0;
	entry_begin(w, st);
	archive_entry_copy_symlink(w->en, target);
	return entry_write(w, e);
}

static int write_node(struct writer *w, struct err *e)
{
	char where[32];
	struct stat st;
	auto_close int fd = walk_open(&w->walk, O_PATH);

	if (fd < 0)
		return walk_open_failed(&w->walk, e);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s: stat", w->walk.path);
	entry_begin(w, &st);
	snprintf(where, sizeof(where), "/proc/self/fd/%d", fd);
	return entry_xattrs(w, where, -1, e) < 0 ? -1 : entry_write(w, e);
}

/* ---- directories ---- */

static int write_dir(struct writer *w, struct err *e);

static int write_child(struct walk *walk, int *dir_fd, const char *name, struct err *e)
{
	struct writer *w = (struct writer *)((char *)walk - offsetof(struct writer, walk));
	struct stat st;

	if (w->o->exclude && exclude_has(w->o->exclude, walk_below(walk)))
		return 0;
	if (fstatat(*dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "%s: stat", w->walk.path);
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

static int write_dir_entry(struct writer *w, int fd, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s: stat", w->walk.path);
	entry_begin(w, &st);
	return entry_xattrs(w, NULL, fd, e) < 0 ? -1 : entry_write(w, e);
}

/* a mount point: the directory is packed, what is mounted there is not */
static int write_mount_point(struct writer *w, struct err *e)
{
	auto_close int fd = sys_open_in(w->walk.root_fd, walk_below(&w->walk), O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
		SYS_BENEATH | SYS_NO_SYMLINKS);

	return fd < 0 ? err_sys(e, "%s: open", w->walk.path) : write_dir_entry(w, fd, e);
}

static int write_dir(struct writer *w, struct err *e)
{
	auto_close int fd = walk_open(&w->walk, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return errno == EXDEV ? write_mount_point(w, e) : walk_open_failed(&w->walk, e);
	return write_dir_entry(w, fd, e) < 0 ? -1 : walk_children(&w->walk, &fd, write_child, e);
}

int write_aci(int out_fd, const char *manifest, size_t manifest_len, int rootfs_fd, const struct write_opts *o,
	      struct err *e)
{
	struct writer *w = writer_open(out_fd, manifest, manifest_len, o, e);

	if (!w)
		return -1;
	walk_start(&w->walk, rootfs_fd);
	int r = write_dir(w, e) < 0 ? -1 : writer_end(w, e);
	writer_free(w);
	return r;
}
