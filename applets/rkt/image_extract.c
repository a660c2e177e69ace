/* SPDX-License-Identifier: Apache-2.0
 * rkt image extract - an image as it is in the archive, unpacked into a directory
 */
#include <errno.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/rkt/images.h"
#include "core/store/render.h"

struct extract_opts {
	struct rkt_globals g;
	bool               overwrite, rootfs_only;
};

static const struct opt extract_opts[] = {
	OPT_BOOL(0, "overwrite", struct extract_opts, overwrite, "replace the output directory if it is there"),
	OPT_BOOL(0, "rootfs-only", struct extract_opts, rootfs_only, "only the root file system, without the manifest"),
	OPT_PART("Global options", rkt_globals_opts, struct extract_opts, g),
	OPT_END
};

static int extract_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct extract_opts *o = opts;
	struct image_id id;

	if (argc != 2)
		return err_set(e, EINVAL, "must provide an image and an output directory (see --help)");
	struct store *st = images_store(&o->g, false, e);
	if (!st)
		return -1;
	const struct images_output out = {
		.st = st, .id = &id, .overwrite = o->overwrite, .rootfs_only = o->rootfs_only, .fill = render_extract,
	};
	int r = images_find(st, argv[0], &id, e) < 0 ? -1 : images_output(&out, argv[1], e);
	store_close(st);
	return r;
}

const struct cmd rkt_image_extract_cmd = {
	.name = "extract", .args = "IMAGE OUTPUT_DIR",
	.summary = "Unpack an image in the store into a directory, as it is in the archive.",
	.opts = extract_opts, .opts_size = sizeof(struct extract_opts), .inherits = true, .run = extract_run,
};
