/* SPDX-License-Identifier: Apache-2.0
 * fd - descriptors, ownership by scope, and whole-file reading and publishing
 *
 * A place on disk is (directory fd, name). Every descriptor is born O_CLOEXEC; -1 is "none".
 */
#pragma once

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "core/base/err.h"

/* Released when the variable goes out of scope; initialise where declared. The helpers keep errno. */
#define auto_close __attribute__((cleanup(fd_cleanup)))
#define auto_free  __attribute__((cleanup(mem_cleanup)))
#define auto_dir   __attribute__((cleanup(dir_cleanup)))

void fd_cleanup(int *fd);
void mem_cleanup(void *p); /* takes the address of a pointer */
void dir_cleanup(DIR **d);

/** take_fd() - hand the descriptor over: returns it and leaves -1 behind */
static inline int take_fd(int *fd)
{
	int r = *fd;
	*fd = -1;
	return r;
}

/** take_ptr() - the same for memory; leaves NULL behind */
#define take_ptr(p) __extension__({ __typeof__(p) take_ = (p); (p) = NULL; take_; })

/** fd_close() - close and forget; -1 when the kernel reports a lost write */
int fd_close(int *fd);

/**
 * fd_unlink() - unlinkat() without a wait for the kernel to take a large file apart; -1/errno
 *
 * That takes 0.1 s for each GB that is in memory. A process made for it waits instead of the caller, and holds nothing
 * else that the caller has open.
 */
int fd_unlink(int dir_fd, const char *name);

/** fd_write_all() - all of it, through short writes and EINTR; -1/errno */
int fd_write_all(int fd, const void *data, size_t len);

/** fd_read_full() - until len bytes or end of file; returns the count or -1/errno */
ssize_t fd_read_full(int fd, void *buf, size_t len);

/**
 * fd_copy() - bytes from one regular file to another, sharing or moving them in the kernel where that can be done
 *
 * Says how many: fewer than @len when @from ends before. -1/errno. Neither descriptor's position is used.
 */
int64_t fd_copy(int from, off_t from_at, int to, off_t to_at, uint64_t len);

/**
 * fd_read_file() - a whole regular file into memory
 * @dir_fd, @name: the place; the last component is never followed
 * @max:  more bytes than this are EFBIG
 * @out:  receives malloc'ed bytes with a NUL after the last, the caller's to free
 * @len:  receives the number of bytes; may be NULL
 */
int fd_read_file(int dir_fd, const char *name, size_t max, char **out, size_t *len, struct err *e);

/**
 * fd_open_input() - what a user names to be read: O_RDONLY, the caller's to close
 * @path: links are followed
 * @st: receives what it is: a regular file, a directory, or a pipe that somebody gave us open (/dev/stdin, /dev/fd/N)
 *
 * All else is refused with EINVAL and never waited for: a FIFO may not get a writer for years, and devices do
 * things when they are read. Messages are the reason alone: "is a FIFO, not a file", "No such file or directory".
 */
int fd_open_input(const char *path, struct stat *st, struct err *e);

/**
 * fd_publish() - a file that is there whole or not at all, even after a power cut
 *
 * Written to a temporary file in the same directory, fsync'ed, renamed over @name, directory fsync'ed.
 * @durable false leaves both fsyncs out, for state that a reboot makes meaningless (pid files).
 */
int fd_publish(int dir_fd, const char *name, const void *data, size_t len, mode_t mode, bool durable,
	       struct err *e);

/** fd_proc_ready() - ENODEV, with the remedy, unless /proc shows the calling process */
int fd_proc_ready(struct err *e);

int fd_open_dir(int dir_fd, const char *name, struct err *e); /* O_DIRECTORY|O_NOFOLLOW|O_RDONLY */

/** fd_list() - to read @dir_fd with a position of its own, which a dup() would share; NULL/errno; closedir() it */
DIR *fd_list(int dir_fd);

/** fd_mkdirs() - "a/b/c" below @dir_fd, 0 also when it is there; no component is followed if a symlink */
int fd_mkdirs(int dir_fd, const char *path, mode_t mode, struct err *e);

/* ---- fd_tree.c ---- */

/**
 * fd_remove_tree() - rm -rf of @name below @dir_fd
 *
 * Follows nothing and enters no other mount (a mount point inside is EBUSY). 0 also when it is not there.
 * Depth is bounded by the file system, not by the stack or by descriptors.
 */
int fd_remove_tree(int dir_fd, const char *name, struct err *e);

/**
 * fd_dir_size() - adds the allocated bytes below the directory @name (st_blocks), hard links counted once per name
 *
 * Enters nothing that is mounted; what vanishes meanwhile does not count. Depth costs neither stack nor descriptors.
 */
int fd_dir_size(int dir_fd, const char *name, uint64_t *bytes, struct err *e);
