/* SPDX-License-Identifier: Apache-2.0
 * rkt - the group of rkt's commands
 */
#include "applets/commands.h"
#include "applets/rkt/globals.h"

static const struct cmd *const rkt_sub[] = { RKT_COMMANDS(COMMAND_ENTRY) NULL };

const struct cmd rkt_cmd = {
	.name = "rkt", .args = "COMMAND [ARGUMENT...]", .summary = "Run App Container Images in pods.",
	.more = "rkt help COMMAND, or rkt COMMAND --help, says more about a command.\n",
	.opts = rkt_globals_opts, .opts_size = sizeof(struct rkt_globals), .init = globals_init,
	.sub = rkt_sub, .failure = 254, .usage = 254,
};

static const struct cmd *const image_sub[] = { RKT_IMAGE_COMMANDS(COMMAND_ENTRY) NULL };

const struct cmd rkt_image_cmd = {
	.name = "image", .args = "COMMAND [ARGUMENT...]", .summary = "Work with the images in the store.",
	.opts = rkt_globals_opts, .opts_size = sizeof(struct rkt_globals), .inherits = true,
	.sub = image_sub,
};
