/* SPDX-License-Identifier: Apache-2.0
 * appfs - the root file system of an app in its pod, and that of a stage 1 that comes as an image
 *
 * A layer is an overlay: the rendered image below, appsinfo/NAME/{upper,work} of the pod directory above. Where the
 * pod directory's file system cannot hold what overlayfs writes (ramfs, another overlay, no trusted.* attributes),
 * a tmpfs on appsinfo/NAME/upper does, and the changes end with the pod (appsinfo/NAME/in-memory says so afterwards).
 * Without overlayfs the image's tree is copied to the target. upper is there exactly when it is an overlay.
 */
#pragma once

#include <stdbool.h>

#include "core/base/err.h"
#include "core/pod/ids.h"

#define APPFS_STAGE1 ".stage1" /* name of the layer of a stage 1; no app can have it */

/* options that every overlay is mounted with */
struct appfs_option { const char *key, *value; };
#define APPFS_N_SEMANTICS 4
extern const struct appfs_option appfs_semantics[APPFS_N_SEMANTICS];

#define APPFS_PATH_MAX 600
/** appfs_target() - where an app's root is mounted, relative to the pod directory; NAME may be APPFS_STAGE1 */
void appfs_target(const char *name, char out[APPFS_PATH_MAX]);

/**
 * appfs_prepare() - makes upper, a root directory like that of the image, and work
 * @pod_fd: the pod directory, where appsinfo/NAME is
 * @lower_fd: root of the rendered image (O_PATH will do)
 */
int appfs_prepare(int pod_fd, const char *name, int lower_fd, struct err *e);

/** appfs_copy() - instead: a copy of the image's tree at the target, an empty directory that is there already */
int appfs_copy(int pod_fd, const char *name, int lower_fd, struct err *e);

/* of a pod with users of its own: whose the files are, and the namespace that says so */
struct appfs_owners {
	struct pod_ids ids;
	int            userns_fd;
};

/**
 * appfs_mount() - mounts the layer at its target
 * @lower_fd: as above, opened in the mount namespace of the caller; not used when a copy is in place
 *
 * The current directory must be the pod directory, the mount namespace the caller's own. Devices in an app's root
 * do not work (nodev). It is writable for apps that shall be read-only, too: mount points have to be made in it
 * first, so stage 1 makes it read-only.
 * @o: owners are mapped, on the way up from the image and down to appsinfo/NAME/upper, where they are as in any other
 * pod; the caller acts as the first of the ids (userns_act_as()). Where the pod directory's file system cannot be
 * mapped, changes are in memory, as above. NULL: they are what they are.
 * 0: mounted over the target; 1: the target holds the tree itself (a copy); -1. When overlayfs is missing now,
 * the copy is made now.
 */
int appfs_mount(const char *name, int lower_fd, const struct appfs_owners *o, struct err *e);

/**
 * appfs_mount_ro() - the root of an app of a pod that is not running, as the app left it, read-only
 * @lower_fd: root of the rendered image; -1 will do when a copy is in place
 *
 * Returns a directory descriptor of a mount that nobody else sees and that goes with the descriptor. Does not
 * care for the mark that a volatile overlay leaves in its work directory.
 * Errors: ENODATA: the app's changes were in memory only.
 */
int appfs_mount_ro(int pod_fd, const char *app, int lower_fd, struct err *e);

/** appfs_make_alike() - gives the directory @name below @dir_fd owner, mode, attributes and times of @like_fd */
int appfs_make_alike(int dir_fd, const char *name, int like_fd, struct err *e);

/** appfs_is_overlay() - whether the layer needs the image's tree */
bool appfs_is_overlay(int pod_fd, const char *name);
