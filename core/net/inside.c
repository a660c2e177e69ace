/* SPDX-License-Identifier: Apache-2.0
 * inside - see inside.h
 */
#include "core/net/inside.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/fd.h"

int inside_call(int netns_fd, int (*fn)(void *ctx, struct err *e), void *ctx, struct err *e)
{
	auto_close int own_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (own_fd < 0)
		return err_needs(e, "proc", "open /proc/thread-self/ns/net");
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return err_needs(e, "ns-net caps", "enter the pod's network namespace");
	int r = fn(ctx, e);
	if (setns(own_fd, CLONE_NEWNET) < 0)
		abort();
	return r;
}

int inside_sysctl(const char *path, const char *value, struct err *e)
{
	char full[128], now[16];
	size_t len = strlen(value);

	snprintf(full, sizeof(full), "/proc/sys/net/%s", path);
	/* where /proc/sys is read-only what is there may still be what is wanted */
	auto_close int fd = open(full, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fd = open(full, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", full);
	ssize_t n = read(fd, now, sizeof(now));
	if (n == (ssize_t)len + 1 && !memcmp(now, value, len))
		return 0;
	return pwrite(fd, value, len, 0) < 0 ? err_sys(e, "write %s to %s", value, full) : 0;
}
