/* SPDX-License-Identifier: Apache-2.0
 * users_host - what the host side does for a pod with users of its own; see users.h
 */
#include "stage1-init/users.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/base/fd.h"
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

static int ns_of(const char *process, struct stat *st, struct err *e)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%s/ns/user", process);
	return stat(path, st) < 0 ? err_needs(e, "proc", "%s", path) : 0;
}

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
