/* SPDX-License-Identifier: Apache-2.0
 * dir - reading a directory without a heap and with no system call but those that read it
 *
 * opendir() asks for the file's kind and flags and maps memory, each time; where there are thousands of directories of
 * an entry or two, that is most of the work. "." and ".." are never seen.
 */
#pragma once

#include <dirent.h>

#define DIR_BUF 8192

struct dir {
	int      fd;
	unsigned at, len; /* of what is in buf: begin of the next entry, end of the last */
	_Alignas(struct dirent) char buf[DIR_BUF];
};

/** dir_start() - to read the directory @fd from where it stands; borrowed, so no dir_close() */
void dir_start(struct dir *d, int fd);
/** dir_open() - @name in @at_fd, which is not followed; -1/errno */
int dir_open(struct dir *d, int at_fd, const char *name);
/** dir_next() - good until the next call; NULL at the end, with errno 0, and on errors */
const struct dirent *dir_next(struct dir *d);
void dir_close(struct dir *d);
#define auto_dir_reader __attribute__((cleanup(dir_close)))
