/* SPDX-License-Identifier: Apache-2.0
 * mnt - the newer system calls on mounts, for C libraries that do not wrap them yet
 *
 * <linux/mount.h> and <sys/mount.h> exclude each other in some C libraries, so the few constants that are
 * needed are written down here; they are kernel ABI.
 */
#pragma once

#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_open_tree
#define SYS_open_tree  428
#define SYS_move_mount 429
#define SYS_fsopen     430
#define SYS_fsconfig   431
#define SYS_fsmount    432
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

#define MNT_ATTR_RDONLY 1u
#define MNT_ATTR_NODEV  4u

/** mnt_clone() - a detached copy of the one mount behind @path (@dir_fd itself when it is ""); -1/errno */
static inline int mnt_clone(int dir_fd, const char *path)
{
	/* OPEN_TREE_CLONE | AT_EMPTY_PATH */
	return (int)syscall(SYS_open_tree, dir_fd, path, 1u | 0x1000u | (unsigned)O_CLOEXEC);
}

/** mnt_attach() - puts a detached mount on @path */
static inline int mnt_attach(int mnt_fd, int dir_fd, const char *path)
{
	return (int)syscall(SYS_move_mount, mnt_fd, "", dir_fd, path, 4u /* MOVE_MOUNT_F_EMPTY_PATH */);
}

/** mnt_restrict() - adds MNT_ATTR_* to the mount behind @path (@dir_fd itself when it is "") */
static inline int mnt_restrict(int dir_fd, const char *path, uint64_t attr)
{
	struct { uint64_t set, clear, propagation, userns_fd; } a = { .set = attr };

	return (int)syscall(SYS_mount_setattr, dir_fd, path, 0x1000u /* AT_EMPTY_PATH */, &a, sizeof(a));
}

static inline int mnt_fsopen(const char *type)
{
	return (int)syscall(SYS_fsopen, type, 1u /* FSOPEN_CLOEXEC */);
}

static inline int mnt_fsconfig(int fs_fd, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs_fd, value ? 1u : 0u /* FSCONFIG_SET_STRING, _FLAG */, key, value, 0);
}

/** mnt_fsmount() - creates the file system and returns a detached mount of it */
static inline int mnt_fsmount(int fs_fd, unsigned attr)
{
	if (syscall(SYS_fsconfig, fs_fd, 6u /* FSCONFIG_CMD_CREATE */, NULL, NULL, 0) < 0)
		return -1;
	return (int)syscall(SYS_fsmount, fs_fd, 1u /* FSMOUNT_CLOEXEC */, attr);
}
