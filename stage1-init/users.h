/* SPDX-License-Identifier: Apache-2.0
 * users - a pod with users of its own (--private-users): when each process goes where
 *
 * The pod's user namespace owns its network, IPC and host name, so that the apps' capabilities hold for these. Its
 * mounts belong to the host's user namespace. PID 1 and an app's process stay there until everything is in place: so
 * they make mounts, devices and limits as in any other pod, and nothing of that needs rights in the pod's namespace or
 * can be undone by somebody who has all of them. Only then the process joins, gives up what it shall not have, and
 * executes. What it makes on the way belongs to the pod's user 0 (userns_act_as()).
 *
 * The roots of the apps come with the pod's owners; who made them (stage 0) has seen to that.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/appc/manifest.h"
#include "core/base/err.h"
#include "stage1-init/plan.h"

/**
 * users_prepare() - on the host side: the namespaces, into the plan
 * @range: "FIRST:COUNT" as --private-users has it; NULL: nothing is done, here and in all that follows
 * @fds: taken: the namespaces, if stage 0 has made them; its network is in the plan then
 */
int users_prepare(struct plan *p, const char *range, const struct userns_fds *fds, struct err *e);
/** users_own_output() - pipes that take the apps' output belong to the pod: by a path like /dev/stdout an app opens its own
 * once more */
int users_own_output(const struct plan *p, struct err *e);

/** users_map_volume() - the detached mount @mount_fd of the source @src_fd: owners as the pod has them */
int users_map_volume(const struct plan *p, const struct appc_volume *v, int src_fd, int mount_fd, struct err *e);

/* ---- for these a.ids.count must not be 0; no heap from here on ---- */

/** users_enter() - in PID 1: host name and IPC, and whose files are made; @flags: what is left to unshare */
int users_enter(const struct plan *p, int *flags, struct err *e);

/** users_own_dev() - what was mounted on pts and mqueue in the current directory, which is a /dev of ours */
int users_own_dev(const struct plan_app *a, struct err *e);

/** users_check() - that these are ids that the pod has */
int users_check(const struct plan_app *a, uid_t uid, gid_t gid, struct err *e);

/**
 * users_join() - the last step as somebody of the host
 * @admin: the process keeps CAP_SYS_ADMIN: it gets a mount namespace in which that counts, and where it can take
 * nothing away of what is mounted now
 */
int users_join(int ns_fd, bool admin, struct err *e);

/**
 * users_of() - for a visitor: user namespace and ids of the pod whose PID 1 is @pid1, into the plan; count 0: it has none
 *
 * An app may have gone on to a namespace of its own making, so nothing is asked of that: the pod's is the one that the
 * IPC namespace belongs to, which PID 1 stays in.
 */
int users_of(pid_t pid1, struct plan *p, struct err *e);
