/* SPDX-License-Identifier: Apache-2.0
 * extract - a tree as real files, where nothing can be mounted
 *
 * The target is an empty directory that nobody else writes to. Every entry is made new: nothing is ever
 * overwritten or written through, a directory is opened beneath the root without following any link, and a
 * hard link is made by the two parents' descriptors. What an entry needs in order: owner before mode (chown
 * clears setuid), both before attributes (chown drops file capabilities, chmod rewrites an ACL's mask), time
 * last; all of a directory's only when all that is in it has been made, or its default ACL would be inherited
 * and its time change.
 * Source: appc spec, spec/ace.md "Filesystem Setup".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/store/erofs_chunks.h"
#include "core/store/internal.h"

/* things of one sort that could not be kept: how many, and the first one */
struct lost {
	size_t     n;
	struct err first;
};

struct extract {
	const struct extract_opts *o; /* borrowed */
	int         root_fd;          /* borrowed */
	struct lost xattrs, devices, owners;
	char        path[TAR_PATH_MAX + 1]; /* of what is being made */
};

/* ---- what cannot be kept ---- */

__attribute__((format(printf, 2, 3))) static void lose(struct lost *l, const char *fmt, ...)
{
	va_list ap;
	int why = errno;

	if (!l->n++) {
		va_start(ap, fmt);
		vsnprintf(l->first.msg, sizeof(l->first.msg), fmt, ap);
		va_end(ap);
		size_t n = strlen(l->first.msg);
		snprintf(l->first.msg + n, sizeof(l->first.msg) - n, ": %s", strerror(why));
	}
}

static void report(const struct extract *x, const struct lost *l, const char *what)
{
	struct err e;

	if (!l->n || !x->o->warn)
		return;
	err_set(&e, 0, "%zu %s not be kept (%s)", l->n, what, l->first.msg);
	x->o->warn(x->o->ctx, e.msg);
}

/* ---- attributes ---- */

static int set_xattrs(struct extract *x, const struct tree_node *n, int dir_fd, const char *name, struct err *e)
{
	for (uint32_t i = 0; n->more && i < n->more->n_xattrs; i++) {
		const struct tar_xattr *a = &n->more->xattrs[i];
		if (beneath_xattr(dir_fd, name, a->name, a->value, a->len) == 0)
			continue;
		/* a full disk is a failure; a file system or a caller that cannot have the attribute is not */
		if (errno != ENOTSUP && errno != EPERM && errno != EINVAL && errno != ENOENT)
			return err_sys(e, "rootfs/%s: set attribute %s", x->path, a->name);
		lose(&x->xattrs, "rootfs/%s: %s", x->path, a->name);
	}
	return 0;
}

static int set_owner(struct extract *x, const struct tree_node *n, int dir_fd, const char *name, struct err *e)
{
	if (x->o->no_owner)
		return 0;
	if (fchownat(dir_fd, name, n->uid, n->gid, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	/* nobody but us says that such a directory is root's */
	if (n->implicit && errno == EPERM)
		return 0;
	/* an id that our user namespace has not; what the file lets its owner do, it must not let us do */
	if (x->o->squash && (errno == EINVAL || errno == EPERM)) {
		lose(&x->owners, "rootfs/%s: %u:%u", x->path, n->uid, n->gid);
		return 1;
	}
	return err_sys(e, "rootfs/%s: set owner %u:%u", x->path, n->uid, n->gid);
}

/* The name cannot become a link under our feet (the tree is ours), and fchmodat() would follow one. */
static int set_attributes(struct extract *x, const struct tree_node *n, int dir_fd, const char *name, struct err *e)
{
	const struct timespec mtime = { .tv_sec = n->mtime_s, .tv_nsec = (long)n->mtime_ns };
	const struct timespec times[2] = { mtime, mtime };

	int squashed = set_owner(x, n, dir_fd, name, e);
	if (squashed < 0)
		return -1;
	if (!S_ISLNK(n->mode) && fchmodat(dir_fd, name, n->mode & (x->o->no_owner || squashed ? 01777 : 07777), 0) < 0)
		return err_sys(e, "rootfs/%s: set mode", x->path);
	if (set_xattrs(x, n, dir_fd, name, e) < 0)
		return -1;
	if (utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "rootfs/%s: set time", x->path);
	return 0;
}

/* ---- files ---- */

static int copy_stored(struct extract *x, const struct tree_node *n, uint64_t at, int fd, uint64_t to, uint64_t len,
		       struct err *e)
{
	int64_t done = fd_copy(x->o->fds[n->source], (off_t)(n->u.data + at), fd, (off_t)to, len);

	if (done < 0)
		return err_sys(e, "rootfs/%s: write", x->path);
	if ((uint64_t)done < len)
		return err_set(e, EBADMSG, "rootfs/%s: the image is cut off", x->path);
	return 0;
}

static int write_zeros(const struct extract *x, int fd, uint64_t at, uint64_t end, struct err *e)
{
	const uint8_t zeros[4096] = { 0 };

	while (at < end) {
		size_t want = end - at < sizeof(zeros) ? (size_t)(end - at) : sizeof(zeros);
		ssize_t n = pwrite(fd, zeros, want, (off_t)at);
		if (n > 0)
			at += (uint64_t)n;
		else if (n == 0 || errno != EINTR)
			return err_sys(e, "rootfs/%s: write", x->path);
	}
	return 0;
}

/* all from @begin to @end, where segments are and between them; *segment: the first that is there */
static int copy_run(struct extract *x, const struct tree_node *n, int fd, uint64_t begin, uint64_t end,
		    uint32_t *segment, struct err *e)
{
	for (; *segment < n->more->n_segments && n->more->segments[*segment].offset < end; ++*segment) {
		const struct tree_segment *s = &n->more->segments[*segment];
		if (write_zeros(x, fd, begin, s->offset, e) < 0 || copy_stored(x, n, s->at, fd, s->offset, s->len, e) < 0)
			return -1;
		begin = s->offset + s->len;
	}
	return write_zeros(x, fd, begin, end, e);
}

/* Data and holes are where an index has them. */
static int copy_sparse(struct extract *x, const struct tree_node *n, int fd, struct err *e)
{
	struct chunks c = { .n = n };
	uint64_t n_chunks, begin = 0, end = 0;
	uint32_t segment = 0;

	chunks_choose(n, &c.bits, &n_chunks);
	for (uint64_t i = 0; i < n_chunks; i++) {
		if (chunks_next(&c) == CHUNK_HOLE)
			continue;
		if (c.begin != end) {
			if (copy_run(x, n, fd, begin, end, &segment, e) < 0)
				return -1;
			begin = c.begin;
		}
		end = c.end;
	}
	if (copy_run(x, n, fd, begin, end, &segment, e) < 0)
		return -1;
	return ftruncate(fd, (off_t)n->size) < 0 ? err_sys(e, "rootfs/%s: write", x->path) : 0;
}

static int copy_content(struct extract *x, const struct tree_node *n, int fd, struct err *e)
{
	if (n->size && n->source >= x->o->n_fds)
		return err_set(e, EINVAL, "rootfs/%s: there is no archive %u", x->path, n->source);
	return n->more && n->more->sparse ? copy_sparse(x, n, fd, e) : copy_stored(x, n, 0, fd, 0, n->size, e);
}

static int make_file(struct extract *x, const struct tree_node *n, int dir_fd, const char *name, struct err *e)
{
	auto_close int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_sys(e, "rootfs/%s: create", x->path);
	if (copy_content(x, n, fd, e) < 0)
		return -1;
	return fd_close(&fd) < 0 ? err_sys(e, "rootfs/%s: write", x->path) : 0;
}

/* ---- the others ---- */

static int make_link(struct extract *x, const struct tree_name *to, int dir_fd, const char *name, struct err *e)
{
	char path[TAR_PATH_MAX + 1];
	const char *from;

	tree_path(to, path);
	auto_close int from_fd = beneath_parent(x->root_fd, path, &from);
	if (from_fd < 0 || linkat(from_fd, from, dir_fd, name, 0) < 0)
		return err_sys(e, "rootfs/%s: hard link to rootfs/%s", x->path, path);
	return 0;
}

/*
 * Device nodes are inert wherever a pod's root is mounted (nodev), but images have them, and tools in them
 * look. Without the privilege to make one it is left out: 1.
 */
static int make_special(struct extract *x, const struct tree_node *n, int dir_fd, const char *name, struct err *e)
{
	dev_t dev = S_ISFIFO(n->mode) ? 0 : makedev(n->u.rdev.major, n->u.rdev.minor);

	if (mknodat(dir_fd, name, (n->mode & S_IFMT) | 0600, dev) == 0)
		return 0;
	if (errno != EPERM || S_ISFIFO(n->mode))
		return err_sys(e, "rootfs/%s: create", x->path);
	lose(&x->devices, "rootfs/%s", x->path);
	return 1;
}

static int make_node(struct extract *x, const struct tree_node *n, int dir_fd, const char *name, struct err *e)
{
	if (S_ISREG(n->mode))
		return make_file(x, n, dir_fd, name, e);
	if (S_ISLNK(n->mode))
		return beneath_symlink(n->u.target, dir_fd, name, e) < 0 ? err_wrap(e, "rootfs/%s", x->path) : 0;
	return make_special(x, n, dir_fd, name, e);
}

static int make_name(struct extract *x, struct tree_name *name, int dir_fd, struct err *e)
{
	struct tree_node *n = name->node;

	tree_path(name, x->path);
	if (S_ISDIR(n->mode))
		return mkdirat(dir_fd, name->s, 0700) < 0 ? err_sys(e, "rootfs/%s: create directory", x->path) : 0;
	if (n->walk.name)
		return make_link(x, n->walk.name, dir_fd, name->s, e);
	int r = make_node(x, n, dir_fd, name->s, e);
	if (r)
		return r < 0 ? -1 : 0;
	n->walk.name = name;
	return set_attributes(x, n, dir_fd, name->s, e);
}

/* ---- directories ---- */

static void path_of(struct extract *x, const struct tree_node *dir)
{
	x->path[0] = 0;
	if (dir->u.dir.self)
		tree_path(dir->u.dir.self, x->path);
}

/* What is in it is there when it gets its own attributes; what is in that changes it no more. */
static int make_dir(struct extract *x, struct tree *t, const struct tree_node *dir, struct err *e)
{
	path_of(x, dir);
	auto_close int fd = beneath_open(x->root_fd, x->path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return err_sys(e, "rootfs/%s: open directory", x->path);
	for (struct tree_name *n = tree_names(dir); n; n = n->next) {
		if (make_name(x, n, fd, e) < 0)
			return -1;
		tree_step(t);
	}
	path_of(x, dir);
	return set_attributes(x, dir, fd, ".", e);
}

int extract_tree(struct tree *t, int dir_fd, const struct extract_opts *o, struct err *e)
{
	struct extract x = { .o = o, .root_fd = dir_fd };

	tree_reset_walk(t);
	for (const struct tree_node *d = tree_root(t); d; d = tree_next_dir(t, d))
		if (make_dir(&x, t, d, e) < 0)
			return -1;
	report(&x, &x.xattrs, "extended attributes could");
	report(&x, &x.devices, "device nodes could");
	report(&x, &x.owners, "owners of files are not in our user namespace, so the files are root's there: they could");
	return 0;
}
