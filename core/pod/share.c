/* SPDX-License-Identifier: Apache-2.0
 * share - see share.h
 */
#include "core/pod/share.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/fd.h"
#include "core/pod/place.h"

static const char *const open_files[] = { "pod", "created" };
static const char *const closed_dirs[] = { "appsinfo", "volumes", "stage1/rootfs/opt" };

/* pods of older versions have them otherwise; what is missing is not made, and a pod may go at any time */
static int settle(const struct pod *p, struct err *e)
{
	for (size_t i = 0; i < sizeof(open_files) / sizeof(*open_files); i++)
		if (fchmodat(p->dir_fd, open_files[i], 0644, 0) < 0 && errno != ENOENT)
			return err_sys(e, "mode of %s of pod %s", open_files[i], p->uuid);
	for (size_t i = 0; i < sizeof(closed_dirs) / sizeof(*closed_dirs); i++) {
		auto_close int fd = pod_open_beneath(p->dir_fd, closed_dirs[i], O_RDONLY | O_DIRECTORY);
		if (fd >= 0 && fchmod(fd, 0700) < 0)
			return err_sys(e, "mode of %s of pod %s", closed_dirs[i], p->uuid);
	}
	return 0;
}

static int share_pod(void *ctx, struct pod *p, struct err *e)
{
	struct group_set *s = ctx;
	struct stat st;

	if (fstat(p->dir_fd, &st) < 0)
		return err_sys(e, "pod %s", p->uuid);
	if (st.st_gid == s->gid && (st.st_mode & 07777) == 0750)
		return 0;
	/* closed before it is opened */
	if (settle(p, e) < 0)
		return -1;
	if (fchown(p->dir_fd, (uid_t)-1, s->gid) < 0 || fchmod(p->dir_fd, 0750) < 0)
		return err_sys(e, "group and mode of pod %s", p->uuid);
	s->n_files++;
	return 0;
}

int pods_share(const char *dir, struct group_set *s, struct err *e)
{
	static const char *const places[] = {
		"pods/embryo", "pods/prepare", "pods/prepared", "pods/run", "pods/exited-garbage", "pods/garbage",
	};
	auto_close int top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_close int pods = top < 0 ? -1 : group_dir(s, top, "pods", 02750, e);

	if (pods < 0)
		return top < 0 ? err_sys(e, "open %s", dir) : -1;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		auto_close int fd = group_dir(s, top, places[i], 02750, e);
		if (fd < 0)
			return -1;
	}
	struct pods *ps = pods_open(dir, true, e);
	int r = ps ? pods_each(ps, share_pod, s, e) : -1;
	pods_close(ps);
	return r;
}
