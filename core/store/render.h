/* SPDX-License-Identifier: Apache-2.0
 * render - the one way from an image ID to a directory that holds its root file system
 *
 * Behind this interface an image may be an extracted tree (now) or a mounted index; callers only ever see a
 * read-only directory descriptor that stays valid while it is open and while the store's lock is held or a pod
 * directory names the image (see store_gc()).
 */
#pragma once

#include "core/store/store.h"

/** render_image() - renders unless that was done; returns an O_PATH descriptor of the root, the caller's to close */
int render_image(struct store *st, const struct image_id *id, struct err *e);

/** render_copy() - a private copy of the rendered root into the empty directory @dir_fd (no overlayfs, export --overwrite ...) */
int render_copy(int root_fd, int dir_fd, struct err *e);

/** render_is_ready() - whether render_image() would have nothing to do */
bool render_is_ready(struct store *st, const struct image_id *id);

/**
 * render_extract() - the image's own rootfs, as it is in the archive, into the empty directory @dir_fd
 *
 * No dependencies, no whitelist; the content is checked against the ID on the way.
 */
int render_extract(struct store *st, const struct image_id *id, int dir_fd, struct err *e);
