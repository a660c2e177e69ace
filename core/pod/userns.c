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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/capability.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "core/pod/netns.h"

/* of the process that holds a namespace; there is one at a time */
static _Alignas(16) char stack[16384];

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

static int open_ns(const char *process, const char *name, struct err *e)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%s/ns/%s", process, name);
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_needs(e, "ns-user proc", "open %s", path) : fd;
}

/* ---- the process in it ---- */

#define OTHERS_MAX 3

static const struct other { int flag; const char *name; } others[OTHERS_MAX] = {
	{ CLONE_NEWIPC, "ipc" }, { CLONE_NEWUTS, "uts" }, { CLONE_NEWNET, "net" },
};

union control { char room[CMSG_SPACE(OTHERS_MAX * sizeof(int))]; struct cmsghdr align; };

static int make_others(int flags, struct err *e)
{
	if (flags && unshare(flags) < 0)
		return err_needs(e, "ns-ipc ns-uts ns-net", "new namespaces");
	return flags & CLONE_NEWNET ? netns_loopback_up(e) : 0;
}

static int open_others(int flags, int fds[OTHERS_MAX], size_t *n, struct err *e)
{
	for (size_t i = 0; i < OTHERS_MAX; i++) {
		if (!(flags & others[i].flag))
			continue;
		fds[*n] = open_ns("self", others[i].name, e);
		if (fds[(*n)++] < 0)
			return -1;
	}
	return 0;
}

static int send_report(int fd, struct err *report, const int *fds, size_t n)
{
	struct iovec iov = { .iov_base = report, .iov_len = sizeof(*report) };
	union control ctl = { .room = { 0 } };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (n && !report->code) {
		m.msg_control = ctl.room;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	return sendmsg(fd, &m, MSG_NOSIGNAL) == (ssize_t)sizeof(*report) ? 0 : -1;
}

/* makes what belongs to the namespace, hands it over, and stays until the namespace has its ids */
static void hold(void *arg)
{
	const struct userns *u = arg;
	struct err e;
	int fds[OTHERS_MAX];
	size_t n = 0;
	char go;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	close(u->fd); /* in here only */
	if (make_others(u->flags, &e) == 0 && open_others(u->flags, fds, &n, &e) == 0)
		e.code = 0;
	if (send_report(u->child_fd, &e, fds, n) < 0 || getppid() != u->parent)
		_exit(1);
	while (recv(u->child_fd, &go, 1, 0) < 0 && errno == EINTR)
		continue;
	_exit(0);
}

/* Nothing of us is copied, which would cost more than all that the process does but for its network. */
static int start_holder(struct userns *u, struct err *e)
{
	u->parent = getpid();
	u->pid = sys_beside(CLONE_NEWUSER, -1, stack, sizeof(stack), hold, u);
	return u->pid > 0 ? 0 : err_needs(e, "ns-user", "new user namespace");
}

/* ---- what the others do with it ---- */

int userns_begin(struct userns *u, int flags, struct err *e)
{
	int fds[2];

	*u = (struct userns){ .flags = flags, .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(e, "socketpair");
	u->fd = fds[0];
	u->child_fd = fds[1];
	int r = start_holder(u, e);
	close(fds[1]); /* ours */
	if (r < 0)
		fd_cleanup(&u->fd);
	return r;
}

void userns_drop(struct userns *u)
{
	if (u->pid <= 0)
		return;
	kill(u->pid, SIGKILL);
	while (waitpid(u->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	u->pid = 0;
	fd_cleanup(&u->fd);
}

void userns_fds_close(struct userns_fds *fds)
{
	fd_cleanup(&fds->user);
	fd_cleanup(&fds->ipc);
	fd_cleanup(&fds->uts);
	fd_cleanup(&fds->net);
}

int userns_map(struct userns *u, const struct pod_ids *ids, struct err *e)
{
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", (int)u->pid);
	if (put_map(u->pid, "uid_map", ids, e) < 0 || put_map(u->pid, "gid_map", ids, e) < 0)
		return -1;
	int fd = open_ns(pid, "user", e);
	if (fd >= 0)
		send(u->fd, "", 1, MSG_NOSIGNAL); /* if it has ended, userns_take() says so */
	return fd;
}

static ssize_t receive(int fd, struct err *report, int fds[OTHERS_MAX], size_t *n)
{
	struct iovec iov = { .iov_base = report, .iov_len = sizeof(*report) };
	union control ctl;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.room, .msg_controllen = sizeof(ctl) };
	ssize_t r;

	do
		r = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (r < 0 && errno == EINTR);
	const struct cmsghdr *c = r < 0 ? NULL : CMSG_FIRSTHDR(&m);
	*n = c ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
	if (*n)
		memcpy(fds, CMSG_DATA(c), *n * sizeof(int));
	return r;
}

int userns_take(struct userns *u, struct userns_fds *out, struct err *e)
{
	int *const to[OTHERS_MAX] = { &out->ipc, &out->uts, &out->net }, fds[OTHERS_MAX];
	struct err said;
	size_t n, taken = 0;

	ssize_t r = receive(u->fd, &said, fds, &n);
	for (size_t i = 0; i < OTHERS_MAX; i++)
		if (u->flags & others[i].flag && taken < n)
			*to[i] = fds[taken++];
	if (r != (ssize_t)sizeof(said))
		return err_set(e, ECHILD, "the process that held the pod's namespaces has ended");
	if (said.code)
		*e = said;
	return said.code ? -1 : 0;
}

int userns_make(const struct pod_ids *ids, struct err *e)
{
	struct userns u;

	if (userns_begin(&u, 0, e) < 0)
		return -1;
	int fd = userns_map(&u, ids, e);
	userns_drop(&u);
	return fd;
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
			char *type = strstr(line, " - ");
			found = strtoull(line, NULL, 10) == id;
			if (type && (found || strstr(line, device))) {
				type[3 + strcspn(type + 3, " \n")] = 0;
				snprintf(out, 32, "%.31s", type + 3);
			}
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
