/* SPDX-License-Identifier: Apache-2.0
 * rkt cat-manifest - prints the manifest of a pod
 *
 * Only well-formedness is asked for: a manifest that breaks a rule is just what somebody may want to look at.
 */
#include <errno.h>

#include "applets/commands.h"
#include "applets/rkt/podref.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/base/json.h"

struct cat_manifest_opts {
	struct rkt_globals g;
	bool               pretty;
	const char        *uuid_file;
};

static const struct opt cat_manifest_opts[] = {
	OPT_BOOL(0, "pretty-print", struct cat_manifest_opts, pretty, "indent it (default; =false: one line)"),
	OPT_TEXT(0, "uuid-file", "FILE", struct cat_manifest_opts, uuid_file, "read the pod's UUID from FILE"),
	OPT_PART("Global options", rkt_globals_opts, struct cat_manifest_opts, g),
	OPT_END
};

static void cat_manifest_init(void *opts)
{
	((struct cat_manifest_opts *)opts)->pretty = true;
}

static int cat_manifest_run(void *opts, int argc, char **argv, struct err *e)
{
	struct cat_manifest_opts *o = opts;
	auto_podref struct podref r = PODREF_NONE;
	auto_free char *owned = NULL, *text = NULL;
	const char *uuid;
	size_t len;

	if (podref_one(argc, argv, o->uuid_file, &uuid, &owned, e) < 0 || podref_find(&r, &o->g, uuid, e) < 0)
		return -1;
	if (fd_read_file(r.pod.dir_fd, "pod", APPC_MANIFEST_MAX, &text, &len, e) < 0)
		return err_wrap(e, "manifest of pod %s", r.pod.uuid);
	cJSON *j = json_parse_err(text, len, e);
	if (!j)
		return err_wrap(e, "manifest of pod %s", r.pod.uuid);
	return ui_json(j, o->pretty ? UI_JSON_PRETTY : UI_JSON, e);
}

const struct cmd rkt_cat_manifest_cmd = {
	.name = "cat-manifest", .args = "UUID", .summary = "Print the manifest of a pod.",
	.opts = cat_manifest_opts, .opts_size = sizeof(struct cat_manifest_opts), .init = cat_manifest_init,
	.inherits = true, .run = cat_manifest_run,
};
