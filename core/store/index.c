/* SPDX-License-Identifier: Apache-2.0
 * index - the small files that lead to an image: name/ and used/, and how all but the blob's content goes
 *
 * Everything here runs under store_publish_lock(), which is what makes it safe to remove directories that
 * have become empty.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/store/internal.h"

static int name_dir(const char *name, const char *version, struct store_path *dir, struct err *e)
{
	char key[STORE_KEY_HEX + 1];

	if (store_key(name, version, key, e) < 0)
		return -1;
	*dir = store_path("name", key);
	return 0;
}

static int add_name(struct store *st, const char *name, const char *version, const struct image_id *id, struct err *e)
{
	struct store_path dir;

	if (name_dir(name, version, &dir, e) < 0 || store_make_dir(st, dir.s, e) < 0)
		return -1;
	/* of a shared store a member of the group may have put a link in the place of the directory */
	auto_close int dir_fd = store_open_file(st, dir.s, O_RDONLY | O_DIRECTORY);
	if (dir_fd < 0)
		return err_sys(e, "open the store's %s", dir.s);
	auto_close int fd = openat(dir_fd, id->s, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, store_file_mode(st));
	return fd < 0 ? err_sys(e, "create the store's %s/%s", dir.s, id->s) : 0;
}

static int sync_name(struct store *st, const char *name, const char *version, struct err *e)
{
	struct store_path dir;

	return name_dir(name, version, &dir, e) < 0 ? -1 : store_sync_dir(st, dir.s, e);
}

/* a file with more names than one may be anybody's, whom a member of the group wants to have it opened */
static int share_used(int fd)
{
	struct stat sb;

	if (fstat(fd, &sb) < 0)
		return -1;
	return S_ISREG(sb.st_mode) && sb.st_nlink == 1 && fchmod(fd, 0660) < 0 && errno != EPERM ? -1 : 0;
}

int store_index(struct store *st, const struct image_info *i, struct err *e)
{
	const char *version = appc_pair_find(&i->labels, "version");

	/* when it was used is worth no fsync: without the file, the import time counts */
	auto_close int used = openat(st->cas_fd, store_path("used", i->id.s).s,
				     O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	/* whoever uses a shared image says so */
	if (used < 0 || (store_is_shared(st) && share_used(used) < 0))
		return err_sys(e, "create the store's used/%s", i->id.s);
	if (version && add_name(st, i->name, version, &i->id, e) < 0)
		return -1;
	return add_name(st, i->name, NULL, &i->id, e);
}

int store_index_sync(struct store *st, const struct image_info *i, struct err *e)
{
	const char *version = appc_pair_find(&i->labels, "version");

	if (version && sync_name(st, i->name, version, e) < 0)
		return -1;
	return sync_name(st, i->name, NULL, e) < 0 ? -1 : store_sync_dir(st, "name", e);
}

static int remove_file(struct store *st, const char *path, struct err *e)
{
	if (fd_unlink(st->cas_fd, path) < 0 && errno != ENOENT)
		return err_sys(e, "remove the store's %s", path);
	return 0;
}

/* the file, and its directory if this was the last one in it */
static int remove_entry(struct store *st, const char *path, struct err *e)
{
	struct store_path dir = { .s = "" };

	if (remove_file(st, path, e) < 0)
		return -1;
	memcpy(dir.s, path, (size_t)(strrchr(path, '/') - path));
	unlinkat(st->cas_fd, dir.s, AT_REMOVEDIR); /* fails when others are in it, as it should */
	return 0;
}

static int remove_name(struct store *st, const char *name, const char *version, const struct image_id *id,
		       struct err *e)
{
	struct store_path dir;

	return name_dir(name, version, &dir, e) < 0 ? -1 : remove_entry(st, store_path(dir.s, id->s).s, e);
}

int store_unindex(struct store *st, const struct image_id *id, const struct image_info *i, struct err *e)
{
	const char *version = i && i->name ? appc_pair_find(&i->labels, "version") : NULL;
	int r = 0;

	/* go on after a failure: less is left over that way */
	if (version)
		r |= remove_name(st, i->name, version, id, e);
	if (i && i->name)
		r |= remove_name(st, i->name, NULL, id, e);
	r |= remove_file(st, store_path("used", id->s).s, e);
	return r ? -1 : 0;
}

int store_drop_content(struct store *st, const struct image_id *id, struct err *e)
{
	int r = remove_file(st, store_path("index", id->s).s, e);

	r |= remove_file(st, store_path("manifest", id->s).s, e);
	r |= remove_entry(st, store_path("blob", id->s).s, e);
	return r ? -1 : 0;
}
