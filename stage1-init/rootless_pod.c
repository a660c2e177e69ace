/* SPDX-License-Identifier: Apache-2.0
 * rootless_pod - see rootless.h; the part of PID 1 and of the apps' processes: no heap, no streams
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "stage1-init/rootless.h"

static int check_id(const char *what, unsigned long id, unsigned long n, struct err *e)
{
	if (id < n)
		return 0;
	return err_set(e, EINVAL, "%s %lu is not in the pod's user namespace, which has %lu from 0 on: run it as root (--user=0 "
		       "--group=0), or get ranges in /etc/subuid and /etc/subgid and the programs newuidmap and newgidmap",
		       what, id, n);
}

int rootless_check_user(const struct plan *p, const struct user *u, struct err *e)
{
	return check_id("user", u->uid, p->n_uids, e) < 0 ? -1 : check_id("group", u->gid, p->n_gids, e);
}

bool rootless_shares_net(const struct plan *p, pid_t pid)
{
	char path[40];
	struct stat ours, theirs;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	return p->rootless && stat("/proc/self/ns/net", &ours) == 0 && stat(path, &theirs) == 0 &&
	       ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

/* ---- /dev and /sys ---- */

static const char *const node_names[ROOTLESS_NODES] = { "null", "zero", "full", "random", "urandom", "tty" };

int rootless_node(const char *name)
{
	char path[32];

	snprintf(path, sizeof(path), "/dev/%s", name);
	return sys_open_tree(AT_FDCWD, path, SYS_TREE_CLONE | AT_SYMLINK_NOFOLLOW);
}

/* All that is mounted in it comes along, since no user namespace may look below what covers others' files. */
int rootless_sys(const struct plan *p, struct err *e)
{
	struct sys_mount_attr ro = {
		.set = SYS_ATTR_RDONLY | SYS_ATTR_NOSUID | SYS_ATTR_NODEV | SYS_ATTR_NOEXEC,
		.propagation = SYS_PROPAGATION_PRIVATE,
	};
	auto_close int fd = sys_open_tree(AT_FDCWD, p->pivoted ? "/dev/sys" : "/sys", SYS_TREE_CLONE | SYS_AT_RECURSIVE);

	if (fd < 0 || sys_mount_setattr(fd, "", AT_EMPTY_PATH | SYS_AT_RECURSIVE, &ro) < 0)
		return err_needs(e, "sys open-tree", "the host's /sys");
	return take_fd(&fd);
}

/*
 * A user namespace gets a new proc or sysfs only where it sees one already, all of it: so PID 1 keeps one of each for the
 * apps' processes, which make their own.
 */
static int new_fs(const char *type, unsigned attr, struct err *e)
{
	auto_close int fs = sys_fsopen(type);
	int fd = fs < 0 || sys_fsconfig(fs, SYS_CONFIG_CREATE, NULL, NULL) < 0 ? -1 :
		sys_fsmount(fs, SYS_ATTR_NOSUID | SYS_ATTR_NODEV | SYS_ATTR_NOEXEC | attr);

	if (fd >= 0)
		return fd;
	err_sys(e, "file system %s", type);
	return err_point(e, "fs-%s", type);
}

int rootless_dev_take(struct rootless_dev *d, const struct plan *p, struct err *e)
{
	for (size_t i = 0; i < ROOTLESS_NODES; i++) {
		d->nodes_fd[i] = rootless_node(node_names[i]);
		if (d->nodes_fd[i] < 0)
			return err_needs(e, "dev", "the host's /dev/%s", node_names[i]);
	}
	d->sys_fd = p->own_net ? new_fs("sysfs", SYS_ATTR_RDONLY, e) : rootless_sys(p, e);
	d->proc_fd = d->sys_fd < 0 ? -1 : new_fs("proc", 0, e);
	return d->proc_fd < 0 ? -1 : 0;
}

int rootless_dev_keep(struct rootless_dev *d, struct err *e)
{
	for (size_t i = 0; i < ROOTLESS_NODES; i++) {
		const char *name = node_names[i];
		if (mknodat(AT_FDCWD, name, S_IFREG | 0666, 0) < 0 || sys_attach(d->nodes_fd[i], AT_FDCWD, name) < 0)
			return err_needs(e, "move-mount dev", "the host's /dev/%s", name);
		fd_cleanup(&d->nodes_fd[i]);
	}
	if (mkdir("sys", 0555) < 0 || sys_attach(d->sys_fd, AT_FDCWD, "sys") < 0 || mkdir("proc", 0555) < 0 ||
	    sys_attach(d->proc_fd, AT_FDCWD, "proc") < 0)
		return err_needs(e, "move-mount", "mount proc and sysfs for the apps");
	fd_cleanup(&d->sys_fd);
	fd_cleanup(&d->proc_fd);
	return 0;
}
