/* SPDX-License-Identifier: Apache-2.0
 * render - see render.h
 *
 * An index, a mount or a tree gets its name when all of it is there, so what has its name is whole. The lock on the
 * image's archive lets one process make it while others wait and then find it done.
 */
#include "core/store/render.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/hash.h"
#include "core/base/lock.h"
#include "core/base/rootless.h"
#include "core/store/backend.h"
#include "core/store/compose.h"
#include "core/store/deps.h"
#include "core/store/internal.h"
#include "core/store/mount.h"

/* ---- what is there ---- */

static int open_tree(struct store *st, const struct render_id *rid)
{
	return store_open_file(st, store_path(store_path("tree", rid->s).s, "rootfs").s, O_PATH | O_DIRECTORY);
}

static int open_mount(struct store *st, const struct render_id *rid)
{
	if (st->cas_fd >= 0)
		return mount_open(st->cas_fd, store_path("mnt", rid->s).s);
	errno = ENOENT;
	return -1;
}

/*
 * Where mounts work a tree is used only when there is no index to mount: it is from before there were any, or an
 * index cannot hold it. Otherwise gc takes it away when the last pod that uses it is gone.
 */
static int open_ready(struct store *st, const struct render_id *rid, const struct render_backend *b)
{
	int fd = b->mode == RENDER_TREE ? -1 : open_mount(st, rid);

	if (fd < 0 && (b->mode == RENDER_TREE || (!b->forced && !store_has(st, "index", rid->s))))
		fd = open_tree(st, rid);
	return fd;
}

bool render_is_ready(struct store *st, const struct render_id *rid)
{
	struct render_backend b;
	struct err ignored;
	auto_close int fd = backend_choose(st, false, &b, &ignored) < 0 ? -1 : open_ready(st, rid, &b);

	return fd >= 0;
}

/*
 * What is there goes to *@fd, else it is -1 and @b says how to make it. What is mounted needs nobody who says how it
 * could be, so that a start reads no files about that; unless a way is forced, for it may be mounted in another.
 */
static int look(struct store *st, const struct render_id *rid, int *fd, struct render_backend *b, struct err *e)
{
	*fd = st->render.mode == RENDER_AUTO ? open_mount(st, rid) : -1;
	if (*fd >= 0)
		return 0;
	if (backend_choose(st, false, b, e) < 0)
		return -1;
	*fd = open_ready(st, rid, b);
	return 0;
}

/* ---- trees ---- */

static void forward_warning(void *ctx, const char *text)
{
	store_warn(ctx, "%s", text);
}

static int fill_tree(const struct compose *c, const char *tmp, struct err *e)
{
	struct store_path root = store_path(tmp, "rootfs");
	int cas_fd = c->st->cas_fd;

	if (mkdirat(cas_fd, tmp, 0700) < 0 || mkdirat(cas_fd, root.s, 0755) < 0)
		return err_sys(e, "create the store's %s", tmp);
	auto_close int dir_fd = store_open_file(c->st, root.s, O_RDONLY | O_DIRECTORY);
	if (dir_fd < 0)
		return err_sys(e, "open the store's %s", root.s);
	struct tree *t = compose_tree(c, e);
	const struct extract_opts o = {
		.fds = c->fds, .n_fds = c->r->n_images, .squash = rootless_is_user(), .ctx = c->st, .warn = forward_warning,
	};
	int r = t ? extract_tree(t, dir_fd, &o, e) : -1;
	tree_free(t);
	if (r < 0)
		return -1;
	/* one for all files; a rename that reached the disk before them would make a tree of empty files */
	if (syncfs(dir_fd) < 0)
		return err_sys(e, "write the tree to disk");
	if (renameat(cas_fd, tmp, cas_fd, store_path("tree", c->r->id.s).s) < 0)
		return err_sys(e, "rename the tree");
	return store_sync_dir(c->st, "tree", e);
}

static int make_tree(const struct compose *c, struct err *e)
{
	struct store_path tmp;
	struct err ignored;
	int fd = open_tree(c->st, &c->r->id);

	/* there although it was not looked for: mounts are the way here, and this one failed */
	if (fd >= 0)
		return fd;
	snprintf(tmp.s, sizeof(tmp.s), "tree/" STORE_TMP "%s", c->r->id.s);
	/* of a process that died here: we hold the image's lock */
	if (fd_remove_tree(c->st->cas_fd, tmp.s, e) < 0)
		return -1;
	if (fill_tree(c, tmp.s, e) == 0)
		return open_tree(c->st, &c->r->id);
	fd_remove_tree(c->st->cas_fd, tmp.s, &ignored);
	return -1;
}

/* ---- mounts ---- */

/* the index, made anew unless there is one that is right */
static int get_index(const struct compose *c, struct err *e)
{
	struct err why;
	int fd = index_open(c, &why);

	if (fd >= 0)
		return fd;
	if (why.code != ENOENT && why.code != ESTALE)
		store_warn(c->st, "index of image %.24s is made again: %s", c->r->id.s, why.msg);
	return compose_index(c, e) < 0 ? -1 : index_open(c, e);
}

static int make_mount(const struct compose *c, enum render_mode mode, struct err *e)
{
	const struct mount_opts o = { .loop = mode == RENDER_LOOP, .direct = c->st->render.direct };
	struct store_path path = store_path("mnt", c->r->id.s);

	auto_close int index_fd = get_index(c, e);
	if (index_fd < 0)
		return -1;
	auto_close int fd = mount_index(index_fd, c->fds, c->r->n_images, &o, e);
	if (fd < 0 || store_make_kind(c->st, "mnt", e) < 0 || mount_attach(fd, c->st->cas_fd, path.s, e) < 0)
		return -1;
	int root_fd = mount_open(c->st->cas_fd, path.s);
	return root_fd < 0 ? err_sys(e, "open the mounted image") : root_fd;
}

/* ---- one of them ---- */

/* trees that an index cannot hold, which is no reason to think worse of mounts */
static bool needs_tree(const struct err *e)
{
	return e->code == EOVERFLOW || e->code == EFBIG;
}

/* about us, the disk or the image, not about what the kernel can do */
static bool is_other_trouble(const struct err *e)
{
	return e->code == EIO || e->code == ENOSPC || e->code == EDQUOT || e->code == ENOMEM || e->code == EMFILE ||
	       e->code == ENFILE || e->code == EBADMSG || e->code == ESTALE || e->code == EROFS;
}

/* What worked when it was tried and does not now is tried out again; who forced a way gets the error. */
static int make(const struct compose *c, const struct render_backend *b, struct err *e)
{
	struct render_backend again;
	struct err why;

	if (b->mode == RENDER_TREE)
		return make_tree(c, e);
	int fd = make_mount(c, b->mode, &why);
	if (fd >= 0)
		return fd;
	*e = why;
	if (b->forced || (!needs_tree(&why) && is_other_trouble(&why)))
		return needs_tree(&why) || is_other_trouble(&why) ? -1 : err_point(e, "erofs erofs-file loop");
	if (!needs_tree(&why)) {
		if (backend_choose(c->st, true, &again, e) < 0)
			return -1;
		if (again.mode != b->mode)
			return make(c, &again, e);
	}
	store_warn(c->st, "image %.24s is unpacked: %s", c->r->id.s, why.msg);
	return make_tree(c, e);
}

static int lock_image(struct store *st, const struct recipe *r, struct err *e)
{
	const struct image_id *id = &r->images[r->passes[r->n_passes - 1].source];
	/* not one of those that are mounted: a loop device would hold the lock as long as it lives */
	auto_close int fd = store_open_file(st, store_path("blob", id->s).s, O_RDONLY);

	if (fd < 0)
		return errno == ENOENT ? err_set(e, ENOENT, "image %s is not in the store", id->s) :
					 err_sys(e, "open image %s", id->s);
	return lock_wait(fd, LOCK_EXCLUSIVE, e) < 0 ? -1 : take_fd(&fd);
}

static int render_recipe(struct store *st, const struct recipe *r, const struct render_backend *b, struct err *e)
{
	struct compose c;
	auto_close int lock = lock_image(st, r, e);

	if (lock < 0)
		return -1;
	int fd = open_ready(st, &r->id, b);
	if (fd >= 0)
		return fd;
	fd = compose_open(&c, st, r, e) < 0 ? -1 : make(&c, b, e);
	compose_close(&c);
	for (size_t i = 0; fd >= 0 && i < r->n_images; i++)
		store_touch(st, &r->images[i]);
	return fd;
}

/* ---- whether the archives are what they were ---- */

/* what was removed while a pod uses it has no record that could tell */
static int verify_one(struct store *st, const struct image_id *id, struct err *e)
{
	struct err why;

	if (verify_image(st, id, &why) == 0 || why.code == ENOENT)
		return 0;
	*e = why;
	return -1;
}

static int verify_recipe(struct store *st, const struct recipe *r, struct err *e)
{
	for (size_t i = 0; i < r->n_images; i++)
		if (verify_one(st, &r->images[i], e) < 0)
			return -1;
	return 0;
}

/* ---- the ways in ---- */

/* from here on the store cannot be collected by this process */
static int lend(struct store *st, int fd)
{
	st->lent |= fd >= 0;
	return fd;
}

static int render_by_id(struct store *st, const struct render_id *rid, struct err *e)
{
	struct render_backend b;
	struct recipe r;
	int fd = -1;

	if (recipe_load(st, rid, &r, e) < 0)
		return -1;
	if (verify_recipe(st, &r, e) == 0 && look(st, rid, &fd, &b, e) == 0 && fd < 0)
		fd = render_recipe(st, &r, &b, e);
	recipe_free(&r);
	return fd;
}

int render_again(struct store *st, const struct render_id *rid, struct err *e)
{
	if (!render_id_ok(rid->s))
		return err_set(e, EINVAL, "\"%.150s\" is not the ID of a rendered image", rid->s);
	int fd = render_by_id(st, rid, e);
	return fd < 0 ? err_wrap(e, "render image %.24s", rid->s) : lend(st, fd);
}

static int render_new(struct store *st, const struct image_id *id, struct render_id *rid,
		      const struct render_backend *b, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct recipe r;
	int fd = -1;

	if (deps_resolve(st, id, &r, &text, e) < 0)
		return -1;
	*rid = r.id;
	/* first: what carries a render ID must say what it is made of */
	if ((!text.len || recipe_save(st, &r.id, &text, e) == 0) && verify_recipe(st, &r, e) == 0)
		fd = render_recipe(st, &r, b, e);
	recipe_free(&r);
	return fd;
}

int render_image(struct store *st, const struct image_id *id, struct render_id *rid, struct err *e)
{
	struct render_backend b;
	struct render_id own;
	struct render_id *out = rid ? rid : &own;
	int fd;

	render_id_set(out, id->s);
	/* nothing that has dependencies is found by the ID of an image */
	if (verify_one(st, id, e) < 0 || look(st, out, &fd, &b, e) < 0)
		return err_wrap(e, "render image %.19s", id->s);
	if (fd < 0)
		fd = render_new(st, id, out, &b, e);
	return fd < 0 ? err_wrap(e, "render image %.19s", id->s) : lend(st, fd);
}

int render_each_image(struct store *st, const char *render_id,
		      int (*fn)(void *ctx, const struct image_id *id, struct err *e), void *ctx, struct err *e)
{
	struct render_id rid;
	struct recipe r;
	int ret = 0;

	if (!render_id_ok(render_id))
		return err_set(e, EINVAL, "\"%.150s\" is not the ID of a rendered image", render_id);
	render_id_set(&rid, render_id);
	if (render_id_is_image(&rid))
		return 0;
	if (recipe_load(st, &rid, &r, e) < 0)
		return -1;
	for (size_t i = 0; ret == 0 && i < r.n_images; i++)
		ret = fn(ctx, &r.images[i], e);
	recipe_free(&r);
	return ret;
}

struct render_parts render_parts(struct store *st, const struct render_id *rid)
{
	auto_close int mounted = open_mount(st, rid);
	auto_close int tree = open_tree(st, rid);

	return (struct render_parts){
		.index = store_has(st, "index", rid->s), .mounted = mounted >= 0, .tree = tree >= 0,
	};
}

static bool has_blobs(const struct store *st, const struct recipe *r)
{
	for (size_t i = 0; i < r->n_images; i++)
		if (!store_has(st, "blob", r->images[i].s))
			return false;
	return true;
}

int render_is_possible(struct store *st, const char *render_id, struct err *e)
{
	struct render_id rid;
	struct recipe r;

	if (!render_id_ok(render_id))
		return 0;
	render_id_set(&rid, render_id);
	auto_close int tree_fd = open_tree(st, &rid);
	if (tree_fd >= 0)
		return 1;
	if (recipe_load(st, &rid, &r, e) < 0)
		return e->code == ENOENT || e->code == EBADMSG ? 0 : -1;
	bool possible = has_blobs(st, &r);
	recipe_free(&r);
	return possible;
}

int render_missing(struct store *st, const struct image_id *id, void (*tell)(void *ctx, const char *what), void *ctx,
		   struct err *e)
{
	return deps_missing(st, id, tell, ctx, e);
}

void render_leave(const char *cas)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/mnt", cas);

	if (n > 0 && (size_t)n < sizeof(path))
		mount_leave(path);
}

static int extract_blob(struct store *st, const struct image_id *id, int blob_fd, int dir_fd, struct err *e)
{
	const struct extract_opts o = { .fds = &blob_fd, .n_fds = 1, .no_owner = rootless_is_user(), .ctx = st, .warn = forward_warning };
	struct aci_result res = { 0 };

	struct tree *t = image_tree(blob_fd, NULL, dir_fd, &res, e);
	int r = compose_check(st, id, t ? 0 : -1, &res, e);
	if (r == 0)
		r = extract_tree(t, dir_fd, &o, e);
	tree_free(t);
	aci_result_free(&res);
	return r;
}

int render_extract(struct store *st, const struct image_id *id, int dir_fd, struct err *e)
{
	auto_close int blob_fd = store_blob(st, id, e);

	if (blob_fd < 0 || extract_blob(st, id, blob_fd, dir_fd, e) < 0)
		return err_wrap(e, "extract image %.19s", id->s);
	return 0;
}

static int unpack_recipe(struct store *st, const struct recipe *r, int dir_fd, struct err *e)
{
	struct compose c;
	struct tree *t = compose_open(&c, st, r, e) < 0 ? NULL : compose_tree(&c, e);
	const struct extract_opts o = {
		.fds = c.fds, .n_fds = r->n_images, .no_owner = true, .ctx = st, .warn = forward_warning,
	};
	int ret = t ? extract_tree(t, dir_fd, &o, e) : -1;

	tree_free(t);
	compose_close(&c);
	return ret;
}

int render_unpack(struct store *st, const struct image_id *id, int dir_fd, struct err *e)
{
	auto_buf struct buf text = { 0 };
	struct recipe r;

	if (deps_resolve(st, id, &r, &text, e) < 0)
		return err_wrap(e, "render image %.19s", id->s);
	int ret = verify_recipe(st, &r, e) < 0 ? -1 : unpack_recipe(st, &r, dir_fd, e);
	recipe_free(&r);
	return ret < 0 ? err_wrap(e, "render image %.19s", id->s) : 0;
}
