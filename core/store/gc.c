/* SPDX-License-Identifier: Apache-2.0
 * gc - what no image has and nobody is writing any more
 *
 * Leftovers come from processes that were killed, from power cuts and from images that were removed while
 * pods used their trees. All is decided under the exclusive lock, so nothing looked at is about to be used; a
 * tree is only renamed there and deleted afterwards, when others may go on.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/base/lock.h"
#include "core/store/internal.h"

struct gc {
	struct store               *st;
	const struct store_gc_opts *o;
};

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool has_image(const struct gc *g, const char *id)
{
	return store_has(g->st, "info", id);
}

static void say(const struct gc *g, const char *what)
{
	if (g->o->removed)
		g->o->removed(g->o->ctx, what);
}

static int drop(const struct gc *g, const char *path, struct err *e)
{
	say(g, path);
	if (!g->o->dry_run && unlinkat(g->st->cas_fd, path, 0) < 0 && errno != ENOENT)
		return err_sys(e, "remove the store's %s", path);
	return 0;
}

/* calls @judge for each entry of a directory of the store */
static int each(const struct gc *g, const char *dir,
		int (*judge)(const struct gc *g, const char *dir, const char *name, struct err *e), struct err *e)
{
	struct dirent *de;
	auto_dir DIR *d = store_open_list(g->st, dir);

	if (!d)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "read the store's %s", dir);
	while (errno = 0, (de = readdir(d)))
		if (strcmp(de->d_name, ".") && strcmp(de->d_name, "..") && judge(g, dir, de->d_name, e) < 0)
			return -1;
	return errno ? err_sys(e, "read the store's %s", dir) : 0;
}

/* an import that streams holds no lock of the store, only the one on its file */
static bool is_being_written(const struct gc *g, const char *path)
{
	struct err ignored;
	auto_close int fd = store_open_file(g->st, path, O_RDONLY | O_NONBLOCK);

	return fd >= 0 && lock_try(fd, LOCK_EXCLUSIVE, &ignored) == 0;
}

/* info/: only what fd_publish() left; the rest of the directory is the list of images */
static int judge_info(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	return begins(name, STORE_TMP) ? drop(g, store_path(dir, name).s, e) : 0;
}

/* manifest/, used/, blob/sha512/ab/, name/KEY/: names are image IDs */
static int judge_file(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	struct store_path path = store_path(dir, name);

	if (begins(name, STORE_TMP) ? is_being_written(g, path.s) : !store_is_id(name) || has_image(g, name))
		return 0;
	return drop(g, path.s, e);
}

/* blob/sha512/, name/: directories of such files, which go when they are empty */
static int judge_dir(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	struct store_path path = store_path(dir, name);

	if (begins(name, STORE_TMP))
		return judge_file(g, dir, name, e);
	if (each(g, path.s, judge_file, e) < 0)
		return -1;
	if (!g->o->dry_run)
		unlinkat(g->st->cas_fd, path.s, AT_REMOVEDIR);
	return 0;
}

/* remote/: records whose image is gone */
static int judge_remote(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	struct store_path path = store_path(dir, name);
	auto_free char *text = NULL;
	struct err ignored;
	size_t len;

	if (begins(name, STORE_TMP))
		return drop(g, path.s, e);
	auto_json cJSON *j = fd_read_file(g->st->cas_fd, path.s, 1u << 16, &text, &len, &ignored) < 0 ? NULL :
		json_parse_err(text, len, &ignored);
	const char *image = j ? json_str(j, "image") : NULL;
	return image && store_is_id(image) && has_image(g, image) ? 0 : drop(g, path.s, e);
}

/* ---- trees ---- */

static bool is_used(const struct gc *g, const char *name)
{
	struct image_id id;

	if (has_image(g, name))
		return true;
	snprintf(id.s, sizeof(id.s), "%s", name);
	return g->o->tree_used && g->o->tree_used(g->o->ctx, &id);
}

/* Under the exclusive lock nobody renders, so a temporary tree is a leftover as well. */
static int judge_tree(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	struct store_path path = store_path(dir, name), trash = store_path(dir, STORE_TRASH);
	size_t n = strlen(trash.s);

	if (begins(name, STORE_TRASH) || (store_is_id(name) ? is_used(g, name) : !begins(name, STORE_TMP)))
		return 0;
	if (store_is_id(name)) {
		struct err what;
		err_set(&what, 0, "tree %s", name);
		say(g, what.msg);
	} else {
		say(g, path.s);
	}
	if (g->o->dry_run)
		return 0;
	snprintf(trash.s + n, sizeof(trash.s) - n, "%.200s", begins(name, STORE_TMP) ? name + 1 : name);
	if (renameat(g->st->cas_fd, path.s, g->st->cas_fd, trash.s) == 0)
		return 0;
	/* one of that name is on its way out already */
	if (errno == ENOTEMPTY || errno == EEXIST)
		return fd_remove_tree(g->st->cas_fd, path.s, e);
	return errno == ENOENT ? 0 : err_sys(e, "remove the store's %s", path.s);
}

static int empty_trash(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	return begins(name, STORE_TRASH) ? fd_remove_tree(g->st->cas_fd, store_path(dir, name).s, e) : 0;
}

/* ---- in order ---- */

static int sweep(const struct gc *g, struct err *e)
{
	auto_close int lock = store_publish_lock(g->st, e);

	if (lock < 0)
		return -1;
	if (each(g, "info", judge_info, e) < 0 || each(g, "manifest", judge_file, e) < 0 ||
	    each(g, "used", judge_file, e) < 0 || each(g, "name", judge_dir, e) < 0 ||
	    each(g, "blob/sha512", judge_dir, e) < 0 || each(g, "remote", judge_remote, e) < 0)
		return -1;
	return each(g, "tree", judge_tree, e);
}

int store_gc(struct store *st, const struct store_gc_opts *o, struct err *e)
{
	const struct gc g = { .st = st, .o = o };

	if (st->cas_fd < 0)
		return 0;
	if (st->lent)
		return err_set(e, EBUSY, "collect the store: a tree of it is in use");
	auto_close int turn = store_open_file(st, "tree", O_RDONLY | O_DIRECTORY);
	if (turn < 0 && errno == ENOENT)
		return 0;
	if (turn < 0 || st->lock_fd < 0)
		return err_sys(e, "collect the store");
	/* let go first: two collectors that each waited for the other's share would wait for ever */
	lock_drop(st->lock_fd);
	int r = lock_wait(turn, LOCK_EXCLUSIVE, e);
	if (r == 0 && (r = lock_wait(st->lock_fd, LOCK_EXCLUSIVE, e)) == 0)
		r = sweep(&g, e);
	struct err ignored;
	if (lock_wait(st->lock_fd, LOCK_SHARED, r == 0 ? e : &ignored) < 0)
		r = -1;
	if (r == 0 && !o->dry_run)
		r = each(&g, "tree", empty_trash, e);
	return r < 0 ? err_wrap(e, "collect the store") : 0;
}
