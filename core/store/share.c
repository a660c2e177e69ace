/* SPDX-License-Identifier: Apache-2.0
 * share - see share.h
 */
#include "core/store/share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/store/internal.h"

/* Sticky: what root has made in them, which is all that there is, no member can put a link in the place of. */
#define TOP_MODE  03770
#define DIR_MODE  02770
#define FILE_MODE 0440
#define USED_MODE 0660 /* whoever uses an image says so there */

static const struct kind {
	const char *name;
	mode_t      dir_mode, file_mode; /* file_mode 0: what is in it is left alone */
	bool        nested;              /* there are directories in it, and the files are in these */
} kinds[] = {
	{ "cas/blob", TOP_MODE, 0, false },
	{ "cas/blob/sha512", DIR_MODE, FILE_MODE, true },
	{ "cas/manifest", DIR_MODE, FILE_MODE, false },
	{ "cas/remote", DIR_MODE, FILE_MODE, false },
	{ "cas/name", DIR_MODE, FILE_MODE, true },
	{ "cas/used", DIR_MODE, USED_MODE, false },
	{ "cas/index", DIR_MODE, FILE_MODE, false },
	{ "cas/recipe", DIR_MODE, FILE_MODE, false },
	{ "cas/info", DIR_MODE, FILE_MODE, false },
	{ "cas/mnt", 02700, 0, false },
	{ "cas/tree", 02700, 0, false },
};

static int share_files(struct group_set *s, int dir_fd, mode_t mode, struct err *e)
{
	auto_dir_reader struct dir d;
	const struct dirent *de;

	if (dir_open(&d, dir_fd, ".") < 0)
		return err_sys(e, "read a directory of the store");
	while ((de = dir_next(&d)))
		if (group_file(s, d.fd, de->d_name, mode, e) < 0)
			return -1;
	return errno ? err_sys(e, "read a directory of the store") : 0;
}

/* one level of directories, each with files */
static int share_dirs(struct group_set *s, int dir_fd, mode_t mode, struct err *e)
{
	struct group_set quiet = { .gid = s->gid };
	auto_dir_reader struct dir d;
	const struct dirent *de;
	int r = 0;

	if (dir_open(&d, dir_fd, ".") < 0)
		return err_sys(e, "read a directory of the store");
	while (r == 0 && (de = dir_next(&d))) {
		if (de->d_type == DT_REG || de->d_type == DT_LNK)
			continue;
		auto_close int fd = group_dir(&quiet, d.fd, de->d_name, DIR_MODE, e);
		r = fd < 0 ? -1 : share_files(s, fd, mode, e);
	}
	return r == 0 && errno ? err_sys(e, "read a directory of the store") : r;
}

static int share_kind(struct group_set *s, int top_fd, const struct kind *k, struct err *e)
{
	auto_close int fd = group_dir(s, top_fd, k->name, k->dir_mode, e);

	if (fd < 0 || !k->file_mode)
		return fd < 0 ? -1 : 0;
	return k->nested ? share_dirs(s, fd, k->file_mode, e) : share_files(s, fd, k->file_mode, e);
}

/* ---- seals ---- */

/* Another group or mode changes a file's ctime, which its seal is made of: what was whole before is so afterwards. */
struct sealed { struct image_info i; bool blob, index; };

static int reseal(struct store *st, const char *kind, const char *id, struct image_seal *seal)
{
	auto_close int fd = store_open_file(st, store_path(kind, id).s, O_RDONLY);

	return fd < 0 ? -1 : seal_take(fd, seal);
}

static bool index_is_sealed(struct store *st, const struct image_info *i)
{
	struct image_seal now;

	return i->index_seal.ino && reseal(st, "index", i->id.s, &now) == 0 && seal_trusted(&i->index_seal, &now);
}

static void seal_again(struct store *st, struct sealed *l, size_t n)
{
	struct image_info was;
	struct err ignored;

	for (size_t k = 0; k < n; k++) {
		struct image_info *i = &l[k].i;
		/* or it is hashed at the next start */
		if (l[k].blob && !verify_unchanged(st, i) && reseal(st, "blob", i->id.s, &i->seal) == 0 &&
		    (!l[k].index || reseal(st, "index", i->id.s, &i->index_seal) == 0) &&
		    info_read(st, &i->id, &was, &ignored) == 0) {
			image_info_free(&was);
			info_write(st, i, &ignored);
		}
	}
}

/* ---- all of it ---- */

static int share_all(struct store *st, int top_fd, struct group_set *s, struct err *e)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (share_kind(s, top_fd, &kinds[i], e) < 0)
			return -1;
	if (group_file(s, st->cas_fd, "backend", FILE_MODE, e) < 0)
		return -1;
	return group_file(s, st->cas_fd, "lock", 0660, e) < 0 ? -1 : 0;
}

static int share_store(struct store *st, int top_fd, struct group_set *s, struct err *e)
{
	struct image_infos all;
	int r;

	auto_close int lock = store_publish_lock(st, e);
	if (lock < 0 || store_list(st, &all, e) < 0)
		return -1;
	struct sealed *l = calloc(all.n + 1, sizeof(*l));
	for (size_t k = 0; l && k < all.n; k++)
		l[k] = (struct sealed){ all.v[k], verify_unchanged(st, &all.v[k]), index_is_sealed(st, &all.v[k]) };
	r = l ? share_all(st, top_fd, s, e) : err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		seal_again(st, l, all.n);
	free(l);
	image_infos_free(&all);
	return r;
}

int store_share(const char *dir, struct group_set *s, struct err *e)
{
	struct store *st = store_open(dir, true, e);

	if (!st)
		return -1;
	auto_close int top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int self = top < 0 ? -1 : group_dir(s, top, ".", 02750, e);
	if (top < 0)
		err_sys(e, "open %s", dir);
	auto_close int cas = self < 0 ? -1 : group_dir(s, top, "cas", TOP_MODE, e);
	int r = cas < 0 ? -1 : share_store(st, top, s, e);
	store_close(st);
	return r < 0 ? err_wrap(e, "store %s/cas", dir) : 0;
}
