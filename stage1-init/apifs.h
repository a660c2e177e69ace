/* SPDX-License-Identifier: Apache-2.0
 * apifs - /dev, /proc and /sys of an app: file systems of its own, with masks over what it has no business with
 *
 * Two steps, because they take a fifth of a start: making them needs nothing but the pod's namespaces, so PID 1 does
 * that while the host side still makes cgroups; attaching them to a root is left for the app's process. No heap.
 */
#pragma once

#include "core/base/err.h"
#include "stage1-init/plan.h"

struct apifs {
	int nodes_fd; /* a tmpfs with the device nodes that /dev shows */
	int dev_fd, proc_fd, sys_fd;
	bool rootless, one_gid; /* the nodes are the host's, or PID 1's; no other group but root is there */
};
#define APIFS_NONE { -1, -1, -1, -1, false, false }

/** apifs_make() - detached, for one app; in the pod's namespaces */
int apifs_make(struct apifs *fs, const struct plan *p, struct err *e);
void apifs_close(struct apifs *fs);

/**
 * apifs_attach() - in the app's mount namespace: on dev, proc and sys of @root_fd, and masks on these
 * @shm_fd: the mount that becomes /dev/shm, shared by the pod's apps; -1: the app gets one of its
 * own
 *
 * The current directory is somewhere in /dev afterwards. Order: /dev first, since masks are made of
 * its null; nothing of the image is read or followed after that.
 */
int apifs_attach(const struct apifs *fs, int root_fd, int shm_fd, const struct plan_app *a,
	struct err *e);

/** apifs_console() - /dev/console is the first terminal of the app's devpts */
int apifs_console(const struct apifs *fs, int pts_fd, struct err *e);

/** apifs_shm() - makes and mounts "shm" in the current directory, which is a /dev of ours */
int apifs_shm(struct err *e);
