/* SPDX-License-Identifier: Apache-2.0
 * group - see group.h
 */
#include "core/base/group.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/sys.h"

#define KEEP_OWNER ((uid_t)-1)

/* the group first: a change of it takes the set-group-ID bit away */
static int give(struct group_set *s, int fd, const struct stat *st, mode_t mode)
{
	return (st->st_gid != s->gid && fchown(fd, KEEP_OWNER, s->gid) < 0) || fchmod(fd, mode) < 0 ? -1 : 0;
}

static void tell(const struct group_set *s, const char *name, const struct stat *st, mode_t mode)
{
	char text[300];

	if (!s->changed)
		return;
	snprintf(text, sizeof(text), "%.200s: mode %04o to %04o, group %u to %u", name, (unsigned)st->st_mode & 07777,
		 (unsigned)mode, (unsigned)st->st_gid, (unsigned)s->gid);
	s->changed(s->ctx, text);
}

int group_dir(struct group_set *s, int at_fd, const char *name, mode_t mode, struct err *e)
{
	struct stat st;
	auto_close int fd = sys_open_in(at_fd, name, O_RDONLY | O_DIRECTORY, SYS_NO_SYMLINKS);
	bool made = fd < 0 && errno == ENOENT;

	if (made && mkdirat(at_fd, name, 0700) < 0)
		return err_sys(e, "create directory %s", name);
	if (made)
		fd = sys_open_in(at_fd, name, O_RDONLY | O_DIRECTORY, SYS_NO_SYMLINKS);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open directory %s", name);
	if (st.st_gid == s->gid && (st.st_mode & 07777) == mode)
		return take_fd(&fd);
	if (give(s, fd, &st, mode) < 0)
		return err_sys(e, "group and mode of %s", name);
	if (made)
		st.st_mode = 0;
	tell(s, name, &st, mode);
	return take_fd(&fd);
}

int group_file(struct group_set *s, int at_fd, const char *name, mode_t mode, struct err *e)
{
	struct stat st;
	auto_close int fd = openat(at_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENXIO ? 0 : err_sys(e, "open %s", name);
	if (fstat(fd, &st) < 0)
		return err_sys(e, "look at %s", name);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || (st.st_gid == s->gid && (st.st_mode & 07777) == mode))
		return 0;
	if (give(s, fd, &st, mode) < 0)
		return err_sys(e, "group and mode of %s", name);
	s->n_files++;
	return 1;
}
