/* SPDX-License-Identifier: Apache-2.0
 * foreign_root - see foreign_root.h
 */
#include "stage1-init/foreign_root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "core/base/fd.h"
#include "core/base/sys.h"

static bool is_mount(int fd)
{
	struct statx sx;

	return statx(fd, "", AT_EMPTY_PATH, STATX_INO, &sx) == 0 && sx.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

int foreign_root(int *root_fd, struct err *e)
{
	if (!is_mount(*root_fd)) {
		auto_close int mnt = sys_open_tree(*root_fd, "", SYS_TREE_CLONE | SYS_AT_RECURSIVE | AT_EMPTY_PATH);
		if (mnt < 0 || sys_attach(mnt, *root_fd, "") < 0)
			return err_needs(e, "open-tree move-mount", "mount the app's root");
		fd_cleanup(root_fd);
		*root_fd = take_fd(&mnt);
	}
	return sys_restrict(*root_fd, "", SYS_ATTR_NODEV) < 0 ? err_needs(e, "mount-setattr", "the app's root") : 0;
}
