/* SPDX-License-Identifier: Apache-2.0
 * beneath - paths inside a tree that an image fills: the one way to open them while unpacking and copying
 *
 * Not even links that stay inside are followed: in a tree under construction every parent is a real directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/archive/tar.h"
#include "core/base/sys.h"
#include "core/store/internal.h"

int beneath_open(int root_fd, const char *path, int flags)
{
	return sys_open_in(root_fd, *path ? path : ".", flags | O_NOFOLLOW,
		SYS_BENEATH | SYS_NO_SYMLINKS | SYS_NO_MAGICLINKS | SYS_NO_XDEV);
}

int beneath_parent(int root_fd, const char *path, const char **name)
{
	char parent[TAR_PATH_MAX + 1];
	const char *slash = strrchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;

	*name = slash ? slash + 1 : path;
	if (n > TAR_PATH_MAX) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(parent, path, n);
	parent[n] = 0;
	return beneath_open(root_fd, parent, O_PATH | O_DIRECTORY);
}

/* ext4 takes less than a block, xfs 1,023 bytes, the kernel 4,095 */
int beneath_symlink(const char *target, int dir_fd, const char *name, struct err *e)
{
	if (symlinkat(target, dir_fd, name) == 0)
		return 0;
	if (errno == ENAMETOOLONG)
		return err_sys(e, "the file system cannot hold a link to a path of %zu bytes", strlen(target));
	return err_sys(e, "create link");
}

int beneath_xattr(int dir_fd, const char *name, const char *attr, const void *value, size_t len)
{
	char path[TAR_NAME_MAX + 64];

	/* the directory is ours by descriptor, and the last step is never followed */
	int n = snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir_fd, name);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return lsetxattr(path, attr, value, len, 0);
}
