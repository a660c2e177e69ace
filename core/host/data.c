/* SPDX-License-Identifier: Apache-2.0
 * data - what the file system of the data directory can hold, and how images are mounted there; see probe.h
 *
 * Files are made without a name, so they are gone whatever happens.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fsverity.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "core/host/probe.h"

#define LACKS_IT   " is on a file system without it"

static int lacks_place(struct host_probe *p)
{
	return probe_say(p, HOST_UNKNOWN, "cannot be tried in %s: %s", p->at->data_dir, strerror(errno));
}

static int nameless(int dir_fd)
{
	return openat(dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* ---- files ---- */

/* what overlayfs keeps on the files that pods change */
int probe_upper(struct host_probe *p)
{
	struct statfs fs;
	auto_close int dir_fd = probe_data_dir(p);
	auto_close int fd = dir_fd < 0 ? -1 : nameless(dir_fd);

	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return lacks_place(p);
	if (((unsigned long)fs.f_type & 0xfffffffful) == OVERLAYFS_SUPER_MAGIC)
		return probe_say(p, HOST_MISSING, "%s is on an overlay", p->at->data_dir);
	/* without root it keeps them where users can, too */
	return fsetxattr(fd, p->uid ? "user.overlay.probe" : "trusted.overlay.probe", "y", 1, 0);
}

int probe_verity(struct host_probe *p)
{
	struct fsverity_digest none = { .digest_size = 0 };
	auto_close int dir_fd = probe_data_dir(p);
	auto_close int fd = dir_fd < 0 ? -1 : nameless(dir_fd);

	if (fd < 0)
		return lacks_place(p);
	/* a file that could be protected, and is not */
	if (ioctl(fd, FS_IOC_MEASURE_VERITY, &none) < 0 && errno == ENODATA)
		return 0;
	if (errno == ENOTTY || errno == EOPNOTSUPP)
		return probe_say(p, HOST_MISSING, "%s" LACKS_IT, p->at->data_dir);
	return -1;
}

/* ---- images ---- */

int probe_erofs(struct host_probe *p)
{
	auto_close int fd = sys_fsopen("erofs");

	return fd < 0 ? -1 : 0;
}

/* in the store if there is one, for a volume can be mounted anywhere on the way */
static int try_render(struct host_probe *p, enum render_mode m, struct err *e)
{
	auto_close int dir_fd = probe_data_dir(p);
	auto_close int blobs_fd = dir_fd < 0 ? -1 : openat(dir_fd, "cas/blob/sha512", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir_fd < 0)
		return err_sys(e, "open %s", p->at->data_dir);
	return render_try(blobs_fd < 0 ? dir_fd : blobs_fd, m, p->at->how.direct, e);
}

/* arg: which way of rendering */
int probe_render(struct host_probe *p)
{
	struct err e;

	if (try_render(p, (enum render_mode)p->check->arg, &e) == 0)
		return 0;
	return probe_say(p, p->uid ? HOST_UNKNOWN : HOST_MISSING, "%.250s", e.msg);
}

int probe_store(struct host_probe *p)
{
	enum render_mode m = p->at->how.mode;
	struct err e;

	if (p->uid)
		return probe_say(p, HOST_UNKNOWN, "only root can try that");
	if (m != RENDER_AUTO)
		return probe_say(p, HOST_OK, "%s, since that is asked for", render_mode_name(m));
	for (m = RENDER_EROFS, *e.msg = 0; m < RENDER_TREE; m++)
		if (try_render(p, m, &e) == 0)
			return probe_say(p, HOST_OK, "%s%s%.200s", render_mode_name(m), *e.msg ? "; " : "",
					 e.msg);
	return probe_say(p, HOST_DEGRADED, "tree");
}
