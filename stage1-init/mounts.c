/* SPDX-License-Identifier: Apache-2.0
 * mounts - see mounts.h
 */
#include "stage1-init/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

#include "core/base/defence.h"
#include "core/base/fd.h"
#include "core/base/sys.h"
#include "stage1-init/etc.h"
#include "stage1-init/rootfs.h"

static int attach(int mnt_fd, int at_fd, const char *where, struct err *e)
{
	return sys_attach(mnt_fd, at_fd, "") < 0 ? err_needs(e, "move-mount", "mount on %s", where) : 0;
}

/* ---- volumes ---- */

#define VOLUMES_MAX 256

int mounts_volumes(const struct plan_app *a, int root_fd, struct err *e)
{
	uint64_t of_host[VOLUMES_MAX];
	struct root_foreign foreign = { .mount_ids = of_host };

	for (size_t i = 0; i < a->n_mounts; i++) {
		const struct plan_mount *m = &a->mounts[i];
		auto_close int at = m->ours ? etc_mount_point(root_fd, m->path, &foreign, e)
					    : root_mount_point(root_fd, m->path, m->dir, &foreign, e);
		if (at < 0 || attach(m->fd, at, m->path, e) < 0)
			return err_wrap(e, "%s%s", m->ours ? "" : "volume ", m->volume);
		if (!m->host)
			continue;
		if (foreign.n == VOLUMES_MAX)
			return err_set(e, E2BIG, "more than %d volumes of the host", VOLUMES_MAX);
		of_host[foreign.n++] = root_mount_id(m->fd);
	}
	return 0;
}

/* ---- mounts of an app with handlers ---- */

typedef int visit(int *mnt_fd, const char *name, bool dir, struct err *e);

/* names are unique in the pod: "0.1" is the second mount of the first app */
static int each_mount(struct plan_app *a, size_t index, visit *v, struct err *e)
{
	char name[48];
	size_t n = 0;

	for (size_t i = 0; i < a->n_cgroups; i++) {
		snprintf(name, sizeof(name), "/dev/%zu.%zu", index, n++);
		if (v(&a->cgroups[i].mount_fd, name, true, e) < 0)
			return err_wrap(e, "cgroup %s", a->cgroups[i].name);
	}
	for (size_t i = 0; i < a->n_mounts; i++) {
		snprintf(name, sizeof(name), "/dev/%zu.%zu", index, n++);
		if (v(&a->mounts[i].fd, name, a->mounts[i].dir, e) < 0)
			return err_wrap(e, "volume %s", a->mounts[i].volume);
	}
	return 0;
}

static bool has_handlers(const struct plan_app *a) { return a->n_pre_start || a->n_post_stop; }

static int keep(int *mnt_fd, const char *name, bool dir, struct err *e)
{
	auto_close int file = dir ? -1 : open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (dir ? mkdir(name, 0700) < 0 : file < 0)
		return err_sys(e, "create %s", name);
	auto_close int at = open(name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0 || attach(*mnt_fd, at, name, e) < 0)
		return at < 0 ? err_sys(e, "open %s", name) : -1;
	fd_cleanup(mnt_fd);
	return 0;
}

static int take_copy(int *mnt_fd, const char *name, bool dir, struct err *e)
{
	*mnt_fd = open(name, O_PATH | O_NOFOLLOW | (dir ? O_DIRECTORY : 0) | O_CLOEXEC);
	return *mnt_fd < 0 ? err_sys(e, "open %s", name) : 0;
}

int mounts_keep(struct plan *p, struct err *e)
{
	for (size_t i = 0; i < p->n_apps; i++)
		if (has_handlers(&p->apps[i]) && each_mount(&p->apps[i], i, keep, e) < 0)
			return err_wrap(e, "app %s", p->apps[i].name);
	return 0;
}

int mounts_take_copies(struct plan_app *a, size_t index, struct err *e)
{
	return has_handlers(a) ? each_mount(a, index, take_copy, e) : 0;
}

/* ---- the new root ---- */

/*
 * The root of an initramfs is no mount that could be exchanged, so pivot_root says EINVAL. There
 * the new root is moved on top of it. Nothing below can be reached from then on, not by ".."
 * either; only by unmounting the new root.
 */
static int cover_initramfs(bool admin, struct err *e)
{
	if (admin)
		return err_set(e, EPERM,
			"the app keeps CAP_SYS_ADMIN, and this host runs from an initramfs, whose "
			"root it could "
			"get back: remove the capability, or start the host's programs from a "
			"mounted root");
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0)
		return err_needs(e, "caps", "move the root");
	if (chroot(".") < 0 || chdir("/") < 0)
		return err_sys(e, "change root");
	return 0;
}

int mounts_pivot(int root_fd, bool admin, struct err *e)
{
	if (fchdir(root_fd) < 0)
		return err_sys(e, "enter the new root");
	if (!DEFENCE("pivot"))
		return chroot(".") < 0 ? err_sys(e, "change root") : 0;
	/* both names are the same place: the old root is then on top of the new one, and is taken
	 * off */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return errno == EINVAL ? cover_initramfs(admin, e) : err_needs(e, "caps", "pivot_root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(e, "detach the old root");
	return 0;
}
