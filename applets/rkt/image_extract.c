/* SPDX-License-Identifier: Apache-2.0
 * rkt image extract - an image as it is in the archive, unpacked into a directory
 */
#include "applets/commands.h"
#include "applets/rkt/images_output.h"
#include "core/store/render.h"

static int extract_run(void *opts, int argc, char **argv, struct err *e)
{
	return images_output_run(opts, argc, argv, render_extract, e);
}

const struct cmd rkt_image_extract_cmd = {
	.name = "extract", .args = "IMAGE OUTPUT_DIR",
	.summary = "Unpack an image in the store into a directory, as it is in the archive.",
	.opts = images_output_opts_table, .opts_size = sizeof(struct images_output_opts),
	.inherits = true, .run = extract_run,
};
