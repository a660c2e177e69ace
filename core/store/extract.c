/* SPDX-License-Identifier: Apache-2.0
 * extract - the rootfs of an image as a tree of real files
 *
 * The target is an empty directory that nobody else writes to. Every entry is made new: nothing is ever
 * overwritten or written through, a parent is opened beneath the root without following any link, and a
 * hard link is made by the two parents' descriptors. What an entry needs in order: owner before mode (chown
 * clears setuid), both before attributes (chown drops file capabilities, chmod rewrites an ACL's mask), time
 * last; a directory's time and default ACL only when nothing will be made in it any more.
 * Source: appc spec, spec/ace.md "Filesystem Setup".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/store/internal.h"

#define DEFAULT_ACL "system.posix_acl_default"
/* of default ACLs that wait for the end: far more than any tree has, far less than a hostile one could */
#define LATER_MAX (64u << 20)

/* a directory whose time is set at the end */
struct later {
	char           *path;
	struct timespec mtime;
	uint8_t        *acl;
	size_t          acl_len;
};

/* things of one sort that could not be kept: how many, and the first one */
struct lost {
	size_t     n;
	struct err first;
};

struct extract {
	const struct extract_opts *o; /* borrowed */
	int           root_fd;        /* borrowed */
	int           parent_fd; /* of the entry before, usually that of the next one too; -1: none */
	char          parent[TAR_PATH_MAX + 1];
	struct later *later;
	size_t        n_later;
	size_t        acl_bytes;
	struct lost   xattrs, devices;
};

/* ---- parents ---- */

/* directories that the archive does not list before what is in them */
static int make_parents(struct extract *x, const char *path, struct err *e)
{
	char part[TAR_PATH_MAX + 1];
	const char *name;

	for (size_t n = strcspn(path, "/");; n += 1 + strcspn(path + n + 1, "/")) {
		memcpy(part, path, n);
		part[n] = 0;
		auto_close int up = beneath_parent(x->root_fd, part, &name);
		if (up < 0)
			return err_sys(e, "rootfs/%s: open its directory", part);
		if (mkdirat(up, name, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "rootfs/%s: create directory", part);
		if (!path[n])
			return 0;
	}
}

static int open_parent(struct extract *x, const char *parent, struct err *e)
{
	int fd = beneath_open(x->root_fd, parent, O_PATH | O_DIRECTORY);

	if (fd < 0 && errno == ENOENT) {
		if (make_parents(x, parent, e) < 0)
			return -1;
		fd = beneath_open(x->root_fd, parent, O_PATH | O_DIRECTORY);
	}
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return err_set(e, EINVAL, "rootfs/%s: has entries below it, but is not a directory", parent);
	return fd < 0 ? err_sys(e, "rootfs/%s: open directory", parent) : fd;
}

/* borrowed, valid until the next call; *name points into @path */
static int parent_of(struct extract *x, const char *path, const char **name, struct err *e)
{
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	*name = slash ? slash + 1 : path;
	if (x->parent_fd >= 0 && !strncmp(x->parent, path, n) && !x->parent[n])
		return x->parent_fd;
	fd_cleanup(&x->parent_fd);
	if (n > TAR_PATH_MAX)
		return err_set(e, ENAMETOOLONG, "rootfs/%s: path too long", path);
	memcpy(x->parent, path, n);
	x->parent[n] = 0;
	return x->parent_fd = open_parent(x, x->parent, e);
}

/* ---- attributes ---- */

/* what belongs to the host's kernel and not to an image, whatever the image says */
static bool is_stripped(const char *attr)
{
	if (!strncmp(attr, "security.", 9))
		return strcmp(attr, "security.capability") != 0;
	return !strncmp(attr, "trusted.", 8) || !strncmp(attr, "user.overlay.", 13);
}

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

static int set_xattr(struct extract *x, const struct tar_entry *t, int dir_fd, const char *name,
		     const struct tar_xattr *a, struct err *e)
{
	if (beneath_xattr(dir_fd, name, a->name, a->value, a->len) == 0)
		return 0;
	/* a full disk is a failure; a file system or a caller that cannot have the attribute is not */
	if (errno != ENOTSUP && errno != EPERM && errno != EINVAL && errno != ENOENT)
		return err_sys(e, "rootfs/%s: set attribute %s", t->path, a->name);
	lose(&x->xattrs, "rootfs/%s: %s", t->path, a->name);
	return 0;
}

static int set_xattrs(struct extract *x, const struct tar_entry *t, int dir_fd, const char *name, struct err *e)
{
	for (size_t i = 0; i < t->n_xattrs; i++) {
		const struct tar_xattr *a = &t->xattrs[i];
		if (is_stripped(a->name) || (t->type == TAR_DIR && !strcmp(a->name, DEFAULT_ACL)))
			continue;
		if (set_xattr(x, t, dir_fd, name, a, e) < 0)
			return -1;
	}
	return 0;
}

static struct timespec mtime_of(const struct tar_entry *t)
{
	return (struct timespec){ .tv_sec = t->mtime_s, .tv_nsec = (long)t->mtime_ns };
}

static int set_time(int dir_fd, const char *path, const struct timespec *mtime, struct err *e)
{
	const struct timespec times[2] = { *mtime, *mtime };
	const char *slash = strrchr(path, '/');

	if (utimensat(dir_fd, slash ? slash + 1 : *path ? path : ".", times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "rootfs/%s: set time", path);
	return 0;
}

static int set_owner(const struct tar_entry *t, int dir_fd, const char *name, struct err *e)
{
	if (fchownat(dir_fd, name, t->uid, t->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "rootfs/%s: set owner %u:%u", t->path, t->uid, t->gid);
	return 0;
}

/* The name cannot become a link under our feet (the tree is ours), and fchmodat() would follow one. */
static int set_attributes(struct extract *x, const struct tar_entry *t, int dir_fd, const char *name, struct err *e)
{
	const struct timespec mtime = mtime_of(t);

	if (set_owner(t, dir_fd, name, e) < 0)
		return -1;
	if (t->type != TAR_SYMLINK && fchmodat(dir_fd, name, t->mode, 0) < 0)
		return err_sys(e, "rootfs/%s: set mode", t->path);
	if (set_xattrs(x, t, dir_fd, name, e) < 0)
		return -1;
	return t->type == TAR_DIR ? 0 : set_time(dir_fd, t->path, &mtime, e);
}

/* ---- directories ---- */

static int keep_acl(struct extract *x, const struct tar_entry *t, struct later *l, struct err *e)
{
	for (size_t i = 0; i < t->n_xattrs; i++) {
		const struct tar_xattr *a = &t->xattrs[i];
		if (strcmp(a->name, DEFAULT_ACL))
			continue;
		x->acl_bytes += a->len;
		l->acl = x->acl_bytes > LATER_MAX ? NULL : malloc(a->len + 1);
		if (!l->acl)
			return err_set(e, ENOMEM, "rootfs/%s: too many default ACLs", t->path);
		memcpy(l->acl, a->value, a->len);
		l->acl_len = a->len;
	}
	return 0;
}

static int finish_later(struct extract *x, const struct tar_entry *t, struct err *e)
{
	if (!(x->n_later & (x->n_later - 1))) {
		struct later *v = realloc(x->later, (x->n_later ? x->n_later * 2 : 1) * sizeof(*v));
		if (!v)
			return err_set(e, ENOMEM, "unpack the image: out of memory");
		x->later = v;
	}
	struct later *l = &x->later[x->n_later++];
	*l = (struct later){ .path = strdup(t->path), .mtime = mtime_of(t) };
	if (!l->path)
		return err_set(e, ENOMEM, "unpack the image: out of memory");
	return keep_acl(x, t, l, e);
}

static int make_dir(struct extract *x, const struct tar_entry *t, struct err *e)
{
	struct stat st;
	const char *name = ".";
	int dir_fd = *t->path ? parent_of(x, t->path, &name, e) : x->root_fd;

	if (dir_fd < 0)
		return -1;
	if (*t->path && mkdirat(dir_fd, name, 0700) < 0) {
		/* made already for something in it that the archive lists first */
		if (errno != EEXIST || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return err_sys(e, "rootfs/%s: create directory", t->path);
		if (!S_ISDIR(st.st_mode))
			return err_set(e, EEXIST, "rootfs/%s: is in the image twice", t->path);
	}
	if (set_attributes(x, t, dir_fd, name, e) < 0)
		return -1;
	return finish_later(x, t, e);
}

/* ---- files ---- */

/* a piece of the stored data of a sparse file, to where its segments say */
static int write_sparse(const struct tar_entry *t, int fd, const uint8_t *p, size_t len, uint64_t at, size_t *seg)
{
	while (len) {
		const struct tar_segment *s = &t->segments[*seg];
		if (*seg >= t->n_segments)
			return 0; /* padding of the stored data */
		uint64_t skip = at - s->at;
		size_t n = s->len - skip < len ? (size_t)(s->len - skip) : len;
		if (n && pwrite(fd, p, n, (off_t)(s->offset + skip)) != (ssize_t)n)
			return -1;
		p += n;
		len -= n;
		at += n;
		*seg += at >= s->at + s->len;
	}
	return 0;
}

static int write_data(const struct tar_entry *t, struct tar *tar, int fd, struct err *e)
{
	const uint8_t *p;
	size_t len, seg = 0;
	uint64_t at = 0;
	int r;

	while (t->sparse && seg < t->n_segments && !t->segments[seg].len)
		seg++;
	while ((r = tar_data(tar, &p, &len, e)) > 0) {
		if (t->sparse ? write_sparse(t, fd, p, len, at, &seg) < 0 : fd_write_all(fd, p, len) < 0)
			return err_sys(e, "rootfs/%s: write", t->path);
		at += len;
	}
	if (r == 0 && t->sparse && ftruncate(fd, (off_t)t->size) < 0)
		return err_sys(e, "rootfs/%s: write", t->path);
	return r;
}

static int make_file(struct extract *x, const struct tar_entry *t, struct tar *tar, struct err *e)
{
	const char *name;
	int dir_fd = parent_of(x, t->path, &name, e);

	if (dir_fd < 0)
		return -1;
	auto_close int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "rootfs/%s: create", t->path);
	if (write_data(t, tar, fd, e) < 0)
		return -1;
	if (fd_close(&fd) < 0)
		return err_sys(e, "rootfs/%s: write", t->path);
	return set_attributes(x, t, dir_fd, name, e);
}

/* ---- the others ---- */

static int make_hardlink(struct extract *x, const struct tar_entry *t, struct err *e)
{
	struct stat st;
	const char *from, *name;
	int dir_fd = parent_of(x, t->path, &name, e);

	if (dir_fd < 0)
		return -1;
	auto_close int from_fd = beneath_parent(x->root_fd, t->link, &from);
	if (from_fd < 0 || fstatat(from_fd, from, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "rootfs/%s: hard link to rootfs/%s", t->path, t->link);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "rootfs/%s: hard link to rootfs/%s, which is no regular file", t->path,
			       t->link);
	if (linkat(from_fd, from, dir_fd, name, 0) < 0)
		return err_sys(e, "rootfs/%s: hard link to rootfs/%s", t->path, t->link);
	return 0;
}

/*
 * Device nodes are inert wherever a pod's root is mounted (nodev), but images have them, and tools in them
 * look. Without the privilege to make one it is left out.
 */
static int make_node(struct extract *x, const struct tar_entry *t, struct err *e)
{
	const char *name;
	int dir_fd = parent_of(x, t->path, &name, e);
	mode_t type = t->type == TAR_CHAR ? S_IFCHR : t->type == TAR_BLOCK ? S_IFBLK : S_IFIFO;
	dev_t dev = t->type == TAR_FIFO ? 0 : makedev(t->rdev_major, t->rdev_minor);

	if (dir_fd < 0)
		return -1;
	if (mknodat(dir_fd, name, type | 0600, dev) < 0) {
		if (errno != EPERM || t->type == TAR_FIFO)
			return err_sys(e, "rootfs/%s: create", t->path);
		lose(&x->devices, "rootfs/%s", t->path);
		return 0;
	}
	return set_attributes(x, t, dir_fd, name, e);
}

static int make_symlink(struct extract *x, const struct tar_entry *t, struct err *e)
{
	const char *name;
	int dir_fd = parent_of(x, t->path, &name, e);

	if (dir_fd < 0)
		return -1;
	if (symlinkat(t->link, dir_fd, name) < 0)
		return err_sys(e, "rootfs/%s: create", t->path);
	return set_attributes(x, t, dir_fd, name, e);
}

int extract_entry(void *ctx, const struct tar_entry *t, struct tar *tar, struct err *e)
{
	switch (t->type) {
	case TAR_DIR:
		return make_dir(ctx, t, e);
	case TAR_FILE:
		return make_file(ctx, t, tar, e);
	case TAR_HARDLINK:
		return make_hardlink(ctx, t, e);
	case TAR_SYMLINK:
		return make_symlink(ctx, t, e);
	case TAR_CHAR:
	case TAR_BLOCK:
	case TAR_FIFO:
		return make_node(ctx, t, e);
	}
	abort();
}

/* ---- the end ---- */

/* deepest first does not matter: setting a time changes no other directory's */
static int finish_dirs(struct extract *x, struct err *e)
{
	for (size_t i = 0; i < x->n_later; i++) {
		const struct later *l = &x->later[i];
		const struct tar_entry t = { .path = l->path };
		struct tar_xattr acl = { .name = (char *)(uintptr_t)DEFAULT_ACL, .value = l->acl, .len = l->acl_len };
		const char *name;
		auto_close int up = beneath_parent(x->root_fd, l->path, &name);
		if (up < 0 && errno == ENOENT)
			continue; /* not on the whitelist */
		if (up < 0)
			return err_sys(e, "rootfs/%s: open its directory", l->path);
		if (l->acl && set_xattr(x, &t, up, *name ? name : ".", &acl, e) < 0)
			return -1;
		if (set_time(up, l->path, &l->mtime, e) < 0 && e->code != ENOENT)
			return -1;
	}
	return 0;
}

static void report(const struct extract *x, const struct lost *l, const char *what)
{
	struct err e;

	if (!l->n || !x->o->warn)
		return;
	err_set(&e, 0, "%zu %s not be kept (%s)", l->n, what, l->first.msg);
	x->o->warn(x->o->ctx, e.msg);
}

struct extract *extract_new(int dir_fd, const struct extract_opts *o, struct err *e)
{
	struct extract *x = calloc(1, sizeof(*x));

	if (!x) {
		err_set(e, ENOMEM, "unpack the image: out of memory");
		return NULL;
	}
	x->o = o;
	x->root_fd = dir_fd;
	x->parent_fd = -1;
	return x;
}

void extract_free(struct extract *x)
{
	if (!x)
		return;
	fd_cleanup(&x->parent_fd);
	for (size_t i = 0; i < x->n_later; i++) {
		free(x->later[i].path);
		free(x->later[i].acl);
	}
	free(x->later);
	free(x);
}

int extract_finish(struct extract *x, struct err *e)
{
	const struct appc_strings *whitelist = x->o->whitelist;

	fd_cleanup(&x->parent_fd);
	if (whitelist && whitelist->n && whitelist_apply(x->root_fd, whitelist, e) < 0)
		return -1;
	if (finish_dirs(x, e) < 0)
		return -1;
	report(x, &x->xattrs, "extended attributes could");
	report(x, &x->devices, "device nodes could");
	return 0;
}

int extract_image(struct source *tar, int dir_fd, const struct extract_opts *o, struct aci_result *res, struct err *e)
{
	struct extract *x = extract_new(dir_fd, o, e);
	const struct aci_handler h = { .ctx = x, .entry = extract_entry };
	const struct aci_bounds bounds = { 0 };
	struct findings f = { 0 };

	int r = !x || aci_read(tar, &bounds, ACI_STRICT, &h, res, &f, e) < 0 ? -1 : extract_finish(x, e);
	findings_free(&f);
	extract_free(x);
	return r;
}

int extract_tree(struct source *tar, int dir_fd, struct err *e)
{
	const struct extract_opts o = { 0 };
	struct aci_result res = { 0 };

	int r = extract_image(tar, dir_fd, &o, &res, e);
	aci_result_free(&res);
	return r;
}
