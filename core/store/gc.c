/* SPDX-License-Identifier: Apache-2.0
 * gc - what no image has, no pod uses and nobody is writing any more
 *
 * Leftovers come from processes that were killed, from power cuts and from images that were removed while pods used
 * them. All is decided under the exclusive lock, so nothing looked at is about to be used; a tree is only renamed
 * there and deleted afterwards, when others may go on. Nothing is unmounted that anybody has open (mount_drop()).
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
#include "core/store/backend.h"
#include "core/store/deps.h"
#include "core/store/internal.h"
#include "core/store/mount.h"
#include "core/store/partial.h"

struct gc {
	struct store               *st;
	const struct store_gc_opts *o;
	bool             counted;
	struct image_ids all;     /* if counted: the images there are */
	struct image_ids kept;    /* what roots in use are made of; of those with dependencies */
	struct image_ids evicted; /* a moment ago, by us: nobody need be told of each of their files */
};

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

static bool has_image(const struct gc *g, const char *id)
{
	return g->counted ? image_ids_has(&g->all, id) : store_has(g->st, "info", id);
}

static bool is_used(const struct gc *g, const char *render_id)
{
	return g->o->render_used && g->o->render_used(g->o->ctx, render_id);
}

/* whether its content has to stay: it exists, or a root that a pod uses is made of it */
static bool has_content(const struct gc *g, const char *id)
{
	return has_image(g, id) || is_used(g, id) || image_ids_has(&g->kept, id);
}

static void say(const struct gc *g, const char *what)
{
	if (g->o->removed)
		g->o->removed(g->o->ctx, what);
}

static void say_of(const struct gc *g, const char *what, const char *name)
{
	struct err text;

	err_set(&text, 0, "%s %s", what, name);
	say(g, text.msg);
}

/* What judges an entry says 0: it stays, 1: it goes, or is gone; -1. */
typedef int judge(const struct gc *g, const char *dir, const char *name, struct err *e);

static int drop(const struct gc *g, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');

	if (!image_ids_has(&g->evicted, slash ? slash + 1 : path))
		say(g, path);
	if (!g->o->dry_run && fd_unlink(g->st->cas_fd, path) < 0 && errno != ENOENT)
		return err_sys(e, "remove the store's %s", path);
	return 1;
}

/* for each entry of a directory of the store; the number of those that stay, or -1 */
static int each(const struct gc *g, const char *dir, judge *fn, struct err *e)
{
	auto_dir_reader struct dir d;
	const struct dirent *de;
	int stay = 0;

	if (store_read_dir(g->st, dir, &d) < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, "read the store's %s", dir);
	while ((de = dir_next(&d))) {
		int r = fn(g, dir, de->d_name, e);
		if (r < 0)
			return -1;
		stay += !r;
	}
	return errno ? err_sys(e, "read the store's %s", dir) : stay;
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

/* used/, name/KEY/: names are image IDs */
static int judge_file(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	struct store_path path = store_path(dir, name);

	if (begins(name, STORE_TMP) ? is_being_written(g, path.s) : !store_is_id(name) || has_image(g, name))
		return 0;
	return drop(g, path.s, e);
}

/* manifest/, blob/sha512/ab/ */
static int judge_content(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	return store_is_id(name) && has_content(g, name) ? 0 : judge_file(g, dir, name, e);
}

/* blob/sha512/, name/: directories of such files, which go when they are empty */
static int judge_dir(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	struct store_path path = store_path(dir, name);

	if (begins(name, STORE_TMP))
		return judge_file(g, dir, name, e);
	int stay = each(g, path.s, *dir == 'b' ? judge_content : judge_file, e);
	if (!stay && !g->o->dry_run)
		unlinkat(g->st->cas_fd, path.s, AT_REMOVEDIR);
	return stay < 0 ? -1 : !stay;
}

/* remote/: records whose image is gone */
static int judge_remote(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	struct store_path path = store_path(dir, name);
	auto_free char *text = NULL;
	struct err ignored, why;
	size_t len;

	if (begins(name, STORE_TMP))
		return drop(g, path.s, e);
	if (fd_read_file(g->st->cas_fd, path.s, 1u << 16, &text, &len, &why) < 0 && why.code == EIO)
		return 0;
	auto_json cJSON *j = text ? json_parse_err(text, len, &ignored) : NULL;
	const char *image = j ? json_str(j, "image") : NULL;
	return image && store_is_id(image) && has_image(g, image) ? 0 : drop(g, path.s, e);
}

/* partial/: of downloads that nobody has gone on with for a day */
static int judge_partial(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	struct store_path path = store_path(dir, name);

	return partial_is_old(g->st->cas_fd, path.s) && !is_being_written(g, path.s) ? drop(g, path.s, e) : 0;
}

/* ---- what was rendered ---- */

/* whether the image whose dependencies a recipe names would be rendered by it today as well */
static bool is_current(const struct gc *g, const char *name)
{
	auto_buf struct buf text = { 0 };
	struct recipe old, now;
	struct render_id rid;
	struct err ignored;
	bool same = false;

	render_id_set(&rid, name);
	if (recipe_load(g->st, &rid, &old, &ignored) < 0)
		return false;
	if (deps_resolve(g->st, &old.images[old.passes[old.n_passes - 1].source], &now, &text, &ignored) == 0) {
		same = !strcmp(now.id.s, name);
		recipe_free(&now);
	}
	recipe_free(&old);
	return same;
}

/* of an index, a tree or a recipe; names that are not ours stay, too */
static bool is_wanted(const struct gc *g, const char *name)
{
	if (!render_id_ok(name) || is_used(g, name))
		return true;
	return store_is_id(name) ? has_image(g, name) : is_current(g, name);
}

static int judge_index(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	struct store_path path = store_path(dir, name);

	if (begins(name, STORE_TMP))
		return is_being_written(g, path.s) ? 0 : drop(g, path.s, e);
	return is_wanted(g, name) ? 0 : drop(g, path.s, e);
}

static int judge_recipe(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	return begins(name, STORE_TMP) || !is_wanted(g, name) ? drop(g, store_path(dir, name).s, e) : 0;
}

/* An image that no pod uses need not be mounted. One that cannot be unmounted must not end the collection. */
static int judge_mount(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	struct store_path path = store_path(dir, name);
	(void)e;

	if (!render_id_ok(name) || is_used(g, name))
		return 0;
	if (g->o->dry_run) {
		say_of(g, "mount", name);
		return 0;
	}
	struct err why;
	int gone = mount_drop(g->st->cas_fd, path.s, &why);
	if (gone < 0)
		store_warn(g->st, "%s", why.msg);
	if (gone > 0)
		say_of(g, "mount", name);
	return gone > 0;
}

/* A tree besides an index is one of a time when mounts did not work. */
static bool is_superfluous(const struct gc *g, const char *name)
{
	struct render_backend b;
	struct err ignored;

	return store_has(g->st, "index", name) && !is_used(g, name) &&
	       backend_choose(g->st, false, &b, &ignored) == 0 && b.mode != RENDER_TREE;
}

/* Under the exclusive lock nobody renders, so a temporary tree is a leftover as well. */
static int judge_tree(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	struct store_path path = store_path(dir, name), trash = store_path(dir, STORE_TRASH);
	size_t n = strlen(trash.s);

	if (begins(name, STORE_TRASH) ||
	    (!begins(name, STORE_TMP) && is_wanted(g, name) && !is_superfluous(g, name)))
		return 0;
	if (begins(name, STORE_TMP))
		say(g, path.s);
	else
		say_of(g, "tree", name);
	if (g->o->dry_run)
		return 1;
	snprintf(trash.s + n, sizeof(trash.s) - n, "%.200s", begins(name, STORE_TMP) ? name + 1 : name);
	if (renameat(g->st->cas_fd, path.s, g->st->cas_fd, trash.s) == 0 || errno == ENOENT)
		return 1;
	/* one of that name is on its way out already */
	if (errno == ENOTEMPTY || errno == EEXIST)
		return fd_remove_tree(g->st->cas_fd, path.s, e) < 0 ? -1 : 1;
	return err_sys(e, "remove the store's %s", path.s);
}

static int empty_trash(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	return begins(name, STORE_TRASH) ? fd_remove_tree(g->st->cas_fd, store_path(dir, name).s, e) : 0;
}

/* ---- what pods use ---- */

/* recipe/, of roots with dependencies. Whoever cannot be read keeps nothing: it could not be rendered either. */
static int keep(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	struct gc *out = (struct gc *)(uintptr_t)g;
	struct render_id rid;
	struct recipe r;
	struct err why;
	(void)dir;

	if (!render_id_ok(name) || !is_used(g, name))
		return 0;
	render_id_set(&rid, name);
	if (recipe_load(g->st, &rid, &r, &why) < 0) {
		if (why.code != ENOENT && why.code != EBADMSG)
			return err_set(e, why.code, "%s", why.msg);
		store_warn(g->st, "%s", why.msg);
		return 0;
	}
	int kept = image_ids_add(&out->kept, r.images, r.n_images, e);
	recipe_free(&r);
	return kept;
}

static int collect_kept(struct gc *g, struct err *e)
{
	if (each(g, "recipe", keep, e) < 0)
		return -1;
	image_ids_sort(&g->kept);
	return 0;
}

/* ---- in order ---- */

/* cas/ itself: what fd_publish() left */
static int judge_top(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	(void)dir;
	return begins(name, STORE_TMP) ? drop(g, name, e) : 0;
}

/*
 * Nobody has the store open but us, so what was decided by looking at all of it is still right. One fsync() for all: if
 * the power goes before that, some of them may be there again, and whole.
 */
static int evict(struct gc *g, int info_fd, struct err *e)
{
	if (!g->o->evict || g->o->evict(g->o->ctx, &g->evicted, e) < 0)
		return g->o->evict ? -1 : 0;
	for (size_t i = 0; !g->o->dry_run && i < g->evicted.n; i++)
		if (unlinkat(info_fd, g->evicted.v[i].s, 0) < 0 && errno != ENOENT)
			return err_sys(e, "remove image %s", g->evicted.v[i].s);
	if (g->evicted.n && !g->o->dry_run && fsync(info_fd) < 0)
		return err_sys(e, "sync the store's info");
	image_ids_sort(&g->evicted);
	return 0;
}

/* mounts first: what is mounted still has the files */
static int sweep(struct gc *g, struct err *e)
{
	auto_close int lock = store_publish_lock(g->st, e); /* a descriptor of info/ */

	if (lock < 0 || evict(g, lock, e) < 0 || store_ids(g->st, &g->all, e) < 0)
		return -1;
	g->counted = true;
	if (collect_kept(g, e) < 0)
		return -1;
	if (each(g, ".", judge_top, e) < 0 || each(g, "mnt", judge_mount, e) < 0 ||
	    each(g, "info", judge_info, e) < 0 || each(g, "manifest", judge_content, e) < 0 ||
	    each(g, "used", judge_file, e) < 0 || each(g, "name", judge_dir, e) < 0 ||
	    each(g, "blob/sha512", judge_dir, e) < 0 || each(g, "remote", judge_remote, e) < 0 ||
	    each(g, PARTIAL_DIR, judge_partial, e) < 0 ||
	    each(g, "index", judge_index, e) < 0 || each(g, "tree", judge_tree, e) < 0)
		return -1;
	return each(g, "recipe", judge_recipe, e) < 0 ? -1 : 0;
}

static void forget(struct gc *g)
{
	image_ids_free(&g->all);
	image_ids_free(&g->kept);
	image_ids_free(&g->evicted);
}

int store_gc(struct store *st, const struct store_gc_opts *o, struct err *e)
{
	struct gc g = { .st = st, .o = o };

	if (st->cas_fd < 0)
		return 0;
	if (st->lent)
		return err_set(e, EBUSY, "collect the store: a root of it is in use");
	/* somebody may have removed what he took for empty and useless */
	if (store_make_kind(st, "tree", e) < 0)
		return -1;
	auto_close int turn = store_open_file(st, "tree", O_RDONLY | O_DIRECTORY);
	if (turn < 0 || st->lock_fd < 0)
		return err_sys(e, "collect the store");
	/* let go first: two collectors that each waited for the other's share would wait for ever */
	lock_drop(st->lock_fd);
	int r = lock_wait(turn, LOCK_EXCLUSIVE, e);
	if (r == 0 && (r = lock_wait(st->lock_fd, LOCK_EXCLUSIVE, e)) == 0)
		r = sweep(&g, e);
	forget(&g);
	struct err ignored;
	if (lock_wait(st->lock_fd, LOCK_SHARED, r == 0 ? e : &ignored) < 0)
		r = -1;
	if (r == 0 && !o->dry_run && each(&g, "tree", empty_trash, e) < 0)
		r = -1;
	return r < 0 ? err_wrap(e, "collect the store") : 0;
}

/* ---- one image ---- */

static int drop_root(const struct gc *g, const char *name, struct err *e)
{
	if (judge_mount(g, "mnt", name, e) < 0)
		return -1;
	return store_has(g->st, "index", name) && drop(g, store_path("index", name).s, e) < 0 ? -1 : 0;
}

/* recipe/: roots that the image is a part of. They can come again only with the image. */
static int discard_root(const struct gc *g, const char *dir, const char *name, struct err *e)
{
	(void)dir;
	return render_id_ok(name) && !is_wanted(g, name) ? drop_root(g, name, e) : 0;
}

static int discard(const struct gc *g, struct image_id *ids, size_t *n, struct err *e)
{
	size_t stay = 0;

	for (size_t i = 0; i < *n; i++) {
		if (has_image(g, ids[i].s)) /* fetched again meanwhile */
			continue;
		if (has_content(g, ids[i].s))
			ids[stay++] = ids[i];
		else if (drop_root(g, ids[i].s, e) < 0 || store_drop_content(g->st, &ids[i], e) < 0)
			return -1;
	}
	*n = stay;
	return each(g, "recipe", discard_root, e) < 0 ? -1 : 0;
}

static int discard_locked(struct gc *g, struct image_id *ids, size_t *n, struct err *e)
{
	auto_close int lock = store_publish_lock(g->st, e);

	return lock < 0 || collect_kept(g, e) < 0 ? -1 : discard(g, ids, n, e);
}

int store_discard(struct store *st, const struct store_gc_opts *o, struct image_id *ids, size_t *n, struct err *e)
{
	struct gc g = { .st = st, .o = o };

	if (!*n || st->lent || st->lock_fd < 0)
		return 0;
	/* our own share is let go first: two that do this at once would wait for each other */
	lock_drop(st->lock_fd);
	int r = store_lock_for_a_while(st->lock_fd, e);
	if (r > 0)
		r = discard_locked(&g, ids, n, e);
	forget(&g);
	struct err ignored;
	if (lock_wait(st->lock_fd, LOCK_SHARED, r < 0 ? &ignored : e) < 0)
		r = -1;
	return r < 0 ? err_wrap(e, "remove what images have left") : 0;
}
