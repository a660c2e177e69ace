/* SPDX-License-Identifier: Apache-2.0
 * partial - see partial.h
 */
#include "core/store/partial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/json.h"
#include "core/base/lock.h"
#include "core/store/internal.h"

#define HEAD 4096u

/* The image needs the room more than we do. Between two looks it may grow by as much as this. */
#define ROOM_MIN   (64u << 20)
#define LOOK_EVERY (1u << 20)

struct partial {
	int      dir_fd, fd; /* -1: nothing is kept */
	char     name[STORE_KEY_HEX + 1];
	char     boot[64];
	uint64_t size;   /* bytes of the download in the file */
	uint64_t looked; /* at how many of them there was room */
	bool     kept;   /* its head is written */
};

/* ---- the head ---- */

static void read_boot(char *out, size_t size)
{
	auto_close int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, out, size - 1);

	out[n > 0 ? n : 0] = 0;
	out[strcspn(out, "\n")] = 0;
}

static bool take(const cJSON *j, const char *key, char out[PARTIAL_TEXT])
{
	const char *s = json_str(j, key);

	out[0] = 0;
	if (!s || strlen(s) >= PARTIAL_TEXT)
		return !s;
	for (const char *c = s; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c >= 0x7f)
			return false;
	memcpy(out, s, strlen(s) + 1);
	return true;
}

bool partial_parse(const char *block, size_t len, const char *boot, struct partial_of *of)
{
	struct err ignored;
	auto_json cJSON *j = json_parse_err(block, strnlen(block, len), &ignored);
	const char *when = j ? json_str(j, "boot") : NULL;
	int64_t length;

	*of = (struct partial_of){ .length = 0 };
	if (!when || !*when || strcmp(when, boot) != 0 || !take(j, "etag", of->etag) || !take(j, "modified", of->modified) ||
	    !json_int(cJSON_GetObjectItemCaseSensitive(j, "length"), &length) || length < 0)
		return false;
	of->length = (uint64_t)length;
	return *of->etag || *of->modified;
}

static bool write_head(struct partial *p, const struct partial_of *of)
{
	char block[HEAD] = "";
	auto_buf struct buf text = { 0 };
	auto_json cJSON *j = cJSON_CreateObject();

	cJSON_AddStringToObject(j, "boot", p->boot);
	cJSON_AddStringToObject(j, "etag", of->etag);
	cJSON_AddStringToObject(j, "modified", of->modified);
	cJSON_AddNumberToObject(j, "length", (double)of->length);
	json_print(j, false, &text);
	if (text.failed || text.len >= sizeof(block))
		return false;
	memcpy(block, text.data, text.len);
	return pwrite(p->fd, block, sizeof(block), 0) == (ssize_t)sizeof(block);
}

/* ---- taking and leaving ---- */

/* 1: it is ours alone, and still the one of that name; 0: another one is now; -1: leave it be */
static int look(const struct partial *p)
{
	struct stat ours, now;

	if (fstat(p->fd, &ours) < 0 || !S_ISREG(ours.st_mode) || ours.st_uid != geteuid() || (ours.st_mode & 077))
		return -1;
	if (fstatat(p->dir_fd, p->name, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -1;
	return ours.st_ino == now.st_ino && ours.st_dev == now.st_dev && ours.st_nlink == 1;
}

static int lock(struct partial *p, void (**waiting)(void *ctx), void *ctx)
{
	struct err ignored;
	int r = lock_try(p->fd, LOCK_EXCLUSIVE, &ignored);

	if (r == 0 && *waiting) {
		(*waiting)(ctx);
		*waiting = NULL;
	}
	return r ? r : lock_wait(p->fd, LOCK_EXCLUSIVE, &ignored);
}

static void take_turn(struct partial *p, void (*waiting)(void *ctx), void *ctx)
{
	struct stat st;

	for (int tries = 0; tries < 1000; tries++) {
		p->fd = openat(p->dir_fd, p->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
		int r = p->fd < 0 ? -1 : look(p);
		if (r >= 0 && (lock(p, &waiting, ctx) < 0 || (r = look(p)) < 0))
			r = -1;
		if (r > 0 && fstat(p->fd, &st) == 0) {
			p->size = st.st_size > HEAD ? (uint64_t)st.st_size - HEAD : 0;
			return;
		}
		fd_cleanup(&p->fd);
		if (r < 0)
			return;
	}
}

struct partial *partial_take(struct store *st, const char *url, void (*waiting)(void *ctx), void *ctx, struct err *e)
{
	struct partial *p = calloc(1, sizeof(*p));
	struct err ignored;

	if (!p || store_key(url, NULL, p->name, e) < 0) {
		if (!p)
			err_set(e, ENOMEM, "out of memory");
		free(p);
		return NULL;
	}
	p->fd = -1;
	p->dir_fd = store_make_kind(st, PARTIAL_DIR, &ignored) < 0 ? -1 : store_open_file(st, PARTIAL_DIR, O_RDONLY | O_DIRECTORY);
	read_boot(p->boot, sizeof(p->boot));
	if (p->dir_fd >= 0)
		take_turn(p, waiting, ctx);
	return p;
}

static void leave(struct partial *p, bool keep)
{
	struct partial_of ignored;

	if (!p)
		return;
	if (p->fd >= 0 && !(keep && partial_have(p, &ignored)))
		fd_unlink(p->dir_fd, p->name);
	fd_cleanup(&p->fd);
	fd_cleanup(&p->dir_fd);
	free(p);
}

void partial_close(struct partial *p)
{
	leave(p, true);
}

void partial_drop(struct partial *p)
{
	leave(p, false);
}

/* ---- the bytes ---- */

uint64_t partial_have(const struct partial *p, struct partial_of *of)
{
	char block[HEAD];

	if (!p || p->fd < 0 || !p->size || pread(p->fd, block, sizeof(block), 0) != (ssize_t)sizeof(block) ||
	    !partial_parse(block, sizeof(block), p->boot, of))
		return 0;
	/* more than there should be is not ours */
	return of->length && p->size > of->length ? 0 : p->size;
}

/* The lock stays: it is the open file's, whatever that still holds. */
static void give_up(struct partial *p)
{
	p->kept = false;
	p->size = 0;
	if (ftruncate(p->fd, 0) < 0)
		fd_unlink(p->dir_fd, p->name);
}

static bool has_room(const struct partial *p)
{
	struct statvfs fs;

	return fstatvfs(p->fd, &fs) < 0 || fs.f_bavail * (uint64_t)fs.f_frsize >= ROOM_MIN;
}

void partial_begin(struct partial *p, const struct partial_of *of)
{
	if (!p || p->fd < 0)
		return;
	p->size = p->looked = 0;
	p->kept = ftruncate(p->fd, 0) == 0 && has_room(p) && write_head(p, of);
	if (!p->kept)
		give_up(p);
}

void partial_write(struct partial *p, uint64_t at, const void *data, size_t len)
{
	if (!p || p->fd < 0 || (!p->kept && at == 0) || at > p->size)
		return;
	if (pwrite(p->fd, data, len, (off_t)(HEAD + at)) != (ssize_t)len) {
		give_up(p);
		return;
	}
	if (p->size < at + len)
		p->size = at + len;
	if (p->size - p->looked < LOOK_EVERY)
		return;
	p->looked = p->size;
	if (!has_room(p))
		give_up(p);
}

uint64_t partial_size(const struct partial *p)
{
	return p && p->fd >= 0 ? p->size : 0;
}

size_t partial_read(const struct partial *p, uint64_t at, void *out, size_t len)
{
	size_t n = 0;

	while (p && p->fd >= 0 && n < len) {
		ssize_t r = pread(p->fd, (char *)out + n, len - n, (off_t)(HEAD + at + n));
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			break;
		n += (size_t)r;
	}
	return n;
}

/* A clock that was wrong makes a file of the future, which would stay for ever. */
bool partial_is_old(int dir_fd, const char *name)
{
	time_t now = time(NULL);
	struct stat st;

	return fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (st.st_mtime < now - PARTIAL_DAY_S || st.st_mtime > now + PARTIAL_DAY_S);
}
