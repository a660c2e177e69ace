/* SPDX-License-Identifier: Apache-2.0
 * sys - see sys.h
 */
#include "core/base/sys.h"

#define OPEN_RETRIES 128

int sys_open_in(int dir_fd, const char *path, int flags, unsigned resolve)
{
	const struct { uint64_t flags, mode, resolve; } how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = resolve,
	};

	for (int i = 0; i < OPEN_RETRIES; i++) {
		int fd = (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
		if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
			return fd;
	}
	errno = EAGAIN;
	return -1;
}
