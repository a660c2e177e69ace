/* SPDX-License-Identifier: Apache-2.0
 * volume - see volume.h
 */
#include "stage1-init/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "core/base/defence.h"
#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/base/sys.h"
#include "core/pod/appfs.h"
#include "core/pod/volume.h"
#include "stage1-init/rootfs.h"
#include "stage1-init/users.h"

/* ---- sources ---- */

static int open_host(const struct appc_volume *v, struct plan *p, struct err *e)
{
	bool missing = false;
	int fd = volume_source(v, &missing, e);

	if (missing)
		p->failure = STATUS_NO_SOURCE;
	return fd;
}

static int set_owner_and_mode(int fd, const struct appc_volume *v, struct err *e)
{
	uint32_t mode = 0755;

	if (v->mode && num_mode(v->mode, &mode, e) < 0)
		return err_wrap(e, "mode");
	uid_t uid = v->uid >= 0 ? (uid_t)v->uid : 0;
	gid_t gid = v->gid >= 0 ? (gid_t)v->gid : 0;
	if (fchown(fd, uid, gid) < 0 || fchmod(fd, mode) < 0)
		return err_needs(e, "caps-apps", "owner and mode");
	return 0;
}

static int open_empty(const struct appc_volume *v, int pod_fd, struct err *e)
{
	if (mkdirat(pod_fd, "volumes", 0755) < 0 && errno != EEXIST)
		return err_sys(e, "create volumes");
	auto_close int all = fd_open_dir(pod_fd, "volumes", e);
	if (all < 0)
		return -1;
	bool made = mkdirat(all, v->name, 0700) == 0;
	if (!made && errno != EEXIST)
		return err_sys(e, "create volumes/%s", v->name);
	auto_close int fd = fd_open_dir(all, v->name, e);
	if (fd < 0 || (made && set_owner_and_mode(fd, v, e) < 0))
		return -1;
	return take_fd(&fd);
}

/* ---- from source to mount ---- */

/* a mount point of the app may ask for read-only too */
static bool app_wants_read_only(const struct appc_app *app, const char *path)
{
	for (size_t i = 0; i < app->mount_points.n; i++)
		if (app->mount_points.v[i].read_only && !strcmp(app->mount_points.v[i].path, path))
			return true;
	return false;
}

static int clone_mount(
	int src, const struct appc_volume *v, bool read_only, mode_t mode, struct err *e)
{
	bool recursive = !strcmp(v->kind, "host") && v->recursive != 0; /* rkt's default */
	struct sys_mount_attr attr = {
		/* an app may have CAP_MKNOD; only a device that was named as source is meant to be
		   one */
		.set = (S_ISCHR(mode) || S_ISBLK(mode) || !DEFENCE("nodev") ? 0 : SYS_ATTR_NODEV) |
		       (read_only ? SYS_ATTR_RDONLY : 0),
		.propagation = SYS_PROPAGATION_PRIVATE,
	};
	unsigned depth = recursive ? SYS_AT_RECURSIVE : 0;
	auto_close int fd = sys_open_tree(src, "", AT_EMPTY_PATH | SYS_TREE_CLONE | depth);

	if (fd < 0)
		return err_needs(e, "open-tree mount-setattr", "clone mount");
	if (sys_mount_setattr(fd, "", AT_EMPTY_PATH | depth, &attr) < 0)
		return err_needs(e, "mount-setattr", "mount attributes");
	return take_fd(&fd);
}

/* A mount cannot give what the one that it is a copy of lacks. */
static int check_usable(int src, const struct appc_volume *v, struct err *e)
{
	struct statvfs fs;

	if (fstatvfs(src, &fs) < 0)
		return err_sys(e, "source %s", v->source);
	if (fs.f_flag & ST_NODEV)
		return err_set(e, EACCES,
			"source %s: the file system that this device node is on is mounted nodev, so nobody can open "
			"it: name a node in /dev, or mount that without nodev",
			v->source);
	return 0;
}

static int open_mount(struct plan *p, const struct appc_app *app, const struct appc_volume *v,
	struct plan_mount *to, int pod_fd, struct err *e)
{
	struct stat st;

	to->host = !strcmp(v->kind, "host");
	if (!to->host && strcmp(v->kind, "empty"))
		return err_set(e, EINVAL, "kind \"%s\" is not known (host or empty)", v->kind);
	auto_close int src = to->host ? open_host(v, p, e) : open_empty(v, pod_fd, e);
	if (src < 0)
		return -1;
	if (fstat(src, &st) < 0)
		return err_sys(e, "stat");
	to->dir = S_ISDIR(st.st_mode);
	to->read_only = v->read_only || app_wants_read_only(app, to->path);
	to->device = S_ISCHR(st.st_mode) ? 'c' : S_ISBLK(st.st_mode) ? 'b' : 0;
	to->rdev = st.st_rdev;
	if (to->device && check_usable(src, v, e) < 0)
		return -1;
	to->fd = clone_mount(src, v, to->read_only, st.st_mode, e);
	return to->fd < 0 ? -1 : users_map_volume(p, v, src, to->fd, e);
}

/* ---- what is below ---- */

static bool has_entries(int dir_fd)
{
	auto_dir DIR *d = fd_list(dir_fd);
	const struct dirent *de;

	if (!d)
		return false;
	while ((de = readdir(d)) && (!strcmp(de->d_name, ".") || !strcmp(de->d_name, "..")))
		continue;
	return de;
}

/* An empty directory or file is there to be mounted on. */
static bool has_files(int root_fd, const char *path)
{
	struct stat st;
	auto_close int at = root_open(root_fd, path, O_PATH, ROOT_FOLLOW);

	if (at < 0 || fstat(at, &st) < 0)
		return false;
	return S_ISDIR(st.st_mode) ? has_entries(at) : !S_ISREG(st.st_mode) || st.st_size;
}

/* with what the image has there, then: nobody else can have put anything into it yet */
static bool begins_filled(const struct plan_mount *m)
{
	return !m->host && m->dir && has_entries(m->fd);
}

/* Only for a warning: what cannot be looked at is not worth an error here. */
static void find_masked(struct plan_app *a, int pod_fd)
{
	char target[APPFS_PATH_MAX];

	appfs_target(a->name, target);
	auto_close int root_fd =
		openat(pod_fd, target, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	for (size_t i = 0; root_fd >= 0 && i < a->n_mounts; i++)
		a->mounts[i].masks = has_files(root_fd, a->mounts[i].path) && !begins_filled(&a->mounts[i]);
}

static int open_app(struct plan *p, struct plan_app *a, const struct appc_runtime_app *ra,
	int pod_fd, struct err *e)
{
	for (size_t i = 0; i < ra->mounts.n; i++) {
		const struct appc_mount *m = &ra->mounts.v[i];
		const struct appc_volume *v = appc_mount_volume(&p->manifest, m);
		struct plan_mount *to = a->mounts;
		if (!v)
			return err_set(e, ENOENT, "app %s: mount %s: the pod has no volume \"%s\"",
				a->name, m->path, m->volume);
		/* the plan's are sorted; each is opened once */
		while (to->fd >= 0 || to->path != m->path)
			to++;
		if (open_mount(p, ra->app, v, to, pod_fd, e) < 0)
			return p->failure == STATUS_NO_SOURCE ? -1
							      : err_wrap(e, "volume %s", v->name);
	}
	return 0;
}

int volume_open(struct plan *p, int pod_fd, struct err *e)
{
	for (size_t i = 0; i < p->n_apps; i++) {
		if (open_app(p, &p->apps[i], &p->manifest.apps.v[i], pod_fd, e) < 0)
			return -1;
		if (p->apps[i].n_mounts)
			find_masked(&p->apps[i], pod_fd);
	}
	return 0;
}
