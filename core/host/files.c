/* SPDX-License-Identifier: Apache-2.0
 * files - mounts and what can be mounted, see probe.h
 *
 * Everything happens in a mount namespace of the probe's own. New file systems are mounted over its root: no other
 * directory is sure to be there.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "core/host/probe.h"
#include "core/pod/appfs.h"

static int own_mounts(void)
{
	if (unshare(CLONE_NEWNS) < 0)
		return -1;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

/* and be in it: ".." of the root is what covers the root */
static int own_tmpfs(void)
{
	if (own_mounts() < 0 || mount("tmpfs", "/", "tmpfs", 0, "mode=0755") < 0)
		return -1;
	return chdir("/..");
}

static int lacks_basis(struct host_probe *p)
{
	return probe_say(p, HOST_UNKNOWN, "needs ns-mnt and fs-tmpfs: %s", strerror(errno));
}

/* ---- the calls of the new mount API, in the order in which kernels got them ---- */

static int new_tmpfs(void)
{
	auto_close int fs_fd = sys_fsopen("tmpfs");

	if (fs_fd < 0 || sys_fsconfig(fs_fd, SYS_CONFIG_CREATE, NULL, NULL) < 0)
		return -1;
	return sys_fsmount(fs_fd, SYS_ATTR_NODEV);
}

int probe_fsopen(struct host_probe *p)
{
	auto_close int fd = -1;

	if (own_mounts() < 0)
		return lacks_basis(p);
	fd = new_tmpfs();
	return fd < 0 ? -1 : 0;
}

int probe_open_tree(struct host_probe *p)
{
	auto_close int fd = -1;

	if (own_tmpfs() < 0)
		return lacks_basis(p);
	fd = sys_open_tree(AT_FDCWD, ".", SYS_TREE_CLONE);
	if (fd < 0)
		return -1;
	if (p->check->probe == probe_move_mount)
		return mkdir("m", 0755) < 0 || sys_attach(fd, AT_FDCWD, "m") < 0 ? -1 : 0;
	return p->check->probe == probe_mount_setattr ? sys_restrict(fd, "", SYS_ATTR_RDONLY) : 0;
}

int probe_move_mount(struct host_probe *p)
{
	return probe_open_tree(p);
}

int probe_mount_setattr(struct host_probe *p)
{
	return probe_open_tree(p);
}

/* ---- file systems ---- */

/* id: "fs-TYPE"; arg: the namespace whose file system it is. Made in a process that was born in that. */
static int mount_fs(struct host_probe *p)
{
	const char *type = p->check->words + strlen("fs-");
	const char *options = !strcmp(type, "devpts") ? "newinstance,ptmxmode=0666,mode=0620" : NULL;

	return mount(type, "/", type, MS_NOSUID | MS_NOEXEC, options);
}

int probe_fs(struct host_probe *p)
{
	if (own_mounts() < 0)
		return lacks_basis(p);
	if (p->check->arg && unshare((int)p->check->arg) < 0)
		return probe_say(p, HOST_UNKNOWN, "needs its namespace: %s", strerror(errno));
	return probe_fork(p, mount_fs);
}

int probe_tmpfs_xattr(struct host_probe *p)
{
	if (own_tmpfs() < 0)
		return lacks_basis(p);
	if (setxattr(".", "trusted.overlay.probe", "y", 1, 0) < 0)
		return -1;
	if (setxattr(".", "user.probe", "y", 1, 0) < 0)
		return probe_say(p, HOST_DEGRADED, "no user attributes (Linux 6.6 has them)");
	return 0;
}

int probe_mknod(struct host_probe *p)
{
	if (p->uid)
		return probe_say(p, HOST_OK, "not needed: without root those of the host are used");
	if (own_tmpfs() < 0)
		return lacks_basis(p);
	if (mknod("null", S_IFCHR | 0666, makedev(1, 3)) < 0)
		return -1;
	auto_close int fd = open("null", O_RDWR | O_CLOEXEC);
	return fd < 0 ? probe_failed(p, "open one: ") : 0;
}

/* ---- overlayfs, with directories of a tmpfs ---- */

static int overlay(const char *option)
{
	char options[100];

	snprintf(options, sizeof(options), "lowerdir=l,upperdir=u,workdir=w%s%s", option ? "," : "", option ? option : "");
	return mount("overlay", "m", "overlay", 0, options);
}

static int make_layers(void)
{
	return own_tmpfs() < 0 || mkdir("l", 0755) < 0 || mkdir("u", 0755) < 0 || mkdir("w", 0755) < 0 ||
	       mkdir("m", 0755) < 0 ? -1 : 0;
}

int probe_overlay(struct host_probe *p)
{
	if (make_layers() < 0)
		return lacks_basis(p);
	return overlay(NULL);
}

int probe_overlay_options(struct host_probe *p)
{
	char refused[80] = "";
	size_t n = 0;

	if (make_layers() < 0)
		return lacks_basis(p);
	if (overlay(NULL) < 0)
		return probe_say(p, HOST_UNKNOWN, "needs overlay");
	umount2("m", 0);
	if (p->uid)
		return overlay("userxattr") == 0 ? 0 : probe_say(p, HOST_MISSING, "refused: userxattr (Linux 5.11)");
	for (size_t i = 0; i < APPFS_N_SEMANTICS; i++) {
		char option[32];
		snprintf(option, sizeof(option), "%s=%s", appfs_semantics[i].key, appfs_semantics[i].value);
		if (overlay(option) == 0)
			umount2("m", 0);
		else
			n += (size_t)snprintf(refused + n, sizeof(refused) - n, " %s", option);
	}
	return n ? probe_say(p, HOST_MISSING, "refused:%s", refused) : 0;
}

int probe_volatile(struct host_probe *p)
{
	if (make_layers() < 0)
		return lacks_basis(p);
	if (overlay("volatile") == 0)
		return 0;
	int code = errno;
	if (overlay(NULL) < 0)
		return probe_say(p, HOST_UNKNOWN, "needs overlay");
	errno = code;
	return -1;
}
