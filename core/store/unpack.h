/* SPDX-License-Identifier: Apache-2.0
 * unpack - an image file as a directory, without a store
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/appc/finding.h"
#include "core/archive/source.h"
#include "core/base/err.h"

struct unpack_opts {
	bool   rootfs_only; /* the root file system itself, without the manifest */
	bool   devices;     /* device nodes are made; otherwise an image with one is refused */
	bool   no_owner;    /* all belongs to the caller; setuid and setgid are dropped */
	void  *ctx;
	void (*progress)(void *ctx, uint64_t in_bytes); /* bytes of the file so far; may be NULL */
	void (*warn)(void *ctx, const char *text);      /* what could not be kept; may be NULL */
};

/**
 * unpack_image() - checks the whole image, and then fills the empty directory @dir_fd with it
 * @in: the image, compressed or not
 * @in_fd: the regular file whose bytes @in lends, from the first on; -1: they cannot be read again there
 * @f: receives all findings
 *
 * Nothing is made in @dir_fd of an image that has a finding of level error. While it is unpacked, @dir_fd's file system
 * holds what is in a compressed or encrypted file (or a pipe) twice, in a file without a name.
 * Errors: EINVAL and the like by the image; ENODEV it has device nodes; those of the file system.
 */
int unpack_image(struct source *in, int in_fd, int dir_fd, const struct unpack_opts *o, struct findings *f, struct err *e);
