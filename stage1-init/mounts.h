/* SPDX-License-Identifier: Apache-2.0
 * mounts - what an app's root gets besides the image: /dev, /proc, /sys, volumes, a few files in
 * /etc
 *
 * Runs in the app's process, in its mount namespace, before anything of the app does: no heap.
 */
#pragma once

#include "core/base/err.h"
#include "stage1-init/plan.h"

struct app_fs {
	int root_fd;
	int dev_fd, proc_fd;
};

/** mounts_shm() - makes and mounts "shm" in the current directory, which is a /dev of ours */
int mounts_shm(struct err *e);

/**
 * mounts_system() - /dev, /proc, /sys with their masks
 * @shm_fd: the mount that becomes /dev/shm, shared by the pod's apps; -1: the app gets one of its
 * own
 *
 * The current directory is somewhere in /dev afterwards. Order: /dev first, since masks are made of
 * its null; nothing of the image is read or followed after that.
 */
int mounts_system(const struct plan_app *a, int shm_fd, struct app_fs *fs, struct err *e);

/** mounts_volumes() - in the plan's order */
int mounts_volumes(const struct plan_app *a, int root_fd, struct err *e);

/**
 * mounts_keep() - puts the volumes and cgroups of apps with event handlers below /dev, which is a tmpfs of ours
 *
 * A detached mount can be attached once, but each process of such an app has a mount namespace of its own. So
 * PID 1 keeps them in its namespace, of which those are made.
 */
int mounts_keep(struct plan *p, struct err *e);

/** mounts_take_copies() - in an app's process: the plan gets what its namespace has of those; others stay as
 * they are */
int mounts_take_copies(struct plan_app *a, size_t index, struct err *e);

/** mounts_console() - /dev/console is the first terminal of the app's devpts */
int mounts_console(const struct app_fs *fs, int pts_fd, struct err *e);

/** mounts_etc() - hosts, hostname and mtab where the image has an /etc without them; as far as it
 * lets us */
void mounts_etc(const struct plan *p, int root_fd);

/**
 * mounts_pivot() - @root_fd becomes the root, and everything else is gone
 * @admin: the app keeps CAP_SYS_ADMIN, with which it could take the new root off an initramfs
 * again: refused there
 */
int mounts_pivot(int root_fd, bool admin, struct err *e);
