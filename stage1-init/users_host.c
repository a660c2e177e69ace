/* SPDX-License-Identifier: Apache-2.0
 * users_host - what the host side does for a pod with users of its own; see users.h
 */
#include "stage1-init/users.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/nsfs.h>

#include "core/base/fd.h"
#include "core/base/sys.h"
#include "core/pod/userns.h"

int users_own_output(const struct plan *p, struct err *e)
{
	for (size_t i = 0; i < p->n_apps && p->ids.count; i++) {
		const int fds[] = { p->apps[i].out_fd, p->apps[i].err_fd };
		for (size_t j = 0; j < 2; j++)
			if (fds[j] >= 0 && fchown(fds[j], p->ids.first, p->ids.first) < 0)
				return err_needs(e, "caps-apps", "owner of the app's output");
	}
	return 0;
}

/* what our stage 0 has made already, others have not */
static int make_namespaces(struct plan *p, struct err *e)
{
	struct userns_fds fds = USERNS_FDS_NONE;
	struct userns u;

	if (p->users.user >= 0)
		return 0;
	if (userns_begin(&u, CLONE_NEWIPC | CLONE_NEWUTS | (p->own_net ? CLONE_NEWNET : 0), e) < 0)
		return -1;
	fds.user = userns_map(&u, &p->ids, e);
	int r = fds.user < 0 ? -1 : userns_take(&u, &fds, e);
	userns_drop(&u);
	if (r < 0) {
		userns_fds_close(&fds);
		return -1;
	}
	p->users = fds;
	if (p->own_net)
		p->netns_fd = take_fd(&p->users.net);
	return 0;
}

int users_prepare(struct plan *p, const char *range, const struct userns_fds *fds, struct err *e)
{
	if (!range)
		return 0;
	p->users = *fds;
	if (pod_ids_parse(range, &p->ids, e) < 0 || make_namespaces(p, e) < 0)
		return err_wrap(e, "--private-users");
	for (size_t i = 0; i < p->n_apps; i++)
		p->apps[i].ids = p->ids;
	return 0;
}

/* ---- who a process is ---- */

static int read_map(const char *process, struct pod_ids *ids, struct err *e)
{
	char path[40], text[128], *at = text;
	unsigned long n[3]; /* inside, on the host, how many: in each of the columns */

	snprintf(path, sizeof(path), "/proc/%s/uid_map", process);
	auto_close int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd < 0 ? -1 : fd_read_full(fd, text, sizeof(text) - 1);
	if (len < 0)
		return err_needs(e, "proc", "read %s", path);
	text[len] = 0;
	for (size_t i = 0; i < 3; i++)
		n[i] = strtoul(at, &at, 10);
	if (n[0] || !n[1] || !n[2])
		return err_set(e, EINVAL, "%s: not a map of a pod's users", path);
	*ids = (struct pod_ids){ (uint32_t)n[1], (uint32_t)n[2] };
	return 0;
}

/* says when it is in there, and stays until it is killed */
_Noreturn static void hold(int ns_fd, int report_fd, pid_t parent)
{
	/* after the change of users, which forgets it */
	if (setns(ns_fd, CLONE_NEWUSER) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || getppid() != parent ||
	    write(report_fd, "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* the kernel tells a namespace's ids only of a process in it */
static int read_ids(int ns_fd, struct pod_ids *ids, struct err *e)
{
	pid_t parent = getpid();
	char process[16];
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	pid_t pid = sys_fork(0, NULL, -1);
	if (pid == 0)
		hold(ns_fd, fds[1], parent);
	close(fds[1]);
	int r = pid < 0 ? err_sys(e, "new process") : 0;
	if (r == 0 && read(fds[0], process, 1) != 1)
		r = err_needs(e, "ns-user", "enter the pod's user namespace");
	snprintf(process, sizeof(process), "%d", (int)pid);
	if (r == 0)
		r = read_map(process, ids, e);
	close(fds[0]);
	if (pid > 0)
		kill(pid, SIGKILL);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	return r;
}

int users_of(pid_t pid1, struct plan *p, struct err *e)
{
	char path[40];
	struct stat own, its;

	snprintf(path, sizeof(path), "/proc/%d/ns/ipc", (int)pid1);
	auto_close int ipc = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	auto_close int user = ipc < 0 ? -1 : ioctl(ipc, NS_GET_USERNS);
	if (user < 0 || fcntl(user, F_SETFD, FD_CLOEXEC) < 0 || fstat(user, &its) < 0 || stat("/proc/self/ns/user", &own) < 0)
		return err_needs(e, "proc", "whose namespace %s is", path);
	p->ids = (struct pod_ids){ 0, 0 };
	if (own.st_dev == its.st_dev && own.st_ino == its.st_ino)
		return 0;
	p->users.user = take_fd(&user);
	return read_ids(p->users.user, &p->ids, e);
}
