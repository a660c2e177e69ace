/* SPDX-License-Identifier: Apache-2.0
 * commands - the list of commands; each name X stands for `const struct cmd X_cmd` in the file named after it
 *
 * A new command is one file plus one line here.
 */
#pragma once

#include "applets.conf.h" /* made by the build: RKTBOX_WITH_* */
#include "core/base/opt.h"

/* what fetches, and so brings curl and TLS along; the linker leaves them out where nothing asks for them */
#define RKTBOX_WITH_NETWORK (RKTBOX_WITH_RKT || RKTBOX_WITH_RKT_TRUST || RKTBOX_WITH_RKT_GC)

#define RKT_COMMANDS(X) \
	X(rkt_cat_manifest) \
	X(rkt_config) \
	X(rkt_df) \
	X(rkt_doctor) \
	X(rkt_enter) \
	X(rkt_export) \
	X(rkt_fetch) \
	X(rkt_fsck) \
	X(rkt_gc) \
	X(rkt_image) \
	X(rkt_install) \
	X(rkt_list) \
	X(rkt_logs) \
	X(rkt_metadata_service) \
	X(rkt_prepare) \
	X(rkt_rm) \
	X(rkt_run) \
	X(rkt_run_prepared) \
	X(rkt_status) \
	X(rkt_stop) \
	X(rkt_trust) \
	X(rkt_version)

#define RKT_IMAGE_COMMANDS(X) \
	X(rkt_image_cat_manifest) \
	X(rkt_image_export) \
	X(rkt_image_extract) \
	X(rkt_image_gc) \
	X(rkt_image_info) \
	X(rkt_image_list) \
	X(rkt_image_render) \
	X(rkt_image_rm) \
	X(rkt_image_verify)

#define RKT_TRUST_COMMANDS(X) \
	X(rkt_trust_list) \
	X(rkt_trust_rm)

#define ACTOOL_COMMANDS(X) \
	X(actool_build) \
	X(actool_cat_manifest) \
	X(actool_diff) \
	X(actool_discover) \
	X(actool_extract) \
	X(actool_patch_manifest) \
	X(actool_publish) \
	X(actool_rules) \
	X(actool_validate) \
	X(actool_version)

#define STAGE1_COMMANDS(X) \
	X(stage1_enter) \
	X(stage1_gc) \
	X(stage1_run) \
	X(stage1_stop)

#define COMMAND_DECLARE(x) extern const struct cmd x##_cmd;
#define COMMAND_ENTRY(x)   &x##_cmd,

RKT_COMMANDS(COMMAND_DECLARE)
RKT_IMAGE_COMMANDS(COMMAND_DECLARE)
RKT_TRUST_COMMANDS(COMMAND_DECLARE)
ACTOOL_COMMANDS(COMMAND_DECLARE)
STAGE1_COMMANDS(COMMAND_DECLARE)

/* the applets: what argv[0] may be */
extern const struct cmd rkt_cmd, actool_cmd, stage1_init_cmd;
