/* SPDX-License-Identifier: Apache-2.0
 * sys - system calls that not every C library wraps, under names of our own
 *
 * <linux/mount.h> cannot stand beside <sys/mount.h> in some C libraries, and older headers lack
 * some of the calls, so the few structs and constants that are used are written down here (they are
 * kernel ABI). Nothing here needs a heap: the pod's PID 1 uses it. All return -1/errno.
 */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif
#ifndef SYS_open_tree
#define SYS_open_tree  428
#define SYS_move_mount 429
#define SYS_fsopen     430
#define SYS_fsconfig   431
#define SYS_fsmount    432
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define SYS_CLOSE_RANGE_CLOEXEC 4
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#ifndef CLONE_PIDFD
#define CLONE_PIDFD 0x00001000
#endif
#define SYS_CLONE_INTO_CGROUP 0x200000000ULL

/* openat2: how a path may lead */
#define SYS_NO_XDEV       0x01u
#define SYS_NO_MAGICLINKS 0x02u
#define SYS_NO_SYMLINKS   0x04u
#define SYS_BENEATH       0x08u
#define SYS_IN_ROOT       0x10u

/* mounts */
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000 /* since 5.8 */
#endif
#define SYS_TREE_CLONE     1u
#define SYS_AT_RECURSIVE   0x8000
#define SYS_ATTR_RDONLY    0x01u
#define SYS_ATTR_NOSUID    0x02u
#define SYS_ATTR_NODEV     0x04u
#define SYS_ATTR_NOEXEC    0x08u
#define SYS_ATTR_IDMAP     0x00100000u /* since 5.12; owners as the user namespace userns_fd has them */
#define SYS_CONFIG_FLAG    0u
#define SYS_CONFIG_STRING  1u
#define SYS_CONFIG_CREATE  6u
#define SYS_PROPAGATION_PRIVATE (1u << 18) /* MS_PRIVATE */
struct sys_mount_attr { uint64_t set, clear, propagation, userns_fd; };

/* file system magic numbers, for what /proc and cgroup attributes are written through */
#define SYS_MAGIC_PROC    0x9fa0
#define SYS_MAGIC_SYSFS   0x62656572
#define SYS_MAGIC_CGROUP  0x27e0eb
#define SYS_MAGIC_CGROUP2 0x63677270

struct sys_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size, cgroup;
};

/**
 * sys_open_in() - openat2()
 * @flags:   O_*; O_CLOEXEC is added
 * @resolve: SYS_BENEATH and so on
 *
 * The kernel gives up with EAGAIN when something was renamed while it looked. That is tried again,
 * but not for ever: an attacker can go on renaming.
 */
int sys_open_in(int dir_fd, const char *path, int flags, unsigned resolve);

static inline int sys_open_tree(int dir_fd, const char *path, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dir_fd, path, flags | O_CLOEXEC);
}

/** sys_attach() - puts the detached mount @mnt_fd on @path (@dir_fd itself when it is "") */
static inline int sys_attach(int mnt_fd, int dir_fd, const char *path)
{
	/* MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH */
	return (int)syscall(SYS_move_mount, mnt_fd, "", dir_fd, path, 0x04 | 0x40);
}

static inline int sys_fsopen(const char *type)
{
	return (int)syscall(SYS_fsopen, type, 1 /* FSOPEN_CLOEXEC */);
}

static inline int sys_fsconfig(int fs_fd, unsigned cmd, const char *key, const char *value)
{
	return (int)syscall(SYS_fsconfig, fs_fd, cmd, key, value, 0);
}

static inline int sys_fsmount(int fs_fd, unsigned attr)
{
	return (int)syscall(SYS_fsmount, fs_fd, 1 /* FSMOUNT_CLOEXEC */, attr);
}

static inline int sys_mount_setattr(
	int fd, const char *path, unsigned flags, const struct sys_mount_attr *a)
{
	return (int)syscall(SYS_mount_setattr, fd, path, flags, a, sizeof(*a));
}

/** sys_restrict() - adds SYS_ATTR_* to the mount behind @path (@dir_fd itself when it is "") */
static inline int sys_restrict(int dir_fd, const char *path, unsigned attr)
{
	struct sys_mount_attr a = { .set = attr };

	return sys_mount_setattr(dir_fd, path, AT_EMPTY_PATH, &a);
}

/** sys_fork() - fork with namespaces, a pidfd (may be NULL) and a v2 cgroup to be born in (-1: the
 * parent's) */
static inline pid_t sys_fork(uint64_t flags, int *pidfd, int cgroup_fd)
{
	struct sys_clone_args a = {
		.flags = flags | (pidfd ? CLONE_PIDFD : 0) |
			 (cgroup_fd >= 0 ? SYS_CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = cgroup_fd >= 0 ? (uint64_t)cgroup_fd : 0,
	};
	return (pid_t)syscall(SYS_clone3, &a, sizeof(a));
}

/**
 * sys_start() - a process that calls @fn, in the caller's memory, which stands still until the process executes
 * something or ends
 * @fn: never returns. What it writes to memory stays written; descriptors, directory and umask are its own
 * @stack: for it alone, @stack_size bytes up, both multiples of 16
 * @flags, @cgroup_fd: as for sys_fork()
 *
 * To copy a process only to execute another program in the copy takes a twentieth of the time in which a pod starts.
 * Where it is not known how to do without (other processors, sanitizers), a copy is made all the same.
 */
pid_t sys_start(uint64_t flags, int cgroup_fd, void *stack, size_t stack_size, void (*fn)(void *arg), void *arg);

/**
 * sys_beside() - the same, but the caller goes on, so neither may write what the other uses
 *
 * They have one errno: what fails there may change it here. The stack is the process's until it has been waited for.
 */
pid_t sys_beside(uint64_t flags, int cgroup_fd, void *stack, size_t stack_size, void (*fn)(void *arg), void *arg);

static inline int sys_pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static inline int sys_pidfd_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

static inline int sys_close_range(unsigned first, unsigned last)
{
	return (int)syscall(SYS_close_range, first, last, 0);
}

/**
 * sys_default_signals() - every signal at its default, as a new program expects: what rkt's caller ignored (nohup) is not
 * the program's affair. Children inherit that, so a pod's PID 1 does it once.
 */
void sys_default_signals(void);

/** sys_unblock_signals() - all of them: what we block is not the program's affair either */
void sys_unblock_signals(void);
