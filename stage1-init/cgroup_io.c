/* SPDX-License-Identifier: Apache-2.0
 * cgroup_io - see cgroup_io.h
 */
#include "stage1-init/cgroup_io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "core/base/fd.h"

#define DEVICES "/sys/block"

struct io {
	const char               *dir;
	bool                      v2;
	const struct appc_limits *l;
};

/* a device can go while we look */
static int put(const char *dir, const char *file, const char *text, struct err *e)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	auto_close int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_needs(e, "io-throttle", "limits of block devices: open %s", path);
	if (write(fd, text, strlen(text)) < 0 && errno != ENODEV && errno != ENXIO)
		return err_sys(e, "limits of block devices: write %s to %s", text, path);
	return 0;
}

/* "no more than nothing" would mean "no limit" to the kernel */
static long long at_least_1(int64_t n)
{
	return n < 1 ? 1 : (long long)n;
}

static int put_v1(const struct io *io, const char *device, const char *what, int64_t limit, struct err *e)
{
	static const char *const ways[] = { "read", "write" };
	char file[64], text[64];

	if (limit == APPC_UNLIMITED)
		return 0;
	snprintf(text, sizeof(text), "%s %lld", device, at_least_1(limit));
	for (size_t i = 0; i < 2; i++) {
		snprintf(file, sizeof(file), "blkio.throttle.%s_%s_device", ways[i], what);
		if (put(io->dir, file, text, e) < 0)
			return -1;
	}
	return 0;
}

static int put_v2(const struct io *io, const char *device, struct err *e)
{
	char text[160];
	int n = snprintf(text, sizeof(text), "%s", device);

	if (io->l->block_bps != APPC_UNLIMITED)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " rbps=%lld wbps=%lld", at_least_1(io->l->block_bps),
			      at_least_1(io->l->block_bps));
	if (io->l->block_iops != APPC_UNLIMITED)
		snprintf(text + n, sizeof(text) - (size_t)n, " riops=%lld wiops=%lld", at_least_1(io->l->block_iops),
			 at_least_1(io->l->block_iops));
	return put(io->dir, "io.max", text, e);
}

static int put_device(const struct io *io, const char *device, struct err *e)
{
	if (io->v2)
		return put_v2(io, device, e);
	if (put_v1(io, device, "bps", io->l->block_bps, e) < 0)
		return -1;
	/* in version 1 the number has 32 bits */
	int64_t iops = io->l->block_iops;
	return put_v1(io, device, "iops", iops > UINT_MAX && iops != APPC_UNLIMITED ? (int64_t)UINT_MAX : iops, e);
}

/* the first word of DEVICES/name/file */
static bool attribute(int top_fd, const char *name, const char *file, char *out, size_t size)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/%s", name, file);
	auto_close int fd = openat(top_fd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, out, size - 1);
	if (n <= 0)
		return false;
	out[n] = 0;
	out[strcspn(out, "\n")] = 0;
	return *out;
}

int cgroup_put_io(const char *dir, bool v2, const struct appc_limits *l, struct err *e)
{
	const struct io io = { dir, v2, l };
	char device[32], sectors[32];
	int r = 0;

	if (l->block_bps == APPC_UNLIMITED && l->block_iops == APPC_UNLIMITED)
		return 0;
	DIR *d = opendir(DEVICES);
	if (!d)
		return errno == ENOENT ? 0 : err_sys(e, "open " DEVICES);
	for (struct dirent *de; r == 0 && (de = readdir(d));) {
		/* a loop device that nothing is attached to has no size */
		if (*de->d_name == '.' || !attribute(dirfd(d), de->d_name, "size", sectors, sizeof(sectors)) ||
		    !strcmp(sectors, "0") || !attribute(dirfd(d), de->d_name, "dev", device, sizeof(device)))
			continue;
		r = put_device(&io, device, e);
	}
	closedir(d);
	return r;
}
