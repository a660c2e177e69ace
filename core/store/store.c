/* SPDX-License-Identifier: Apache-2.0
 * store - opening, locking and naming; see store.h and internal.h
 */
#include "core/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/hash.h"
#include "core/base/lock.h"
#include "core/store/internal.h"

static const char *const store_dirs[] = { "blob", "blob/sha512", "manifest", "info", "remote", "name", "used", "tree",
	"index", "mnt", "recipe" };

/* what an unprivileged caller gets to hear instead of a bare "Permission denied" */
static int open_failed(struct err *e, const char *dir, const char *what)
{
	if ((errno == EACCES || errno == EPERM) && geteuid() != 0)
		return err_set(e, EACCES, "cannot run as unprivileged user: %s %s/cas: permission denied; "
			       STORE_REMEDY, what, dir);
	return err_sys(e, "%s %s/cas", what, dir);
}

static int make_dirs(const char *dir, struct err *e)
{
	if (fd_mkdirs(AT_FDCWD, dir, 0750, e) < 0) {
		if (e->code == EACCES && geteuid() != 0)
			err_set(e, EACCES, "cannot run as unprivileged user: create %s: permission denied; " STORE_REMEDY, dir);
		return -1;
	}
	auto_close int top = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0 || (mkdirat(top, "cas", 0700) < 0 && errno != EEXIST))
		return open_failed(e, dir, "create");
	auto_close int cas = openat(top, "cas", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (cas < 0)
		return open_failed(e, dir, "open");
	for (size_t i = 0; i < sizeof(store_dirs) / sizeof(*store_dirs); i++)
		if (mkdirat(cas, store_dirs[i], 0700) < 0 && errno != EEXIST)
			return open_failed(e, dir, "create directories in");
	return 0;
}

/* The lock is what is made last: where it is, the directories are. */
static bool is_made(const char *dir)
{
	char lock[PATH_MAX];
	int n = snprintf(lock, sizeof(lock), "%s/cas/lock", dir);

	return n > 0 && (size_t)n < sizeof(lock) && access(lock, F_OK) == 0;
}

/* A store on a read-only file system needs no lock: nobody removes anything there. */
static int open_lock(struct store *st, const char *dir, struct err *e)
{
	st->lock_fd = openat(st->cas_fd, "lock", O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (st->lock_fd < 0 && errno == EROFS)
		st->lock_fd = openat(st->cas_fd, "lock", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (st->lock_fd < 0 && (errno == EROFS || errno == ENOENT))
		return 0;
	if (st->lock_fd < 0)
		return open_failed(e, dir, "open the lock of");
	return lock_wait(st->lock_fd, LOCK_SHARED, e) < 0 ? err_wrap(e, "store %s/cas", dir) : 0;
}

static int open_cas(struct store *st, const char *dir, bool create, struct err *e)
{
	auto_close int top = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (top >= 0)
		st->cas_fd = openat(top, "cas", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (st->cas_fd >= 0)
		return open_lock(st, dir, e);
	return errno == ENOENT && !create ? 0 : open_failed(e, dir, "open");
}

struct store *store_open(const char *dir, bool create, struct err *e)
{
	struct store *st = calloc(1, sizeof(*st));

	if (!st) {
		err_set(e, ENOMEM, "open store: out of memory");
		return NULL;
	}
	st->cas_fd = st->lock_fd = -1;
	if ((create && !is_made(dir) && make_dirs(dir, e) < 0) || open_cas(st, dir, create, e) < 0) {
		store_close(st);
		return NULL;
	}
	return st;
}

void store_close(struct store *st)
{
	if (!st)
		return;
	fd_cleanup(&st->lock_fd);
	fd_cleanup(&st->cas_fd);
	free(st);
}

void store_pause(struct store *st)
{
	st->paused = st->lock_fd >= 0 && !st->lent;
	st->seen.id.s[0] = 0;
	if (st->paused)
		lock_drop(st->lock_fd);
}

int store_resume(struct store *st, struct err *e)
{
	bool paused = st->paused;

	st->paused = false;
	return paused ? lock_wait(st->lock_fd, LOCK_SHARED, e) : 0;
}

int store_cas_fd(const struct store *st)
{
	return st->cas_fd;
}

void store_on_warning(struct store *st, void (*warn)(void *ctx, const char *text), void *ctx)
{
	st->warn = warn;
	st->warn_ctx = ctx;
}

void store_on_verify(struct store *st, const struct verify_opts *o)
{
	st->verify = *o;
}

void store_warn(struct store *st, const char *fmt, ...)
{
	struct err e;
	va_list ap;

	if (!st->warn)
		return;
	va_start(ap, fmt);
	vsnprintf(e.msg, sizeof(e.msg), fmt, ap);
	va_end(ap);
	st->warn(st->warn_ctx, e.msg);
}

/* ---- names ---- */

struct store_path store_path(const char *kind, const char *name)
{
	struct store_path p;
	int n;

	if (!strcmp(kind, "blob"))
		n = snprintf(p.s, sizeof(p.s), "blob/sha512/%.2s/%s", name + strlen(IMAGE_ID_PREFIX), name);
	else
		n = snprintf(p.s, sizeof(p.s), "%s/%s", kind, name);
	if (n < 0 || (size_t)n >= sizeof(p.s))
		abort(); /* kinds are ours, and names are keys, IDs or what readdir found and store_is_id() passed */
	return p;
}

int store_key(const char *a, const char *b, char out[STORE_KEY_HEX + 1], struct err *e)
{
	uint8_t digest[HASH_SHA512_LEN];
	char hex[HASH_SHA512_HEX + 1];
	struct hash *h = hash_new(e);

	if (!h)
		return -1;
	hash_feed(h, a, strlen(a) + (b ? 1 : 0));
	if (b)
		hash_feed(h, b, strlen(b));
	hash_final(h, digest);
	hash_hex(digest, sizeof(digest), hex);
	memcpy(out, hex, STORE_KEY_HEX);
	out[STORE_KEY_HEX] = 0;
	return 0;
}

bool store_is_id(const char *s)
{
	size_t n = strlen(IMAGE_ID_PREFIX);

	return strlen(s) == IMAGE_ID_LEN && !strncmp(s, IMAGE_ID_PREFIX, n) && hash_is_hex(s + n, HASH_SHA512_HEX);
}

/* ---- files ---- */

int store_open_file(const struct store *st, const char *path, int flags)
{
	if (st->cas_fd < 0) {
		errno = ENOENT;
		return -1;
	}
	return openat(st->cas_fd, path, flags | O_NOFOLLOW | O_CLOEXEC);
}

int store_lock_for_a_while(int fd, struct err *e)
{
	int r = 0;

	for (int i = 0; i < 200 && r == 0; i++) {
		r = lock_try(fd, LOCK_EXCLUSIVE, e);
		if (r == 0)
			usleep(5000);
	}
	return r;
}

int store_read_dir(const struct store *st, const char *path, struct dir *out)
{
	dir_start(out, store_open_file(st, path, O_RDONLY | O_DIRECTORY));
	return out->fd < 0 ? -1 : 0;
}

bool store_has(const struct store *st, const char *kind, const char *name)
{
	struct stat sb;

	/* what a failing disk does not tell is there: nothing is collected or replaced because of that */
	return st->cas_fd >= 0 && (fstatat(st->cas_fd, store_path(kind, name).s, &sb, AT_SYMLINK_NOFOLLOW) == 0 ||
				   (errno != ENOENT && errno != ENOTDIR));
}

int store_publish_lock(struct store *st, struct err *e)
{
	auto_close int fd = store_open_file(st, "info", O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return err_sys(e, "open the store's info");
	return lock_wait(fd, LOCK_EXCLUSIVE, e) < 0 ? err_wrap(e, "the store's info") : take_fd(&fd);
}

int store_sync_dir(struct store *st, const char *path, struct err *e)
{
	auto_close int fd = store_open_file(st, path, O_RDONLY | O_DIRECTORY);

	return fd < 0 || fsync(fd) < 0 ? err_sys(e, "sync the store's %s", path) : 0;
}

bool store_shared_dir(int dir_fd)
{
	struct stat sb;

	return fstat(dir_fd, &sb) == 0 && (sb.st_mode & (S_ISGID | S_IWGRP)) == (S_ISGID | S_IWGRP);
}

bool store_is_shared(const struct store *st)
{
	return st->cas_fd >= 0 && store_shared_dir(st->cas_fd);
}

mode_t store_file_mode(const struct store *st)
{
	return store_is_shared(st) ? 0440 : 0400;
}

/* What is unpacked or mounted may hold set-user-ID programs: never for anybody but the owner, also in a shared store. */
static bool is_private(const char *path)
{
	return !strcmp(path, "tree") || !strcmp(path, "mnt");
}

int store_make_kind(struct store *st, const char *kind, struct err *e)
{
	return store_make_dir(st, kind, e);
}

int store_make_dir(struct store *st, const char *path, struct err *e)
{
	int r = mkdirat(st->cas_fd, path, 0700);

	if (r < 0 && errno == EEXIST)
		return 0;
	/* the group is the parent's; its rights are not in what a umask leaves */
	if (r == 0 && !is_private(path) && store_is_shared(st))
		r = fchmodat(st->cas_fd, path, 02770, 0);
	return r < 0 ? err_sys(e, "create the store's %s", path) : 0;
}
