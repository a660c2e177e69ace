/* SPDX-License-Identifier: Apache-2.0
 * appfs_map - see appfs_map.h
 */
#include "core/pod/appfs_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>

#include "core/base/fd.h"
#include "core/base/sys.h"

static int open_dir(const char *path, struct err *e)
{
	int fd = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open %s", path) : fd;
}

/* 0, 1: its file system cannot; -1 */
static int put_mapped(int from_fd, const char *on, const struct appfs_owners *o, struct err *e)
{
	auto_close int fd = sys_open_tree(from_fd, "", SYS_TREE_CLONE | AT_EMPTY_PATH);

	if (fd < 0)
		return err_needs(e, "open-tree", "clone the mount for %s", on);
	if (userns_map_mount(o->userns_fd, fd, 0) < 0)
		return 1;
	return sys_attach(fd, AT_FDCWD, on) < 0 ? err_needs(e, "move-mount", "mount on %s", on) : 0;
}

static void layer_dir(const char *name, char out[APPFS_PATH_MAX])
{
	snprintf(out, APPFS_PATH_MAX, "appsinfo/%s", name);
}

int appfs_map_layers(const char *name, const char *target, int lower_fd, const struct appfs_owners *o, bool *on_disk,
		     struct err *e)
{
	char dir[APPFS_PATH_MAX];

	layer_dir(name, dir);
	auto_close int dir_fd = open_dir(dir, e);
	int r = dir_fd < 0 ? -1 : put_mapped(lower_fd, target, o, e);
	if (r)
		return r < 0 ? -1 : userns_cannot_map(e, lower_fd, "the image as it is rendered (another way, --render=erofs, loop or tree, may do)");
	auto_close int mapped_fd = open_dir(target, e);
	r = mapped_fd < 0 ? -1 : put_mapped(dir_fd, dir, o, e);
	*on_disk = r == 0;
	if (r >= 0)
		return take_fd(&mapped_fd);
	umount2(target, MNT_DETACH);
	return -1;
}

void appfs_unmap_layers(const char *name, const char *target, bool on_disk)
{
	char dir[APPFS_PATH_MAX];

	layer_dir(name, dir);
	if (on_disk)
		umount2(dir, MNT_DETACH);
	umount2(target, MNT_DETACH);
}

int appfs_map_copy(const char *target, const struct appfs_owners *o, struct err *e)
{
	auto_close int fd = open_dir(target, e);
	int r = fd < 0 ? -1 : put_mapped(fd, target, o, e);

	return r > 0 ? userns_cannot_map(e, fd, "the copy of the image in the pod's directory") : r;
}
