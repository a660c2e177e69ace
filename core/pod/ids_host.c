/* SPDX-License-Identifier: Apache-2.0
 * ids_host - which ids the host uses; see ids.h
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/pod/ids.h"

#define FILE_MAX (64u << 20)
#define FIELDS   4

struct use {
	void (*use)(void *ctx, uint64_t first, uint64_t count);
	void  *ctx;
};

/* cuts a line at its first colons */
static int split(char *line, char *field[FIELDS])
{
	for (int n = 0; n < FIELDS; n++) {
		char *colon = strchr(line, ':');
		field[n] = line;
		if (!colon)
			return n + 1;
		*colon = 0;
		line = colon + 1;
	}
	return FIELDS;
}

static void use_id(const struct use *u, const char *text)
{
	struct err none;
	uint32_t id;

	if (num_id(text, &id, &none) == 0)
		u->use(u->ctx, id, 1);
}

/* NAME:PASSWORD:UID:GID... */
static void use_account(const struct use *u, char *line)
{
	char *f[FIELDS];
	int n = split(line, f);

	if (n > 2)
		use_id(u, f[2]);
	if (n > 3)
		use_id(u, f[3]);
}

/* NAME:PASSWORD:GID:MEMBERS */
static void use_group(const struct use *u, char *line)
{
	char *f[FIELDS];

	if (split(line, f) > 2)
		use_id(u, f[2]);
}

/* NAME:FIRST:COUNT */
static void use_range(const struct use *u, char *line)
{
	char *f[FIELDS];
	struct err none;
	uint64_t first, count;

	if (split(line, f) == 3 && num_u64(f[1], UINT32_MAX, &first, &none) == 0 &&
	    num_u64(f[2], UINT32_MAX, &count, &none) == 0)
		u->use(u->ctx, first, count);
}

static int read_file(const char *dir, const char *name, void (*line)(const struct use *u, char *line),
		     const struct use *u, struct err *e)
{
	auto_free char *large = NULL;
	char path[256], small[4096], *text = small, *save = NULL;
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	/* links are followed: where /etc is read-only these files often are elsewhere */
	auto_close int fd = openat(AT_FDCWD, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "ids in use: %s", path);
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_MAX)
		return err_set(e, EINVAL, "ids in use: %s is no file, or larger than 64 MiB", path);
	len = (size_t)st.st_size;
	if (len >= sizeof(small)) {
		large = malloc(len + 1);
		text = large;
	}
	ssize_t n = text ? fd_read_full(fd, text, len) : -1;
	if (n < 0)
		return err_sys(e, "ids in use: %s", path);
	text[n] = 0;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		line(u, l);
	return 0;
}

int pod_ids_host(const char *dir, void (*use)(void *ctx, uint64_t first, uint64_t count), void *ctx, struct err *e)
{
	const struct use u = { use, ctx };

	if (read_file(dir, "passwd", use_account, &u, e) < 0 || read_file(dir, "group", use_group, &u, e) < 0 ||
	    read_file(dir, "subuid", use_range, &u, e) < 0)
		return -1;
	return read_file(dir, "subgid", use_range, &u, e);
}
