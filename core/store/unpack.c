/* SPDX-License-Identifier: Apache-2.0
 * unpack - see unpack.h
 *
 * The first pass checks, and makes of the entries the tree that extraction works from; content is fetched from the tar
 * then, so that of a compressed image is kept meanwhile.
 */
#include "core/store/unpack.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/store/internal.h"

struct unpack {
	const struct unpack_opts *o;
	int                       dir_fd;
	bool                      seekable; /* the file itself can be read again, from its beginning */
	int                       spool_fd; /* the tar of one that cannot; -1: not needed so far */
	struct aci_result         res;
	struct tree              *tree;
};

/* ---- the pass ---- */

static int open_spool(struct unpack *u, struct err *e)
{
	u->spool_fd = openat(u->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (u->spool_fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return u->spool_fd < 0 ? err_sys(e, "create a temporary file") : 0;
	u->spool_fd = openat(u->dir_fd, STORE_TMP, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (u->spool_fd < 0 || unlinkat(u->dir_fd, STORE_TMP, 0) < 0)
		return err_sys(e, "create a temporary file");
	return 0;
}

static int tap(void *ctx, const uint8_t *p, size_t len, struct err *e)
{
	struct unpack *u = ctx;

	if (u->seekable && u->res.format == INFLATE_NONE)
		return 0;
	if (u->spool_fd < 0 && open_spool(u, e) < 0)
		return -1;
	return fd_write_all(u->spool_fd, p, len) < 0 ? err_sys(e, "write a temporary file") : 0;
}

static int entry(void *ctx, const struct tar_entry *t, struct tar *tar, struct err *e)
{
	struct unpack *u = ctx;

	if ((t->type == TAR_CHAR || t->type == TAR_BLOCK) && !u->o->devices)
		return err_set(e, ENODEV, "rootfs/%.300s: is a device node (%s %u:%u), refused by rule aci-device", t->path,
			       t->type == TAR_CHAR ? "character" : "block", t->rdev_major, t->rdev_minor);
	return image_tree_add(u->tree, t, tar, e);
}

static void progress(void *ctx, uint64_t in_bytes)
{
	const struct unpack_opts *o = ((struct unpack *)ctx)->o;

	if (o->progress)
		o->progress(o->ctx, in_bytes);
}

static int read_image(struct unpack *u, struct source *in, struct findings *f, struct err *e)
{
	static const struct appc_strings everything;
	const struct appc_strings *whitelist = &everything;
	const struct tree_opts o = { .spill_dir_fd = u->dir_fd };
	const struct aci_handler h = { .ctx = u, .tap = tap, .entry = entry, .progress = progress };
	const struct aci_bounds bounds = { 0 };

	u->tree = tree_new(&o, e);
	if (!u->tree || tree_pass(u->tree, 0, &whitelist, 1, e) < 0)
		return -1;
	if (aci_read(in, &bounds, ACI_ALL, &h, &u->res, f, e) < 0 || tree_pass_end(u->tree, e) < 0)
		return -1;
	tree_finish(u->tree);
	return 0;
}

/* ---- and then ---- */

static int make_root(const struct unpack *u, int in_fd, int root_fd, struct err *e)
{
	const int fd = u->spool_fd >= 0 ? u->spool_fd : in_fd;
	const struct extract_opts o = {
		.fds = &fd, .n_fds = 1, .no_owner = u->o->no_owner, .ctx = u->o->ctx, .warn = u->o->warn,
	};

	return extract_tree(u->tree, root_fd, &o, e);
}

static int make_all(const struct unpack *u, int in_fd, struct err *e)
{
	if (u->o->rootfs_only)
		return make_root(u, in_fd, u->dir_fd, e);
	if (fd_publish(u->dir_fd, "manifest", u->res.manifest_text, u->res.manifest_len, 0644, false, e) < 0)
		return -1;
	if (mkdirat(u->dir_fd, "rootfs", 0755) < 0)
		return err_sys(e, "create directory rootfs");
	auto_close int root_fd = fd_open_dir(u->dir_fd, "rootfs", e);
	return root_fd < 0 ? -1 : make_root(u, in_fd, root_fd, e);
}

int unpack_image(struct source *in, int in_fd, int dir_fd, const struct unpack_opts *o, struct findings *f, struct err *e)
{
	struct unpack u = { .o = o, .dir_fd = dir_fd, .seekable = in_fd >= 0, .spool_fd = -1 };

	int r = read_image(&u, in, f, e);
	if (r == 0)
		r = make_all(&u, in_fd, e);
	tree_free(u.tree);
	aci_result_free(&u.res);
	fd_cleanup(&u.spool_fd);
	return r;
}
