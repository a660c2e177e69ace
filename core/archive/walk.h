/* SPDX-License-Identifier: Apache-2.0
 * walk - over a tree on disk that becomes an image, or is checked like one
 *
 * Whatever is opened is opened by its path from the root, never following a link nor leaving the file system
 * (openat2): so "..", races and depth are no matter. At most one directory is open at a time, however deep the tree is.
 */
#pragma once

#include "core/archive/tar.h"
#include "core/base/err.h"

#define WALK_ROOT "rootfs" /* what paths begin with */

struct walk {
	int  root_fd;                /* borrowed */
	char path[TAR_PATH_MAX + 1]; /* WALK_ROOT, or below it, of what is at hand */
};

/** walk_start() - at the root */
void walk_start(struct walk *w, int root_fd);

/** walk_below() - the part of @w->path below the root; "." at the root itself */
const char *walk_below(const struct walk *w);

/** walk_open() - opens what is at hand; -1/errno, EXDEV: something is mounted there */
int walk_open(const struct walk *w, int flags);

/** walk_open_failed() - says why walk_open() did not; returns -1 */
int walk_open_failed(const struct walk *w, struct err *e);

/**
 * walk_children() - calls @child for each name in the directory at hand, in order of bytes, with @w->path leading there
 * @dir_fd: that directory. @child may close it (and make it -1); it is opened again when there is another one.
 */
int walk_children(struct walk *w, int *dir_fd, int (*child)(struct walk *w, int *dir_fd, const char *name, struct err *e),
		  struct err *e);

int walk_by_name(const void *a, const void *b); /* qsort() of strings, in order of bytes */
