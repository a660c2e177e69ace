/* SPDX-License-Identifier: Apache-2.0
 * rkt image render - an image as an app would see it, unpacked into a directory
 */
#include <errno.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/rkt/images.h"
#include "core/base/fd.h"
#include "core/store/render.h"

struct render_opts {
	struct rkt_globals g;
	bool               overwrite, rootfs_only;
};

static const struct opt render_opts[] = {
	OPT_BOOL(0, "overwrite", struct render_opts, overwrite, "replace the output directory if it is there"),
	OPT_BOOL(0, "rootfs-only", struct render_opts, rootfs_only, "only the root file system, without the manifest"),
	OPT_PART("Global options", rkt_globals_opts, struct render_opts, g),
	OPT_END
};

static int fill(struct store *st, const struct image_id *id, int dir_fd, struct err *e)
{
	auto_close int root_fd = render_image(st, id, e);

	return root_fd < 0 ? -1 : render_copy(root_fd, dir_fd, e);
}

static int render_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct render_opts *o = opts;
	struct image_id id;

	if (argc != 2)
		return err_set(e, EINVAL, "must provide an image and an output directory (see --help)");
	struct store *st = images_store(&o->g, false, e);
	if (!st)
		return -1;
	const struct images_output out = {
		.st = st, .id = &id, .overwrite = o->overwrite, .rootfs_only = o->rootfs_only, .fill = fill,
	};
	int r = images_find(st, argv[0], &id, e) < 0 ? -1 : images_output(&out, argv[1], e);
	store_close(st);
	return r;
}

const struct cmd rkt_image_render_cmd = {
	.name = "render", .args = "IMAGE OUTPUT_DIR",
	.summary = "Unpack an image in the store into a directory, as apps see it.",
	.opts = render_opts, .opts_size = sizeof(struct render_opts), .inherits = true, .run = render_run,
};
