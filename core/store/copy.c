/* SPDX-License-Identifier: Apache-2.0
 * copy - a rendered root as a private tree: for hosts without overlayfs and for what is handed to people
 *
 * Content is shared with the original where the file system can do that (reflinks), holes stay holes, hard
 * links stay hard links among themselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/archive/tar.h"
#include "core/base/fd.h"
#include "core/base/holes.h"
#include "core/base/links.h"
#include "core/store/internal.h"

struct copy {
	int          to_root; /* of the copy */
	int          to_fd;   /* the directory there that is being filled; -1: none */
	struct links links;   /* where files of several names were copied to */
	char         value[TAR_XATTR_MAX]; /* of the attribute under way */
};

/* ---- hard links ---- */

/* 1: linked to where it was copied before; 0: this is its first name, remembered */
static int copy_link(struct copy *c, const char *path, const char *name, const struct stat *st, struct err *e)
{
	const char *first, *from;

	int r = links_find(&c->links, st->st_dev, st->st_ino, path, &first, e);
	if (r <= 0)
		return r < 0 ? err_wrap(e, "/%s", path) : 0;
	auto_close int from_fd = beneath_parent(c->to_root, first, &from);
	if (from_fd < 0 || linkat(from_fd, from, c->to_fd, name, 0) < 0)
		return err_sys(e, "/%s: hard link to /%s", path, first);
	return 1;
}

/* ---- attributes ---- */

/* what overlayfs keeps for itself and what the host's policy decides */
static bool is_left_out(const char *attr)
{
	return !strncmp(attr, "trusted.", 8) || !strncmp(attr, "user.overlay.", 13) ||
	       !strcmp(attr, "security.selinux");
}

/* a path of /proc to the object itself, which also works for symlinks and devices */
static void object_path(char out[TAR_NAME_MAX + 64], int dir_fd, const char *name)
{
	snprintf(out, TAR_NAME_MAX + 64, "/proc/self/fd/%d/%s", dir_fd, name);
}

static int copy_xattr(struct copy *c, const char *from, const char *attr, const char *name, struct err *e)
{
	ssize_t n = lgetxattr(from, attr, c->value, sizeof(c->value));

	if (n < 0)
		return errno == ENODATA || errno == ENOTSUP ? 0 : err_sys(e, "read attribute %s", attr);
	if (beneath_xattr(c->to_fd, name, attr, c->value, (size_t)n) < 0 && errno != ENOTSUP && errno != EPERM)
		return err_sys(e, "set attribute %s", attr);
	return 0;
}

static int copy_xattrs(struct copy *c, int from_fd, const char *name, struct err *e)
{
	char from[TAR_NAME_MAX + 64];

	object_path(from, from_fd, name);
	ssize_t want = llistxattr(from, NULL, 0);
	if (want <= 0)
		return 0; /* none, or a file system without */
	auto_free char *names = malloc((size_t)want + 1);
	if (!names)
		return err_set(e, ENOMEM, "out of memory");
	ssize_t n = llistxattr(from, names, (size_t)want);
	for (char *a = names; a < names + n; a += strlen(a) + 1)
		if (!is_left_out(a) && copy_xattr(c, from, a, name, e) < 0)
			return -1;
	return 0;
}

static int copy_attributes(struct copy *c, int from_fd, const char *name, const struct stat *st, struct err *e)
{
	const struct timespec times[2] = { st->st_mtim, st->st_mtim };

	if (fchownat(c->to_fd, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set owner %u:%u", st->st_uid, st->st_gid);
	if (!S_ISLNK(st->st_mode) && fchmodat(c->to_fd, name, st->st_mode & 07777, 0) < 0)
		return err_sys(e, "set mode");
	if (copy_xattrs(c, from_fd, name, e) < 0)
		return -1;
	if (utimensat(c->to_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set time");
	return 0;
}

/* ---- content ---- */

/* if it has become shorter meanwhile, so does the copy */
static int copy_bytes(int from, int to, off_t at, off_t end)
{
	return fd_copy(from, at, to, at, (uint64_t)(end - at)) < 0 ? -1 : 0;
}

static int copy_content(int from, int to, off_t size)
{
	off_t data, end = 0;
	int r;

	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	while ((r = holes_next(from, end, size, &data, &end)) > 0)
		if (copy_bytes(from, to, data, end) < 0)
			return -1;
	return r < 0 ? -1 : ftruncate(to, size);
}

static int copy_file(const struct copy *c, const char *name, int dir_fd, const struct stat *st, struct err *e)
{
	auto_close int from = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	auto_close int to = from < 0 ? -1 : openat(c->to_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
						   0600);

	if (to < 0 || copy_content(from, to, st->st_size) < 0 || fd_close(&to) < 0)
		return err_sys(e, "copy");
	return 0;
}

static int copy_symlink(const struct copy *c, const char *name, int dir_fd, struct err *e)
{
	char target[TAR_PATH_MAX + 2];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(target));

	if (n < 0 || (size_t)n >= sizeof(target))
		return err_sys(e, "read link");
	target[n] = 0;
	return beneath_symlink(target, c->to_fd, name, e);
}

static int copy_node(const struct copy *c, const char *name, const struct stat *st, struct err *e)
{
	return mknodat(c->to_fd, name, (st->st_mode & S_IFMT) | 0600, st->st_rdev) < 0 ? err_sys(e, "create") : 0;
}

static int copy_other(struct copy *c, const char *path, const char *name, int dir_fd, const struct stat *st,
		      struct err *e)
{
	int linked = st->st_nlink > 1 ? copy_link(c, path, name, st, e) : 0;

	if (linked)
		return linked < 0 ? -1 : 0;
	int r = S_ISREG(st->st_mode) ? copy_file(c, name, dir_fd, st, e) :
		S_ISLNK(st->st_mode) ? copy_symlink(c, name, dir_fd, e) : copy_node(c, name, st, e);
	if (r == 0)
		r = copy_attributes(c, dir_fd, name, st, e);
	return r < 0 ? err_wrap(e, "/%s", path) : 0;
}

/* ---- directories ---- */

static int enter(void *ctx, const char *path, int dir_fd, struct err *e)
{
	struct copy *c = ctx;

	(void)dir_fd;
	fd_cleanup(&c->to_fd);
	c->to_fd = beneath_open(c->to_root, path, O_RDONLY | O_DIRECTORY);
	return c->to_fd < 0 ? err_sys(e, "/%s: open the copy's directory", path) : 0;
}

static int entry(void *ctx, const char *path, const char *name, int dir_fd, bool *descend, struct err *e)
{
	struct copy *c = ctx;
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "/%s", path);
	if (!S_ISDIR(st.st_mode))
		return copy_other(c, path, name, dir_fd, &st, e);
	*descend = true;
	return mkdirat(c->to_fd, name, 0700) < 0 ? err_sys(e, "/%s: create directory", path) : 0;
}

/* All its entries have been made: so its time stays, and a default ACL reaches nobody. */
static int leave(void *ctx, const char *path, int dir_fd, struct err *e)
{
	struct copy *c = ctx;
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		return err_sys(e, "/%s", path);
	return copy_attributes(c, dir_fd, ".", &st, e) < 0 ? err_wrap(e, "/%s", path) : 0;
}

int render_copy(int root_fd, int dir_fd, struct err *e)
{
	auto_free struct copy *c = calloc(1, sizeof(*c));
	const struct walk w = { .ctx = c, .enter = enter, .entry = entry, .leave = leave };

	if (!c)
		return err_set(e, ENOMEM, "copy the image's root: out of memory");
	c->to_root = dir_fd;
	c->to_fd = -1;
	int r = walk_tree(root_fd, &w, e);
	fd_cleanup(&c->to_fd);
	links_free(&c->links);
	return r < 0 ? err_wrap(e, "copy the image's root") : 0;
}
