/* SPDX-License-Identifier: Apache-2.0
 * volume - where a pod's volumes of kind "host" come from
 *
 * Stage 0 asks before there is a pod, so that one that could not run leaves nothing behind; stage 1 asks
 * again when it mounts, because a source may vanish in between, and because another stage 0 may not ask.
 */
#pragma once

#include <stdbool.h>

#include "core/appc/manifest.h"
#include "core/base/err.h"

/**
 * volume_source() - the file or directory behind a volume of kind "host", O_PATH, the caller's to close
 * @missing: becomes true when it is not there or cannot be reached, which has an exit status of its own
 *
 * A missing one is `Failed to stat /x: No such file or directory`, as scripts expect it. Symbolic links on
 * the way are an error: the message names the real path.
 * Source: appc spec, spec/ace.md, "Volume Setup".
 */
int volume_source(const struct appc_volume *v, bool *missing, struct err *e);

/**
 * volume_fill() - the new empty volume @name begins as what an image has at its mount point, as Docker's do
 * @root_fd: the rendered root of the image
 * @path: the mount point; links in it lead inside the image
 *
 * Content, owners, modes, times, extended attributes, hard links; and the same of the directory itself. Where the image
 * has no directory there, the volume stays as it is.
 */
int volume_fill(int pod_fd, const char *name, int root_fd, const char *path, struct err *e);

/** volume_check_sources() - the same for all volumes that apps of @m mount, without keeping them open */
int volume_check_sources(const struct pod_manifest *m, bool *missing, struct err *e);
