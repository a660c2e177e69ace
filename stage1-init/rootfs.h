/* SPDX-License-Identifier: Apache-2.0
 * rootfs - the only ways to a place inside an app's root, which is always taken to be hostile
 *
 * An image, or another app that shares a volume, may put a symbolic link, a FIFO or a device
 * anywhere and may exchange them while we work. So a path is resolved once, by the kernel, inside
 * the root and never through /proc's magic links; from then on there are only descriptors. Source:
 * openat2(2), RESOLVE_IN_ROOT and RESOLVE_NO_MAGICLINKS.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/err.h"

enum root_links {
	ROOT_FOLLOW,
	ROOT_NO_LINKS
}; /* links stay inside the root; or any link is ELOOP */

/** root_open() - -1/errno; O_CLOEXEC is added; "/a", "a" and "../a" are the same place */
int root_open(int root_fd, const char *path, int flags, enum root_links links);

/** root_open_file() - a regular file for reading, or -1: ENOENT also for anything that is no
 * regular file */
int root_open_file(int root_fd, const char *path);

/* Mounts of host directories that are in the way: nothing is ever created on them. */
struct root_foreign {
	const uint64_t *mount_ids;
	size_t          n;
};

/**
 * root_mount_point() - the O_PATH descriptor of the place where a mount goes; made when it is not
 * there
 * @dir: the mount is a directory; otherwise any file that is not one
 *
 * Missing directories are made (root:root, 0755), but not on a mount in @foreign. Where a directory
 * shall go and a regular file is, the file is replaced. Nothing is ever mounted inside /proc or
 * /sys.
 */
int root_mount_point(
	int root_fd, const char *path, bool dir, const struct root_foreign *foreign, struct err *e);

/** root_system_dir() - /proc, /sys or /dev: a real directory of the image, made when it is not
 * there */
int root_system_dir(int root_fd, const char *name, struct err *e);

/** root_mount_id() - of the mount that @fd is on; 0 when the kernel does not say */
uint64_t root_mount_id(int fd);
