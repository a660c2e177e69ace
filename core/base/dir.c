/* SPDX-License-Identifier: Apache-2.0
 * dir - see dir.h
 */
#include "core/base/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/base/fd.h"

/* What the kernel writes is what the C libraries call a dirent, since all of them have numbers of 64 bits there. */
_Static_assert(sizeof(((struct dirent *)0)->d_ino) == 8 && offsetof(struct dirent, d_name) == 19, "as getdents64 has it");

void dir_start(struct dir *d, int fd)
{
	d->fd = fd;
	d->at = d->len = 0;
}

int dir_open(struct dir *d, int at_fd, const char *name)
{
	dir_start(d, openat(at_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	return d->fd < 0 ? -1 : 0;
}

static bool fill(struct dir *d)
{
	long n = syscall(SYS_getdents64, d->fd, d->buf, sizeof(d->buf));

	d->at = 0;
	d->len = n > 0 ? (unsigned)n : 0;
	if (!n)
		errno = 0;
	return n > 0;
}

static bool is_dots(const char *s)
{
	return s[0] == '.' && (!s[1] || (s[1] == '.' && !s[2]));
}

const struct dirent *dir_next(struct dir *d)
{
	for (;;) {
		if (d->at >= d->len && !fill(d))
			return NULL;
		const struct dirent *de = (const struct dirent *)(const void *)(d->buf + d->at);
		d->at += de->d_reclen;
		if (!is_dots(de->d_name))
			return de;
	}
}

void dir_close(struct dir *d)
{
	fd_cleanup(&d->fd);
}
