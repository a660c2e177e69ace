/* SPDX-License-Identifier: Apache-2.0
 * render - an image's root file system, by extraction into tree/
 *
 * A tree gets its name when all of it is on disk, so a tree that has its name is whole and stays as it is.
 * The lock on the blob lets one process do it while others wait and then find it done. The pass that reads what
 * is to be unpacked also hashes: a blob that is not what was imported never becomes a tree.
 */
#include "core/store/render.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/hash.h"
#include "core/base/lock.h"
#include "core/store/internal.h"

static struct store_path root_path(const struct image_id *id)
{
	return store_path(store_path("tree", id->s).s, "rootfs");
}

static int open_ready(struct store *st, const struct image_id *id)
{
	return store_open_file(st, root_path(id).s, O_PATH | O_DIRECTORY);
}

bool render_is_ready(struct store *st, const struct image_id *id)
{
	auto_close int fd = open_ready(st, id);

	return fd >= 0;
}

static int check_digest(const struct image_id *id, const struct aci_result *res, struct err *e)
{
	char hex[HASH_SHA512_HEX + 1];

	hash_hex(res->digest, sizeof(res->digest), hex);
	if (!strcmp(hex, id->s + strlen(IMAGE_ID_PREFIX)))
		return 0;
	return err_set(e, EBADMSG, "its content in the store is damaged, it hashes to sha512-%.32s... (remove the image "
		       "and fetch it again)", hex);
}

static void forward_warning(void *ctx, const char *text)
{
	store_warn(ctx, "%s", text);
}

/* An archive that was good when it was imported and is not now has changed in the store; better to say that. */
static int explain(struct store *st, const struct image_id *id, struct err *e)
{
	struct err why;

	if (e->code != ENOSPC && e->code != EDQUOT && e->code != ENOMEM && e->code != EIO &&
	    store_verify(st, id, &why) < 0 && why.code == EBADMSG)
		*e = why;
	return -1;
}

static int extract_into(struct store *st, const struct image_id *id, int blob_fd, int dir_fd,
			const struct appc_strings *whitelist, struct err *e)
{
	const struct extract_opts o = { .fds = &blob_fd, .n_fds = 1, .ctx = st, .warn = forward_warning };
	struct aci_result res = { 0 };

	struct tree *t = image_tree(blob_fd, whitelist, dir_fd, &res, e);
	int r = t ? check_digest(id, &res, e) : explain(st, id, e);
	if (r == 0 && extract_tree(t, dir_fd, &o, e) < 0)
		r = explain(st, id, e);
	tree_free(t);
	aci_result_free(&res);
	return r;
}

static int fill_tree(struct store *st, const struct image_id *id, int blob_fd, const char *tmp,
		     const struct appc_strings *whitelist, struct err *e)
{
	struct store_path root = store_path(tmp, "rootfs");

	if (mkdirat(st->cas_fd, tmp, 0700) < 0 || mkdirat(st->cas_fd, root.s, 0755) < 0)
		return err_sys(e, "create the store's %s", tmp);
	auto_close int dir_fd = store_open_file(st, root.s, O_RDONLY | O_DIRECTORY);
	if (dir_fd < 0)
		return err_sys(e, "open the store's %s", root.s);
	if (extract_into(st, id, blob_fd, dir_fd, whitelist, e) < 0)
		return -1;
	/* one for all files; a rename that reached the disk before them would make a tree of empty files */
	if (syncfs(dir_fd) < 0)
		return err_sys(e, "write the tree to disk");
	if (renameat(st->cas_fd, tmp, st->cas_fd, store_path("tree", id->s).s) < 0)
		return err_sys(e, "rename the tree");
	return store_sync_dir(st, "tree", e);
}

static int make_tree(struct store *st, const struct image_id *id, int blob_fd, const struct appc_strings *whitelist,
		     struct err *e)
{
	struct store_path tmp;
	struct err ignored;

	snprintf(tmp.s, sizeof(tmp.s), "tree/" STORE_TMP "%s", id->s);
	/* of a process that died here: we hold the image's lock */
	if (fd_remove_tree(st->cas_fd, tmp.s, e) < 0)
		return -1;
	if (fill_tree(st, id, blob_fd, tmp.s, whitelist, e) == 0)
		return 0;
	fd_remove_tree(st->cas_fd, tmp.s, &ignored);
	return -1;
}

static int check_dependencies(const struct image_manifest *m, struct err *e)
{
	if (!m->dependencies.n)
		return 0;
	return err_set(e, ENOTSUP, "it has dependencies (%s%s), and images with dependencies cannot be rendered by this "
		       "version", m->dependencies.v[0].image_name, m->dependencies.n > 1 ? ", ..." : "");
}

static int render_new(struct store *st, const struct image_id *id, struct err *e)
{
	struct image_manifest m;
	int r = -1;

	if (store_manifest(st, id, &m, e) < 0)
		return -1;
	auto_close int blob_fd = check_dependencies(&m, e) < 0 ? -1 : store_blob(st, id, e);
	if (blob_fd >= 0 && lock_wait(blob_fd, LOCK_EXCLUSIVE, e) == 0)
		r = render_is_ready(st, id) ? 0 : make_tree(st, id, blob_fd, &m.path_whitelist, e);
	image_manifest_free(&m);
	return r;
}

int render_extract(struct store *st, const struct image_id *id, int dir_fd, struct err *e)
{
	auto_close int blob_fd = store_blob(st, id, e);

	if (blob_fd < 0 || extract_into(st, id, blob_fd, dir_fd, NULL, e) < 0)
		return err_wrap(e, "extract image %.19s", id->s);
	return 0;
}

int render_image(struct store *st, const struct image_id *id, struct err *e)
{
	int fd = open_ready(st, id);

	if (fd < 0 && errno == ENOENT) {
		if (render_new(st, id, e) < 0)
			return err_wrap(e, "render image %.19s", id->s);
		fd = open_ready(st, id);
	}
	if (fd < 0)
		return err_sys(e, "open the tree of image %.19s", id->s);
	st->lent = true;
	return fd;
}
