/* SPDX-License-Identifier: Apache-2.0
 * actool version - versions of this program and of the specification that it implements
 */
#include <errno.h>

#include "applets/actool/actool.h"
#include "applets/commands.h"
#include "applets/ui.h"
#include "core/appc/manifest.h"

struct version_opts {
	struct actool_globals g;
};

static const struct opt version_opts[] = {
	OPT_PART("Global options", actool_globals_opts, struct version_opts, g),
	OPT_END
};

static int version_run(void *opts, int argc, char **argv, struct err *e)
{
	struct buf out = { 0 };

	(void)opts;
	if (argc)
		return err_set(e, EINVAL, "\"%s\" is too much (see --help)", argv[0]);
	buf_fmt(&out, "actool version %s\nappc version %s\n", RKTBOX_VERSION, APPC_VERSION);
	return ui_out(&out, e);
}

const struct cmd actool_version_cmd = {
	.name = "version", .summary = "Print the version.",
	.opts = version_opts, .opts_size = sizeof(struct version_opts), .inherits = true, .run = version_run,
};
