/* SPDX-License-Identifier: Apache-2.0
 * apifs - see apifs.h
 */
#include "stage1-init/apifs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "core/base/defence.h"
#include "core/base/fd.h"
#include "core/base/sys.h"
#include "stage1-init/rootfs.h"
#include "stage1-init/rootless.h"
#include "stage1-init/users.h"

/* ---- new file systems ---- */

struct option { const char *key, *value; };

/* the group of terminals, on all distributions */
#define TTY_GID      5

static int lacks(const char *type, struct err *e)
{
	err_sys(e, "file system %s", type);
	return err_point(e, "fsopen fs-%s", type);
}

static int new_fs(const char *type, const struct option *o, unsigned attr, struct err *e)
{
	auto_close int fs = sys_fsopen(type);

	if (fs < 0)
		return lacks(type, e);
	/* what stands first in a line of /proc/mounts */
	if (sys_fsconfig(fs, SYS_CONFIG_STRING, "source", type) < 0)
		return err_sys(e, "file system %s: source", type);
	for (; o && o->key; o++)
		if (sys_fsconfig(fs, SYS_CONFIG_STRING, o->key, o->value) < 0)
			return err_sys(e, "file system %s: option %s", type, o->key);
	if (sys_fsconfig(fs, SYS_CONFIG_CREATE, NULL, NULL) < 0)
		return lacks(type, e);
	int fd = sys_fsmount(fs, attr);
	return fd < 0 ? lacks(type, e) : fd;
}

#define SAFE (SYS_ATTR_NOSUID | SYS_ATTR_NODEV | SYS_ATTR_NOEXEC)

static int attach(int mnt_fd, int at_fd, const char *where, struct err *e)
{
	return sys_attach(mnt_fd, at_fd, "") < 0 ? err_needs(e, "move-mount", "mount on %s", where) : 0;
}

/* ---- what is in them ---- */

static const struct node { const char *name; unsigned minor, major;
} nodes[] = {
	{ "null", 3, 1 },
	{ "zero", 5, 1 },
	{ "full", 7, 1 },
	{ "random", 8, 1 },
	{ "urandom", 9, 1 },
	{ "tty", 0, 5 },
};
#define N_NODES (sizeof(nodes) / sizeof(*nodes))

static const struct { const char *name, *to; } dev_links[] = {
	{ "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" }, { "ptmx", "pts/ptmx" },
};
#define N_DEV_LINKS (sizeof(dev_links) / sizeof(*dev_links))

static const char *const dev_dirs[] = { "pts", "mqueue", "shm" };
#define N_DEV_DIRS (sizeof(dev_dirs) / sizeof(*dev_dirs))

/*
 * The nodes live on a tmpfs of their own, since /dev itself must be nodev: an app with CAP_MKNOD
 * can make nodes there, but not use them. That tmpfs ends up below /dev, covered by it. "empty" is
 * what covers directories; below "cgroup" are mount points for groups of version 1.
 */
static int fill_nodes(int fd, bool rootless, struct err *e)
{
	for (size_t i = 0; i < N_NODES && !rootless; i++)
		if (mknodat(fd, nodes[i].name, S_IFCHR | 0666,
			    makedev(nodes[i].major, nodes[i].minor)) < 0)
			return err_needs(e, "mknod", "create /dev/%s", nodes[i].name);
	if (mkdirat(fd, "empty", 0555) < 0)
		return err_sys(e, "create an empty directory");
	return 0;
}

/* with files to put the nodes on, and directories for what is mounted there */
static int fill_dev(int fd, struct err *e)
{
	for (size_t i = 0; i < N_NODES; i++)
		if (mknodat(fd, nodes[i].name, S_IFREG | 0666, 0) < 0)
			return err_sys(e, "create /dev/%s", nodes[i].name);
	for (size_t i = 0; i < N_DEV_LINKS; i++)
		if (symlinkat(dev_links[i].to, fd, dev_links[i].name) < 0)
			return err_sys(e, "create /dev/%s", dev_links[i].name);
	for (size_t i = 0; i < N_DEV_DIRS; i++)
		if (mkdirat(fd, dev_dirs[i], 0755) < 0)
			return err_sys(e, "create /dev/%s", dev_dirs[i]);
	return 0;
}

/* ---- making ---- */

static int make_all(struct apifs *fs, const struct plan *p, struct err *e)
{
	static const struct option small[] = { { "mode", "0755" }, { "size", "65536k" },
		{ NULL, NULL } };

	fs->nodes_fd = new_fs("tmpfs", small, SYS_ATTR_NOSUID | SYS_ATTR_NOEXEC, e);
	if (fs->nodes_fd < 0 || fill_nodes(fs->nodes_fd, fs->rootless, e) < 0)
		return -1;
	bool nodev = DEFENCE("nodev") && !p->apps->no_paths;
	fs->dev_fd = new_fs("tmpfs", small, nodev ? SAFE : SAFE & ~SYS_ATTR_NODEV, e);
	if (fs->dev_fd < 0 || fill_dev(fs->dev_fd, e) < 0)
		return -1;
	fs->proc_fd = new_fs("proc", NULL, SAFE, e);
	if (fs->proc_fd < 0)
		return -1;
	unsigned sys = SAFE | (DEFENCE("sys-read-only") ? SYS_ATTR_RDONLY : 0);
	fs->sys_fd = p->rootless && !p->own_net ? rootless_sys(p, e) : new_fs("sysfs", NULL, sys, e);
	return fs->sys_fd < 0 ? -1 : 0;
}

int apifs_make(struct apifs *fs, const struct plan *p, struct err *e)
{
	mode_t mask = umask(0);

	*fs = (struct apifs)APIFS_NONE;
	fs->rootless = p->rootless;
	fs->one_gid = p->rootless && p->n_gids <= TTY_GID;
	int r = make_all(fs, p, e);
	umask(mask);
	if (r < 0)
		apifs_close(fs);
	return r;
}

void apifs_close(struct apifs *fs)
{
	fd_cleanup(&fs->nodes_fd);
	fd_cleanup(&fs->dev_fd);
	fd_cleanup(&fs->proc_fd);
	fd_cleanup(&fs->sys_fd);
}

/* ---- /dev ---- */

/* attaches to a file or directory in a tmpfs of ours, where nobody else has ever been */
static int attach_in(int mnt_fd, int top_fd, const char *name, struct err *e)
{
	return sys_attach(mnt_fd, top_fd, name) < 0 ? err_needs(e, "move-mount", "mount on %s", name) : 0;
}

static int clone_node(const struct apifs *fs, const char *name)
{
	return fs->rootless ? rootless_node(name) :
			      sys_open_tree(fs->nodes_fd, name, SYS_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
}

static int bind_node(const struct apifs *fs, const struct node *n, struct err *e)
{
	struct stat st;
	auto_close int src = clone_node(fs, n->name);

	if (src < 0 || fstat(src, &st) < 0)
		return err_needs(e, "open-tree dev", "/dev/%s", n->name);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(n->major, n->minor))
		return err_set(e, EINVAL, "/dev/%s: not the device that it should be", n->name);
	return attach_in(src, fs->dev_fd, n->name, e);
}

/* with mount(2), in the current directory: half the time of the calls that take descriptors */
static int mount_here(
	const char *name, const char *type, unsigned long flags, const char *options, struct err *e)
{
	if (mount(type, name, type, flags, options) == 0)
		return 0;
	err_sys(e, "mount %s on /dev/%s", type, name);
	return err_point(e, "fs-%s", type);
}

#define MS_SAFE (MS_NOSUID | MS_NODEV | MS_NOEXEC)

static int mount_shm(struct err *e)
{
	return mount_here("shm", "tmpfs", MS_SAFE, "mode=1777", e);
}

int apifs_shm(struct err *e)
{
	if (mkdir("shm", 0755) < 0)
		return err_sys(e, "create /dev/shm");
	return mount_shm(e);
}

/* what the images' group "tty" is, everywhere; one that is not there cannot be mounted with */
static int mount_pts(const struct apifs *fs, const struct plan_app *a, struct err *e)
{
	char options[80] = "newinstance,ptmxmode=0666,mode=0620";
	size_t n = strlen(options);

	if (!fs->one_gid)
		snprintf(options + n, sizeof(options) - n, ",gid=%lu", (unsigned long)a->ids.first + TTY_GID);
	return mount_here("pts", "devpts", MS_NOSUID | MS_NOEXEC, options, e);
}

static int attach_dev(const struct apifs *fs, int root_fd, int shm_fd, const struct plan_app *a, struct err *e)
{
	auto_close int at = root_system_dir(root_fd, "dev", e);

	if (at < 0 || attach(fs->nodes_fd, at, "/dev", e) < 0 ||
		attach(fs->dev_fd, fs->nodes_fd, "/dev", e) < 0)
		return -1;
	for (size_t i = 0; i < N_NODES; i++)
		if (bind_node(fs, &nodes[i], e) < 0)
			return -1;
	if (fchdir(fs->dev_fd) < 0)
		return err_sys(e, "enter /dev");
	if (mount_pts(fs, a, e) < 0 || mount_here("mqueue", "mqueue", MS_SAFE, NULL, e) < 0)
		return -1;
	if (a->ids.count && users_own_dev(a, e) < 0)
		return -1;
	return shm_fd < 0 ? mount_shm(e) : attach_in(shm_fd, fs->dev_fd, "shm", e);
}

/* ---- masks ---- */

/* one of the kernel's own files or directories below @fs_fd; -1 when this kernel has none */
static int kernel_path(int fs_fd, const char *name)
{
	return root_open(fs_fd, name, O_PATH, ROOT_NO_LINKS);
}

static int mask(int fs_fd, const char *name, const struct apifs *fs, struct err *e)
{
	struct stat st;
	auto_close int at = kernel_path(fs_fd, name);

	if (at < 0 || !DEFENCE("masks"))
		return 0;
	if (fstat(at, &st) < 0)
		return err_sys(e, "mask %s", name);
	bool dir = S_ISDIR(st.st_mode);
	auto_close int cover = dir ? sys_open_tree(fs->nodes_fd, "empty", SYS_TREE_CLONE | AT_SYMLINK_NOFOLLOW) :
				     clone_node(fs, "null");
	if (cover < 0 || fstat(cover, &st) < 0 ||
		(dir && sys_restrict(cover, "", SYS_ATTR_RDONLY | SAFE) < 0))
		return err_needs(e, "open-tree mount-setattr dev", "mask %s", name);
	if (!dir && (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3)))
		return err_set(e, EINVAL, "mask %s: not /dev/null", name);
	return attach(cover, at, name, e);
}

static int make_read_only(int fs_fd, const char *name, struct err *e)
{
	/* the kernel's own names, in which there are no links */
	auto_close int copy = sys_open_tree(fs_fd, name, SYS_TREE_CLONE | AT_SYMLINK_NOFOLLOW);

	if ((copy < 0 && errno == ENOENT) || !DEFENCE("proc-read-only"))
		return 0;
	if (copy < 0 || sys_restrict(copy, "", SYS_ATTR_RDONLY) < 0)
		return err_needs(e, "open-tree mount-setattr", "make %s read-only", name);
	return attach_in(copy, fs_fd, name, e);
}

static int attach_proc(const struct apifs *fs, int root_fd, bool no_paths, struct err *e)
{
	static const char *const masked[] = { "kcore", "keys", "timer_list", "timer_stats",
		"sched_debug", "scsi", "acpi", "asound", "latency_stats" };
	static const char *const read_only[] = { "sysrq-trigger", "bus", "fs", "irq", "sys" };
	auto_close int at = root_system_dir(root_fd, "proc", e);

	if (at < 0 || attach(fs->proc_fd, at, "/proc", e) < 0)
		return -1;
	if (no_paths)
		return 0;
	for (size_t i = 0; i < sizeof(masked) / sizeof(*masked); i++)
		if (mask(fs->proc_fd, masked[i], fs, e) < 0)
			return err_wrap(e, "/proc");
	for (size_t i = 0; i < sizeof(read_only) / sizeof(*read_only); i++)
		if (make_read_only(fs->proc_fd, read_only[i], e) < 0)
			return err_wrap(e, "/proc");
	return 0;
}

/* ---- /sys ---- */

/* to put them on: a tree of its own would take as long as the rest of /sys */
static int attach_v1(const struct plan_app *a, int nodes_fd, int at, struct err *e)
{
	char path[sizeof("cgroup/") + sizeof(a->cgroups->name)];

	if (mkdirat(nodes_fd, "cgroup", 0755) < 0)
		return err_sys(e, "create /sys/fs/cgroup");
	auto_close int top = sys_open_tree(nodes_fd, "cgroup", SYS_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
	if (top < 0)
		return err_needs(e, "open-tree", "/sys/fs/cgroup");
	if (attach(top, at, "/sys/fs/cgroup", e) < 0)
		return -1;
	for (size_t i = 0; i < a->n_cgroups; i++) {
		const struct plan_cgroup *c = &a->cgroups[i];
		if (!*c->name)
			continue;
		snprintf(path, sizeof(path), "cgroup/%s", c->name);
		if (mkdirat(nodes_fd, path, 0755) < 0)
			return err_sys(e, "create /sys/fs/%s", path);
		if (attach_in(c->mount_fd, top, c->name, e) < 0)
			return err_wrap(e, "/sys/fs/cgroup");
	}
	return sys_restrict(top, "", SYS_ATTR_RDONLY | SAFE) < 0 ? err_needs(e, "mount-setattr", "/sys/fs/cgroup") : 0;
}

/* v1: a directory for each hierarchy in which the app has limits; v2: the app's group itself */
static int mount_cgroups(const struct plan_app *a, const struct apifs *fs, struct err *e)
{
	auto_close int at = a->n_cgroups ? kernel_path(fs->sys_fd, "fs/cgroup") : -1;

	if (at < 0)
		return 0;
	if (!*a->cgroups[0].name)
		return attach(a->cgroups[0].mount_fd, at, "/sys/fs/cgroup", e);
	return attach_v1(a, fs->nodes_fd, at, e);
}

static int attach_sys(const struct apifs *fs, int root_fd, const struct plan_app *a, struct err *e)
{
	static const char *const masked[] = { "firmware", "devices/virtual/powercap" };
	static const struct sys_mount_attr writable = { .clear = SYS_ATTR_RDONLY };
	auto_close int at = root_system_dir(root_fd, "sys", e);

	if (at < 0 || attach(fs->sys_fd, at, "/sys", e) < 0)
		return -1;
	if (a->no_paths && sys_mount_setattr(fs->sys_fd, "", AT_EMPTY_PATH, &writable) < 0)
		return err_needs(e, "mount-setattr", "make /sys writable");
	for (size_t i = 0; i < sizeof(masked) / sizeof(*masked) && !a->no_paths; i++)
		if (mask(fs->sys_fd, masked[i], fs, e) < 0)
			return err_wrap(e, "/sys");
	return mount_cgroups(a, fs, e);
}

int apifs_attach(const struct apifs *fs, int root_fd, int shm_fd, const struct plan_app *a,
	struct err *e)
{
	if (attach_dev(fs, root_fd, shm_fd, a, e) < 0 || attach_proc(fs, root_fd, a->no_paths, e) < 0)
		return -1;
	return attach_sys(fs, root_fd, a, e);
}

int apifs_console(const struct apifs *fs, int pts_fd, struct err *e)
{
	auto_close int src = sys_open_tree(pts_fd, "0", SYS_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
	auto_close int at = openat(
		fs->dev_fd, "console", O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0620);

	if (src < 0 || at < 0)
		return err_sys(e, "/dev/console");
	return attach(src, at, "/dev/console", e);
}
