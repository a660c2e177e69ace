/* SPDX-License-Identifier: Apache-2.0
 * cgroup_pass - an app's cgroups on their way from the host side to PID 1; see cgroup.h
 */
#include <errno.h>
#include <string.h>

#include "core/base/fd.h"
#include "stage1-init/cgroup.h"
#include "stage1-init/event.h"

/* One message per app. Descriptors: of each group the mount, then tasks if it has that; last the v2
 * directory. */
struct message {
	struct plan_cgroup cgroups[PLAN_CGROUPS_MAX];
	size_t             n_cgroups;
	bool               v2;
};
_Static_assert(2 * PLAN_CGROUPS_MAX + 1 <= FDS_MAX, "an app's descriptors must fit one message");

static int send_app(struct plan_app *a, int channel_fd)
{
	struct message m = { .n_cgroups = a->n_cgroups, .v2 = a->cgroup_fd >= 0 };
	int fds[FDS_MAX];
	size_t n = 0;

	memcpy(m.cgroups, a->cgroups, sizeof(m.cgroups));
	for (size_t i = 0; i < a->n_cgroups; i++) {
		fds[n++] = a->cgroups[i].mount_fd;
		if (a->cgroups[i].tasks_fd >= 0)
			fds[n++] = a->cgroups[i].tasks_fd;
	}
	if (m.v2)
		fds[n++] = a->cgroup_fd;
	if (fds_send(channel_fd, &m, sizeof(m), fds, n) < 0)
		return -1;
	while (n)
		close(fds[--n]);
	a->n_cgroups = 0;
	a->cgroup_fd = -1;
	return 0;
}

int cgroup_hand_over(struct plan *p, int channel_fd, struct err *e)
{
	for (size_t i = 0; i < p->n_apps; i++)
		if (send_app(&p->apps[i], channel_fd) < 0)
			return err_sys(e, "hand over cgroups");
	return 0;
}

static int take_app(struct plan_app *a, int channel_fd)
{
	struct message m;
	int fds[FDS_MAX];
	size_t n_fds, n = 0;

	ssize_t got = fds_receive(channel_fd, &m, sizeof(m), fds, &n_fds);
	if (got == 0) /* the host side gave up; it says why */
		_exit(STATUS_OWN_FAILURE);
	if (got != (ssize_t)sizeof(m)) {
		errno = got < 0 ? errno : EPROTO;
		return -1;
	}
	memcpy(a->cgroups, m.cgroups, sizeof(m.cgroups));
	a->n_cgroups = m.n_cgroups;
	for (size_t i = 0; i < a->n_cgroups && n < n_fds; i++) {
		a->cgroups[i].mount_fd = fds[n++];
		if (a->cgroups[i].tasks_fd >= 0 && n < n_fds)
			a->cgroups[i].tasks_fd = fds[n++];
	}
	if (m.v2 && n < n_fds)
		a->cgroup_fd = fds[n];
	return 0;
}

int cgroup_take_over(struct plan *p, struct err *e)
{
	for (size_t i = 0; i < p->n_apps; i++)
		if (take_app(&p->apps[i], p->event_fd) < 0)
			return err_sys(e, "take over cgroups");
	return 0;
}
