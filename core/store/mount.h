/* SPDX-License-Identifier: Apache-2.0
 * mount - an index and its archives as a mounted file system
 *
 * Mounts are read-only, nodev and nosuid. What mounts devices is a loop device that goes with its mount, whatever
 * becomes of us. Where something is mounted is asked of the mount point and remembered nowhere: callers may live in
 * mount namespaces of their own, and a reboot forgets all mounts.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/base/err.h"

struct mount_opts {
	bool loop;   /* through loop devices: for file systems and kernels that cannot have EROFS on files */
	bool direct; /* content is read past the page cache of the archives, where the kernel can do that */
};

/**
 * mount_index() - a detached mount: the caller's descriptor, gone with it unless mount_attach() places it
 * @index_fd, @blob_fds: open for reading, borrowed; blobs in the order of the index' devices
 *
 * Errors: as the kernel says them, with its explanation in the message. ENOTBLK: the file system cannot have EROFS on
 * its files; ENODEV the kernel has no EROFS; ENXIO there is no loop device to be had.
 */
int mount_index(int index_fd, const int *blob_fds, size_t n, const struct mount_opts *o, struct err *e);

/** mount_attach() - places it on the directory @name of @dir_fd, which is made */
int mount_attach(int mount_fd, int dir_fd, const char *name, struct err *e);

/** mount_open() - the root of the index that is mounted on @name, O_PATH; -1/ENOENT: none is */
int mount_open(int dir_fd, const char *name);

/** mount_drop() - unmounts all that is mounted there and removes the directory; 1 gone, 0 something uses it, -1 */
int mount_drop(int dir_fd, const char *name, struct err *e);

/** mount_detach() - for what mount_drop() found in use: nobody finds it any more, and it goes with its last user */
void mount_detach(int dir_fd, const char *name);

/** mount_leave() - lazily, all that is mounted on entries of the directory @path; for a mount namespace of our own */
void mount_leave(const char *path);
