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

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "stage1-init/rootfs.h"

/* ---- new file systems ---- */

struct option { const char *key, *value; };

static int new_fs(const char *type, const struct option *o, unsigned attr, struct err *e)
{
	auto_close int fs = sys_fsopen(type);

	if (fs < 0)
		return err_sys(e, "file system %s", type);
	/* what stands first in a line of /proc/mounts */
	if (sys_fsconfig(fs, SYS_CONFIG_STRING, "source", type) < 0)
		return err_sys(e, "file system %s: source", type);
	for (; o && o->key; o++)
		if (sys_fsconfig(fs, SYS_CONFIG_STRING, o->key, o->value) < 0)
			return err_sys(e, "file system %s: option %s", type, o->key);
	if (sys_fsconfig(fs, SYS_CONFIG_CREATE, NULL, NULL) < 0)
		return err_sys(e, "file system %s", type);
	int fd = sys_fsmount(fs, attr);
	return fd < 0 ? err_sys(e, "mount %s", type) : fd;
}

#define SAFE (SYS_ATTR_NOSUID | SYS_ATTR_NODEV | SYS_ATTR_NOEXEC)

static int attach(int mnt_fd, int at_fd, const char *where, struct err *e)
{
	return sys_attach(mnt_fd, at_fd, "") < 0 ? err_sys(e, "mount on %s", where) : 0;
}


/* ---- /dev ---- */

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

/*
 * The nodes live on a tmpfs of their own, since /dev itself must be nodev: an app with CAP_MKNOD
 * can make nodes there, but not use them. That tmpfs ends up below /dev, covered by it. "empty" is
 * what covers directories.
 */
static int make_nodes(int fd, struct err *e)
{
	for (size_t i = 0; i < N_NODES; i++)
		if (mknodat(fd, nodes[i].name, S_IFCHR | 0666,
			    makedev(nodes[i].major, nodes[i].minor)) < 0)
			return err_sys(e, "create /dev/%s", nodes[i].name);
	if (mkdirat(fd, "empty", 0555) < 0)
		return err_sys(e, "create an empty directory");
	return 0;
}

static int bind_node(int nodes_fd, int dev_fd, const struct node *n, struct err *e)
{
	struct stat st;
	auto_close int src = sys_open_tree(nodes_fd, n->name, SYS_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
	auto_close int at =
		openat(dev_fd, n->name, O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);

	if (src < 0 || at < 0 || fstat(src, &st) < 0)
		return err_sys(e, "/dev/%s", n->name);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(n->major, n->minor))
		return err_set(e, EINVAL, "/dev/%s: not the device that it should be", n->name);
	return attach(src, at, n->name, e);
}

/* attaches to a new directory in a tmpfs of ours */
static int attach_below(int top_fd, const char *name, int mnt_fd, struct err *e)
{
	if (mkdirat(top_fd, name, 0755) < 0)
		return err_sys(e, "create %s", name);
	auto_close int at = openat(top_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return at < 0 ? err_sys(e, "open %s", name) : attach(mnt_fd, at, name, e);
}

/* The same in the current directory with mount(2): half the time, and nobody else has ever been in
 * that tmpfs. */
static int mount_below(
	const char *name, const char *type, unsigned long flags, const char *options, struct err *e)
{
	if (mkdir(name, 0755) < 0)
		return err_sys(e, "create /dev/%s", name);
	if (mount(type, name, type, flags, options) < 0)
		return err_sys(e, "mount %s on /dev/%s", type, name);
	return 0;
}

#define MS_SAFE (MS_NOSUID | MS_NODEV | MS_NOEXEC)

int mounts_shm(struct err *e)
{
	return mount_below("shm", "tmpfs", MS_SAFE, "mode=1777", e);
}

static int fill_dev(int nodes_fd, int shm_fd, struct app_fs *fs, struct err *e)
{
	for (size_t i = 0; i < N_NODES; i++)
		if (bind_node(nodes_fd, fs->dev_fd, &nodes[i], e) < 0)
			return -1;
	for (size_t i = 0; i < N_DEV_LINKS; i++)
		if (symlinkat(dev_links[i].to, fs->dev_fd, dev_links[i].name) < 0)
			return err_sys(e, "create /dev/%s", dev_links[i].name);
	if (fchdir(fs->dev_fd) < 0)
		return err_sys(e, "enter /dev");
	if (mount_below("pts", "devpts", MS_NOSUID | MS_NOEXEC,
		    "newinstance,ptmxmode=0666,mode=0620,gid=5", e) < 0 ||
		mount_below("mqueue", "mqueue", MS_SAFE, NULL, e) < 0)
		return -1;
	return shm_fd < 0 ? mounts_shm(e) : attach_below(fs->dev_fd, "shm", shm_fd, e);
}

/* leaves the nodes' file system in *nodes_fd, attached, for masks */
static int mount_dev(int shm_fd, struct app_fs *fs, int *nodes_fd, struct err *e)
{
	static const struct option small[] = { { "mode", "0755" }, { "size", "65536k" },
		{ NULL, NULL } };
	auto_close int at = root_system_dir(fs->root_fd, "dev", e);

	if (at < 0)
		return -1;
	*nodes_fd = new_fs("tmpfs", small, SYS_ATTR_NOSUID | SYS_ATTR_NOEXEC, e);
	if (*nodes_fd < 0 || make_nodes(*nodes_fd, e) < 0 || attach(*nodes_fd, at, "/dev", e) < 0)
		return -1;
	fs->dev_fd = new_fs("tmpfs", small, SAFE, e);
	if (fs->dev_fd < 0 || attach(fs->dev_fd, *nodes_fd, "/dev", e) < 0)
		return -1;
	return fill_dev(*nodes_fd, shm_fd, fs, e);
}

/* ---- masks ---- */

/* one of the kernel's own files or directories below @fs_fd; -1 when this kernel has none */
static int kernel_path(int fs_fd, const char *name)
{
	return root_open(fs_fd, name, O_PATH, ROOT_NO_LINKS);
}

static int mask(int fs_fd, const char *name, int nodes_fd, struct err *e)
{
	struct stat st;
	auto_close int at = kernel_path(fs_fd, name);

	if (at < 0)
		return 0;
	if (fstat(at, &st) < 0)
		return err_sys(e, "mask %s", name);
	bool dir = S_ISDIR(st.st_mode);
	auto_close int cover = sys_open_tree(
		nodes_fd, dir ? "empty" : "null", SYS_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
	if (cover < 0 || fstat(cover, &st) < 0 ||
		(dir && sys_restrict(cover, "", SYS_ATTR_RDONLY | SAFE) < 0))
		return err_sys(e, "mask %s", name);
	if (!dir && (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3)))
		return err_set(e, EINVAL, "mask %s: not /dev/null", name);
	return attach(cover, at, name, e);
}

static int make_read_only(int fs_fd, const char *name, struct err *e)
{
	auto_close int at = kernel_path(fs_fd, name);

	if (at < 0)
		return 0;
	auto_close int copy = sys_open_tree(at, "", SYS_TREE_CLONE | AT_EMPTY_PATH);
	if (copy < 0 || sys_restrict(copy, "", SYS_ATTR_RDONLY) < 0)
		return err_sys(e, "make %s read-only", name);
	return attach(copy, at, name, e);
}

static int mount_proc(struct app_fs *fs, int nodes_fd, struct err *e)
{
	static const char *const masked[] = { "kcore", "keys", "timer_list", "timer_stats",
		"sched_debug", "scsi", "acpi", "asound", "latency_stats" };
	static const char *const read_only[] = { "sysrq-trigger", "bus", "fs", "irq", "sys" };
	auto_close int at = root_system_dir(fs->root_fd, "proc", e);

	if (at < 0)
		return -1;
	fs->proc_fd = new_fs("proc", NULL, SAFE, e);
	if (fs->proc_fd < 0 || attach(fs->proc_fd, at, "/proc", e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(masked) / sizeof(*masked); i++)
		if (mask(fs->proc_fd, masked[i], nodes_fd, e) < 0)
			return err_wrap(e, "/proc");
	for (size_t i = 0; i < sizeof(read_only) / sizeof(*read_only); i++)
		if (make_read_only(fs->proc_fd, read_only[i], e) < 0)
			return err_wrap(e, "/proc");
	return 0;
}

/* ---- /sys ---- */

/* v1: a directory for each hierarchy in which the app has limits; v2: the app's group itself */
static int mount_cgroups(const struct plan_app *a, int sys_fd, struct err *e)
{
	static const struct option o[] = { { "mode", "0755" }, { "size", "64k" }, { NULL, NULL } };
	auto_close int at = a->n_cgroups ? kernel_path(sys_fd, "fs/cgroup") : -1;

	if (at < 0)
		return 0;
	if (!*a->cgroups[0].name)
		return attach(a->cgroups[0].mount_fd, at, "/sys/fs/cgroup", e);
	auto_close int top = new_fs("tmpfs", o, SAFE, e);
	if (top < 0 || attach(top, at, "/sys/fs/cgroup", e) < 0)
		return -1;
	for (size_t i = 0; i < a->n_cgroups; i++) {
		const struct plan_cgroup *c = &a->cgroups[i];
		if (!*c->name)
			continue;
		if (attach_below(top, c->name, c->mount_fd, e) < 0)
			return err_wrap(e, "/sys/fs/cgroup");
	}
	return sys_restrict(top, "", SYS_ATTR_RDONLY) < 0 ? err_sys(e, "/sys/fs/cgroup") : 0;
}

static int mount_sys(const struct plan_app *a, struct app_fs *fs, int nodes_fd, struct err *e)
{
	static const char *const masked[] = { "firmware", "devices/virtual/powercap" };
	auto_close int at = root_system_dir(fs->root_fd, "sys", e);
	auto_close int sys_fd = at < 0 ? -1 : new_fs("sysfs", NULL, SAFE | SYS_ATTR_RDONLY, e);

	if (sys_fd < 0 || attach(sys_fd, at, "/sys", e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(masked) / sizeof(*masked); i++)
		if (mask(sys_fd, masked[i], nodes_fd, e) < 0)
			return err_wrap(e, "/sys");
	return mount_cgroups(a, sys_fd, e);
}

int mounts_system(const struct plan_app *a, int shm_fd, struct app_fs *fs, struct err *e)
{
	auto_close int nodes_fd = -1;

	if (mount_dev(shm_fd, fs, &nodes_fd, e) < 0 || mount_proc(fs, nodes_fd, e) < 0 ||
	    mount_sys(a, fs, nodes_fd, e) < 0)
		return -1;
	return 0;
}

int mounts_console(const struct app_fs *fs, int pts_fd, struct err *e)
{
	auto_close int src = sys_open_tree(pts_fd, "0", SYS_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
	auto_close int at = openat(
		fs->dev_fd, "console", O_RDONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0620);

	if (src < 0 || at < 0)
		return err_sys(e, "/dev/console");
	return attach(src, at, "/dev/console", e);
}

/* ---- volumes ---- */

#define VOLUMES_MAX 256

int mounts_volumes(const struct plan_app *a, int root_fd, struct err *e)
{
	uint64_t of_host[VOLUMES_MAX];
	struct root_foreign foreign = { .mount_ids = of_host };

	for (size_t i = 0; i < a->n_mounts; i++) {
		const struct plan_mount *m = &a->mounts[i];
		auto_close int at = root_mount_point(root_fd, m->path, m->dir, &foreign, e);
		if (at < 0 || attach(m->fd, at, m->path, e) < 0)
			return err_wrap(e, "volume %s", m->volume);
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

/* ---- /etc ---- */

static void write_new(int dir_fd, const char *name, const char *text)
{
	auto_close int fd =
		openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	/* nobody is worse off than without the file when this fails */
	if (fd >= 0 && fd_write_all(fd, text, strlen(text)) < 0)
		unlinkat(dir_fd, name, 0);
}

void mounts_etc(const struct plan *p, int root_fd)
{
	char text[256];
	auto_close int etc = root_open(root_fd, "etc", O_PATH | O_DIRECTORY, ROOT_FOLLOW);

	if (etc < 0)
		return;
	snprintf(text, sizeof(text),
		"127.0.0.1\tlocalhost %s\n::1\tlocalhost ip6-localhost ip6-loopback\n",
		p->hostname);
	write_new(etc, "hosts", text);
	snprintf(text, sizeof(text), "%s\n", p->hostname);
	write_new(etc, "hostname", text);
	if (symlinkat("../proc/self/mounts", etc, "mtab") < 0)
		return;
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
		return err_sys(e, "move the root");
	if (chroot(".") < 0 || chdir("/") < 0)
		return err_sys(e, "change root");
	return 0;
}

int mounts_pivot(int root_fd, bool admin, struct err *e)
{
	if (fchdir(root_fd) < 0)
		return err_sys(e, "enter the new root");
	/* both names are the same place: the old root is then on top of the new one, and is taken
	 * off */
	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return errno == EINVAL ? cover_initramfs(admin, e) : err_sys(e, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(e, "detach the old root");
	return 0;
}
