/* SPDX-License-Identifier: Apache-2.0
 * mounts - what an app's root gets besides the image and the kernel's file systems (apifs.h): volumes, and files of
 * /etc that were asked for; and how it becomes the root
 *
 * Runs in the app's process, in its mount namespace, before anything of the app does: no heap.
 */
#pragma once

#include "core/base/err.h"
#include "stage1-init/plan.h"

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

/**
 * mounts_pivot() - @root_fd becomes the root, and everything else is gone
 * @admin: the app keeps CAP_SYS_ADMIN, with which it could take the new root off an initramfs
 * again: refused there
 */
int mounts_pivot(int root_fd, bool admin, struct err *e);
