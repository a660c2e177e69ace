/* SPDX-License-Identifier: Apache-2.0
 * userns - see userns.h
 */
#include "core/pod/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "core/pod/netns.h"

/* ---- the namespace ---- */

/* by us, from outside, so that it needs no rights in there, and groups can be set in it */
static int put_map(pid_t pid, const char *what, const struct pod_ids *ids, struct err *e)
{
	char path[40], map[40];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, what);
	int n = snprintf(map, sizeof(map), "0 %lu %lu", (unsigned long)ids->first, (unsigned long)ids->count);
	auto_close int fd = openat(AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, map, (size_t)n) == n)
		return 0;
	return err_needs(e, "ns-user proc", "give the pod the ids from %lu on (write its %s)",
			 (unsigned long)ids->first, what);
}

static int open_ns(pid_t pid, const char *name, struct err *e)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_needs(e, "ns-user proc", "open %s", path) : fd;
}

static int make_others(int flags, struct err *e)
{
	if (flags && unshare(flags) < 0)
		return err_needs(e, "ns-ipc ns-uts ns-net", "new namespaces");
	return flags & CLONE_NEWNET ? netns_loopback_up(e) : 0;
}

/* says whether it worked, and holds the namespaces until there are descriptors */
_Noreturn static void hold(int flags, pid_t parent, int report_fd)
{
	struct err e = { .code = 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (make_others(flags, &e) == 0)
		e.code = 0;
	if (write(report_fd, &e, sizeof(e)) != (ssize_t)sizeof(e) || getppid() != parent)
		_exit(1);
	for (;;)
		pause();
}

int userns_begin(struct userns *u, int flags, struct err *e)
{
	pid_t parent = getpid();
	int fds[2];

	*u = (struct userns){ .flags = flags, .report_fd = -1 };
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	u->pid = sys_fork(CLONE_NEWUSER, NULL, -1);
	if (u->pid == 0)
		hold(flags, parent, fds[1]);
	int why = errno;
	close(fds[1]);
	u->report_fd = fds[0];
	if (u->pid > 0)
		return 0;
	fd_cleanup(&u->report_fd);
	errno = why;
	return err_needs(e, "ns-user", "new user namespace");
}

void userns_drop(struct userns *u)
{
	if (u->pid <= 0)
		return;
	kill(u->pid, SIGKILL);
	while (waitpid(u->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	u->pid = 0;
	fd_cleanup(&u->report_fd);
}

void userns_fds_close(struct userns_fds *fds)
{
	fd_cleanup(&fds->user);
	fd_cleanup(&fds->ipc);
	fd_cleanup(&fds->uts);
	fd_cleanup(&fds->net);
}

static int await_report(const struct userns *u, struct err *e)
{
	struct err said;

	if (fd_read_full(u->report_fd, &said, sizeof(said)) != (ssize_t)sizeof(said))
		return err_set(e, ECHILD, "the process that held the pod's namespaces has ended");
	if (said.code)
		*e = said;
	return said.code ? -1 : 0;
}

static int open_all(const struct userns *u, struct userns_fds *out, struct err *e)
{
	const struct { int flag, *fd; const char *name; } all[] = {
		{ 0, &out->user, "user" }, { CLONE_NEWIPC, &out->ipc, "ipc" }, { CLONE_NEWUTS, &out->uts, "uts" },
		{ CLONE_NEWNET, &out->net, "net" },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if ((u->flags & all[i].flag) == all[i].flag && (*all[i].fd = open_ns(u->pid, all[i].name, e)) < 0)
			return -1;
	return 0;
}

int userns_take(struct userns *u, const struct pod_ids *ids, struct userns_fds *out, struct err *e)
{
	*out = (struct userns_fds)USERNS_FDS_NONE;
	int r = put_map(u->pid, "uid_map", ids, e) < 0 || put_map(u->pid, "gid_map", ids, e) < 0 ||
		await_report(u, e) < 0 || open_all(u, out, e) < 0 ? -1 : 0;
	if (r < 0)
		userns_fds_close(out);
	userns_drop(u);
	return r;
}

int userns_make(const struct pod_ids *ids, struct err *e)
{
	struct userns_fds fds = USERNS_FDS_NONE;
	struct userns u;

	return userns_begin(&u, 0, e) < 0 || userns_take(&u, ids, &fds, e) < 0 ? -1 : fds.user;
}

/* ---- mounts ---- */

int userns_map_mount(int userns_fd, int mount_fd, unsigned depth)
{
	const struct sys_mount_attr a = { .set = SYS_ATTR_IDMAP, .userns_fd = (uint64_t)userns_fd };

	return sys_mount_setattr(mount_fd, "", AT_EMPTY_PATH | depth, &a);
}

/* STATX_MNT_ID and its field, which not every C library names: behind stx_dev_minor */
static uint64_t mount_id(int fd)
{
	struct statx sx;
	uint64_t id;

	if (statx(fd, "", AT_EMPTY_PATH, 0x1000, &sx) < 0 || !(sx.stx_mask & 0x1000))
		return 0;
	memcpy(&id, (const char *)&sx + 0x90, sizeof(id));
	return id;
}

/* the type in the line of that mount; a detached one has none, but another one of the same device may */
static void type_of(int fd, char out[32])
{
	char device[32], line[4096];
	struct stat st;
	uint64_t id = mount_id(fd);
	FILE *f = fopen("/proc/self/mountinfo", "re");
	bool found = false;

	snprintf(out, 32, "a file system");
	if (f && fstat(fd, &st) == 0) {
		snprintf(device, sizeof(device), " %u:%u ", (unsigned)major(st.st_dev), (unsigned)minor(st.st_dev));
		while (!found && fgets(line, sizeof(line), f)) {
			const char *type = strstr(line, " - ");
			found = strtoull(line, NULL, 10) == id;
			if (type && (found || strstr(line, device)))
				sscanf(type + 3, "%31s", out);
		}
	}
	if (f)
		fclose(f);
}

void userns_cannot_map_text(struct err *e, int at_fd, const char *what)
{
	int why = errno;
	char type[32];

	type_of(at_fd, type);
	if (why == EPERM) {
		err_set_text(e, why, "%s: mounted (as %s) with owners that are mapped already, and not for this pod: "
			"use the mount that it was made of, or leave --private-users out", what, type);
		return;
	}
	errno = why;
	if (why != EINVAL) {
		err_needs_text(e, "mount-setattr idmap", "%s: show owners as the pod has them", what);
		return;
	}
	err_set_text(e, why, "%s: %s, of which this kernel cannot map owners to those of a pod with --private-users: "
		"have it on ext4, xfs, btrfs or (since Linux 6.3) tmpfs, or leave --private-users out "
		"(see rkt doctor idmap)", what, type);
}

/* ---- who makes files ---- */

int userns_act_as(uint32_t id)
{
	struct __user_cap_header_struct h = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	setfsgid(id);
	setfsuid(id);
	/* they say who it was before, not whether it worked */
	if ((uint32_t)setfsuid((uid_t)-1) != id || (uint32_t)setfsgid((gid_t)-1) != id) {
		errno = EPERM;
		return -1;
	}
	if (!id)
		return 0;
	/* for the kernel, who gives up being root for files gives up what root may do with files */
	if (syscall(SYS_capget, &h, d) < 0)
		return -1;
	for (int i = 0; i < 2; i++)
		d[i].effective = d[i].permitted;
	return (int)syscall(SYS_capset, &h, d);
}
