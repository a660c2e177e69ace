/* SPDX-License-Identifier: Apache-2.0
 * appfs_map - the layers of an app's overlay, with owners mapped; for appfs.c only
 *
 * overlayfs takes only layers that are mounted in the caller's mount namespace, and that of a mapped mount is the place
 * where it was put. So the image goes on the target, below the overlay that is to come, and appsinfo/NAME on itself:
 * they are seen in the pod's mount namespace alone, and go with it.
 */
#pragma once

#include "core/pod/appfs.h"
#include "core/pod/userns.h"

/**
 * appfs_map_layers() - the root of the mapped image, O_PATH, the caller's to close
 * @on_disk: receives whether what is below appsinfo/NAME could be mapped, too
 *
 * An image that cannot be mapped is an error that says so.
 */
int appfs_map_layers(const char *name, const char *target, int lower_fd, const struct appfs_owners *o, bool *on_disk,
		     struct err *e);

/** appfs_unmap_layers() - takes them away again */
void appfs_unmap_layers(const char *name, const char *target, bool on_disk);

/** appfs_map_copy() - the tree at the target, mapped, on top of itself */
int appfs_map_copy(const char *target, const struct appfs_owners *o, struct err *e);
