/* SPDX-License-Identifier: Apache-2.0
 * actool - the group of the image tools
 */
#include "applets/actool/actool.h"
#include "applets/commands.h"

static const struct cmd *const actool_sub[] = { ACTOOL_COMMANDS(COMMAND_ENTRY) NULL };

const struct opt actool_globals_opts[] = {
	OPT_BOOL(0, "debug", struct actool_globals, debug, "say what was found valid too"),
	OPT_END
};

const struct cmd actool_cmd = {
	.name = "actool", .args = "COMMAND [ARGUMENT...]", .summary = "Build and check App Container Images.",
	.opts = actool_globals_opts, .opts_size = sizeof(struct actool_globals),
	.sub = actool_sub, .failure = 1, .usage = 2,
};
