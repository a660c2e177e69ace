/* SPDX-License-Identifier: Apache-2.0
 * idmap - mounts that show other owners: of the data directory, and below an overlay; see probe.h
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "core/host/probe.h"
#include "core/pod/userns.h"

/* where root is nobody special */
static int some_userns(struct err *e)
{
	const struct pod_ids ids = { POD_IDS_COUNT, POD_IDS_COUNT };

	return userns_make(&ids, e);
}

/* the data directory through such a mount; -1: the verdict is there */
static int mapped_data(struct host_probe *p)
{
	struct err e;
	auto_close int ns_fd = some_userns(&e);
	auto_close int dir_fd = ns_fd < 0 ? -1 : probe_data_dir(p);
	auto_close int tree_fd = dir_fd < 0 ? -1 : sys_open_tree(dir_fd, "", SYS_TREE_CLONE | AT_EMPTY_PATH);

	if (ns_fd < 0)
		probe_say(p, HOST_UNKNOWN, "needs ns-user and proc: %.200s", e.msg);
	else if (tree_fd < 0)
		probe_say(p, HOST_UNKNOWN, "cannot be tried in %s: %s", p->at->data_dir, strerror(errno));
	else if (userns_map_mount(ns_fd, tree_fd, 0) == 0)
		return take_fd(&tree_fd);
	else if (errno == EINVAL)
		probe_say(p, HOST_MISSING, "%s is on a file system without it", p->at->data_dir);
	else
		probe_failed(p, "");
	return -1;
}

int probe_idmap(struct host_probe *p)
{
	if (p->uid)
		return probe_say(p, HOST_UNKNOWN, "only root can try that");
	int fd = mapped_data(p);
	fd_cleanup(&fd);
	return 0;
}

/* Read-only, of two layers: who may write to an upper one is another question. */
int probe_overlay_idmap(struct host_probe *p)
{
	if (p->uid)
		return probe_say(p, HOST_UNKNOWN, "only root can try that");
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return probe_say(p, HOST_UNKNOWN, "needs ns-mnt: %s", strerror(errno));
	auto_close int fd = mapped_data(p);
	if (fd < 0) {
		if (p->r.verdict == HOST_MISSING)
			p->r.verdict = HOST_UNKNOWN;
		return 0;
	}
	/* the new root: see files.c */
	if (mount("tmpfs", "/", "tmpfs", 0, "mode=0755") < 0 || chdir("/..") < 0 || mkdir("a", 0755) < 0 ||
	    mkdir("b", 0755) < 0 || mkdir("m", 0755) < 0 || sys_attach(fd, AT_FDCWD, "b") < 0)
		return probe_say(p, HOST_UNKNOWN, "needs fs-tmpfs and move-mount: %s", strerror(errno));
	return mount("overlay", "m", "overlay", MS_RDONLY, "lowerdir=a:b");
}
