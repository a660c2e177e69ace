/* SPDX-License-Identifier: Apache-2.0
 * etc - in the app's process; see etc.h. No heap.
 */
#include "stage1-init/etc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/pod/dns.h"

static int open_etc(int root_fd)
{
	return root_open(root_fd, "etc", O_PATH | O_DIRECTORY, ROOT_FOLLOW);
}

/* ---- what the image lacks ---- */

static void write_new(int dir_fd, const char *name, const char *text)
{
	auto_close int fd =
		openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	/* nobody is worse off than without the file when this fails */
	if (fd >= 0 && fd_write_all(fd, text, strlen(text)) < 0)
		unlinkat(dir_fd, name, 0);
}

void etc_fill(const struct plan *p, int root_fd)
{
	char text[256];
	auto_close int etc = open_etc(root_fd);

	if (etc < 0 && errno == ENOENT && mkdirat(root_fd, "etc", 0755) == 0)
		etc = open_etc(root_fd);
	if (etc < 0)
		return;
	snprintf(text, sizeof(text), DNS_HOSTS_DEFAULT, p->hostname);
	write_new(etc, "hosts", text);
	snprintf(text, sizeof(text), "%s\n", p->hostname);
	write_new(etc, "hostname", text);
	if (symlinkat("../proc/self/mounts", etc, "mtab") < 0)
		return;
}

/* ---- what is mounted ---- */

/*
 * Whether there is room now that was not there before. Only in the app's root itself: below a volume of the host may
 * lie more mounts of the host. A directory stays, as it may hold more than its name.
 */
static bool make_room(int root_fd, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	struct stat st;
	auto_close int etc = open_etc(root_fd);

	return etc >= 0 && root_mount_id(etc) == root_mount_id(root_fd) &&
	       fstatat(etc, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode) &&
	       unlinkat(etc, name, 0) == 0;
}

int etc_mount_point(int root_fd, const char *path, const struct root_foreign *foreign, struct err *e)
{
	struct err first;
	int fd = root_mount_point(root_fd, path, false, foreign, &first);

	if (fd >= 0)
		return fd;
	if (make_room(root_fd, path))
		return root_mount_point(root_fd, path, false, foreign, e);
	*e = first;
	return -1;
}
