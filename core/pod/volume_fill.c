/* SPDX-License-Identifier: Apache-2.0
 * volume_fill - see volume.h; apart from it because stage 1 has no business with rendered images
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "core/pod/appfs.h"
#include "core/pod/volume.h"
#include "core/store/render.h"

int volume_fill(int pod_fd, const char *name, int root_fd, const char *path, struct err *e)
{
	char to[APPFS_PATH_MAX];

	if ((size_t)snprintf(to, sizeof(to), "volumes/%s", name) >= sizeof(to))
		return err_set(e, ENAMETOOLONG, "name too long");
	auto_close int from_fd = sys_open_in(root_fd, path, O_RDONLY | O_DIRECTORY, SYS_IN_ROOT | SYS_NO_MAGICLINKS);
	if (from_fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : err_sys(e, "%s of the image", path);
	auto_close int to_fd = fd_open_dir(pod_fd, to, e);
	if (to_fd < 0 || render_copy(from_fd, to_fd, e) < 0)
		return -1;
	/* last: writing into the directory has changed its time */
	return appfs_make_alike(pod_fd, to, from_fd, e);
}
