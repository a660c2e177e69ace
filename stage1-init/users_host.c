/* SPDX-License-Identifier: Apache-2.0
 * users_host - what the host side does for a pod with users of its own; see users.h
 */
#include "stage1-init/users.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/base/sys.h"
#include "core/pod/netns.h"
#include "core/pod/userns.h"

/* ---- namespaces that belong to the pod's user namespace ---- */

/* what the helper says; descriptors are of the table that it shares with us */
struct made {
	int        ipc_fd, uts_fd, netns_fd;
	bool       failed;
	struct err err;
};

struct helper {
	int  userns_fd, report_fd;
	bool own_net;
};

static int open_own(const char *name, struct err *e)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? err_needs(e, "proc", "open %s", path) : fd;
}

static int make(const struct helper *h, struct made *m, struct err *e)
{
	int flags = CLONE_NEWIPC | CLONE_NEWUTS | (h->own_net ? CLONE_NEWNET : 0);

	if (setns(h->userns_fd, CLONE_NEWUSER) < 0)
		return err_needs(e, "ns-user", "enter the pod's user namespace");
	/* whose the message queues shall be; it is the namespace's 0 by now */
	if (userns_act_as(0) < 0)
		return err_needs(e, "ns-user", "act as the pod's root");
	if (unshare(flags) < 0)
		return err_needs(e, "ns-ipc ns-uts ns-net", "new namespaces");
	m->ipc_fd = open_own("ipc", e);
	m->uts_fd = m->ipc_fd < 0 ? -1 : open_own("uts", e);
	if (m->uts_fd < 0)
		return -1;
	if (!h->own_net)
		return 0;
	if (netns_loopback_up(e) < 0)
		return -1;
	m->netns_fd = open_own("net", e);
	return m->netns_fd < 0 ? -1 : 0;
}

static void help(void *arg)
{
	const struct helper *h = arg;
	struct made m = { .ipc_fd = -1, .uts_fd = -1, .netns_fd = -1 };

	m.failed = make(h, &m, &m.err) < 0;
	_exit(write(h->report_fd, &m, sizeof(m)) != (ssize_t)sizeof(m));
}

/*
 * Whoever joins the user namespace does not come back, so somebody else does it for us: in our memory, and with our
 * descriptors, so there is little to make and nothing to hand over.
 */
static int make_namespaces(struct plan *p, struct err *e)
{
	static _Alignas(4096) char stack[32 << 10];
	int fds[2];
	struct made m;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	auto_close int in = fds[0], out = fds[1];
	struct helper h = { p->userns_fd, out, p->own_net && p->netns_fd < 0 };
	pid_t pid = sys_start(CLONE_FILES, -1, stack, sizeof(stack), help, &h);
	if (pid < 0)
		return err_needs(e, "clone3", "new process");
	/* a change of namespaces makes our common memory readable for others, where fs.suid_dumpable is set */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	ssize_t n = fd_read_full(in, &m, sizeof(m));
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (n != (ssize_t)sizeof(m))
		return err_set(e, ECHILD, "the namespaces of the pod's users could not be made");
	p->ipc_fd = m.ipc_fd;
	p->uts_fd = m.uts_fd;
	if (m.netns_fd >= 0)
		p->netns_fd = m.netns_fd;
	if (m.failed)
		*e = m.err;
	return m.failed ? -1 : 0;
}

int users_own_output(const struct plan *p, struct err *e)
{
	for (size_t i = 0; i < p->n_apps && p->ids.count; i++) {
		const int fds[] = { p->apps[i].out_fd, p->apps[i].err_fd };
		for (size_t j = 0; j < 2; j++)
			if (fds[j] >= 0 && fchown(fds[j], p->ids.first, p->ids.first) < 0)
				return err_sys(e, "owner of the app's output");
	}
	return 0;
}

int users_prepare(struct plan *p, const char *range, int userns_fd, struct err *e)
{
	p->userns_fd = userns_fd;
	if (!range)
		return 0;
	if (pod_ids_parse(range, &p->ids, e) < 0)
		return err_wrap(e, "--private-users");
	for (size_t i = 0; i < p->n_apps; i++)
		p->apps[i].ids = p->ids;
	if (p->userns_fd < 0)
		p->userns_fd = userns_make(&p->ids, e);
	return p->userns_fd < 0 || make_namespaces(p, e) < 0 ? err_wrap(e, "--private-users") : 0;
}

void users_close(struct plan *p)
{
	fd_cleanup(&p->userns_fd);
	fd_cleanup(&p->ipc_fd);
	fd_cleanup(&p->uts_fd);
}

/* ---- who a process is ---- */

static int ns_of(const char *process, struct stat *st, struct err *e)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%s/ns/user", process);
	return stat(path, st) < 0 ? err_needs(e, "proc", "%s", path) : 0;
}

static int read_map(const char *process, struct pod_ids *ids, struct err *e)
{
	char path[40], text[128];
	unsigned long inside, first, count;

	snprintf(path, sizeof(path), "/proc/%s/uid_map", process);
	auto_close int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : fd_read_full(fd, text, sizeof(text) - 1);
	if (n < 0)
		return err_sys(e, "read %s", path);
	text[n] = 0;
	if (sscanf(text, "%lu %lu %lu", &inside, &first, &count) != 3 || inside || !first || !count)
		return err_set(e, EINVAL, "%s: not a map of a pod's users", path);
	*ids = (struct pod_ids){ (uint32_t)first, (uint32_t)count };
	return 0;
}

int users_of(pid_t pid, struct pod_ids *ids, struct err *e)
{
	char process[16];
	struct stat own, its;

	*ids = (struct pod_ids){ 0, 0 };
	snprintf(process, sizeof(process), "%d", (int)pid);
	if (ns_of("self", &own, e) < 0 || ns_of(process, &its, e) < 0)
		return -1;
	if (own.st_dev == its.st_dev && own.st_ino == its.st_ino)
		return 0;
	return read_map(process, ids, e);
}
