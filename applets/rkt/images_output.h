/* SPDX-License-Identifier: Apache-2.0
 * images_output - what `image extract` and `image render` share: all of it or nothing
 */
#pragma once

#include "applets/rkt/globals.h"
#include "core/base/opt.h"
#include "core/store/store.h"

struct images_output_opts {
	struct rkt_globals g;
	bool               overwrite, rootfs_only;
};
extern const struct opt images_output_opts_table[];

/** puts the root file system of an image into an empty directory */
typedef int images_fill(struct store *st, const struct image_id *id, int dir_fd, struct err *e);

/**
 * images_output_run() - the command, with struct images_output_opts and the arguments IMAGE OUTPUT_DIR
 *
 * The directory receives manifest and rootfs/, or with --rootfs-only the root itself. It must not be there, unless
 * --overwrite: then it is replaced when the new one is complete.
 */
int images_output_run(const struct images_output_opts *o, int argc, char **argv, images_fill *fill, struct err *e);
