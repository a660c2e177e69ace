/* SPDX-License-Identifier: Apache-2.0
 * rkt image render - an image as an app would see it, unpacked into a directory
 */
#include "applets/commands.h"
#include "applets/rkt/images_output.h"
#include "core/base/fd.h"
#include "core/base/rootless.h"
#include "core/store/render.h"

static int fill(struct store *st, const struct image_id *id, int dir_fd, struct err *e)
{
	/* what is rendered in a store is root's, there or in a user namespace */
	if (rootless_is_user())
		return render_unpack(st, id, dir_fd, e);
	auto_close int root_fd = render_image(st, id, NULL, e);

	return root_fd < 0 ? -1 : render_copy(root_fd, dir_fd, e);
}

static int render_run(void *opts, int argc, char **argv, struct err *e)
{
	return images_output_run(opts, argc, argv, fill, e);
}

const struct cmd rkt_image_render_cmd = {
	.name = "render", .args = "IMAGE OUTPUT_DIR",
	.summary = "Unpack an image in the store into a directory, as apps see it.",
	.opts = images_output_opts_table, .opts_size = sizeof(struct images_output_opts),
	.inherits = true, .run = render_run,
};
