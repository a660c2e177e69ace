/* SPDX-License-Identifier: Apache-2.0
 * users - see users.h: what PID 1 and the apps' last steps do; no heap
 */
#include "stage1-init/users.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "core/base/sys.h"
#include "core/pod/userns.h"

int users_enter(const struct plan *p, int *flags, struct err *e)
{
	if (setns(p->users.ipc, CLONE_NEWIPC) < 0 || setns(p->users.uts, CLONE_NEWUTS) < 0)
		return err_needs(e, "ns-user ns-ipc ns-uts", "enter the namespaces of the pod's users");
	*flags &= ~(CLONE_NEWIPC | CLONE_NEWUTS);
	return userns_act_as(p->ids.first) < 0 ? err_needs(e, "caps", "act as the pod's root") : 0;
}

/* devpts knows no other root than the one who mounts it, mqueue none but the one who made the namespace */
int users_own_dev(const struct plan_app *a, struct err *e)
{
	static const char *const of_root[] = { "pts", "pts/ptmx", "mqueue" };
	uid_t root = a->ids.first;

	for (size_t i = 0; i < sizeof(of_root) / sizeof(*of_root); i++)
		if (fchownat(AT_FDCWD, of_root[i], root, root, AT_SYMLINK_NOFOLLOW) < 0)
			return err_needs(e, "caps-apps fs-devpts fs-mqueue", "owner of /dev/%s", of_root[i]);
	return 0;
}

static int outside(const struct plan_app *a, const char *what, unsigned long id, struct err *e)
{
	return err_set(e, ERANGE, "%s %lu: a pod with --private-users has only the ids from 0 to %lu", what, id,
		       (unsigned long)a->ids.count - 1);
}

int users_check(const struct plan_app *a, uid_t uid, gid_t gid, struct err *e)
{
	if (uid >= a->ids.count)
		return outside(a, "user", uid, e);
	if (gid >= a->ids.count)
		return outside(a, "group", gid, e);
	for (size_t i = 0; i < a->n_gids; i++)
		if (a->gids[i] >= a->ids.count)
			return outside(a, "supplementary group", a->gids[i], e);
	return 0;
}

int users_join(int ns_fd, bool admin, struct err *e)
{
	if (setns(ns_fd, CLONE_NEWUSER) < 0)
		return err_needs(e, "ns-user", "enter the pod's user namespace");
	if (admin && unshare(CLONE_NEWNS) < 0)
		return err_needs(e, "ns-user ns-mnt", "new mount namespace");
	return 0;
}
