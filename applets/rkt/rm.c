/* SPDX-License-Identifier: Apache-2.0
 * rkt rm - removes pods at once that do not run, with all that belongs to them
 */
#include <errno.h>
#include <stdlib.h>

#include "applets/commands.h"
#include "applets/rkt/podref.h"
#include "applets/ui.h"
#include "core/base/fd.h"

struct rm_opts {
	struct rkt_globals g;
	const char        *uuid_file;
};

static const struct opt rm_opts[] = {
	OPT_TEXT(0, "uuid-file", "FILE", struct rm_opts, uuid_file, "read the pod's UUID from FILE"),
	OPT_PART("Global options", rkt_globals_opts, struct rm_opts, g),
	OPT_END
};

static int remove_one(struct rm_opts *o, struct pods *ps, const char *uuid, struct err *e)
{
	struct pod_remove_opts how = { .stage1_gc = podref_stage1_gc, .ctx = &o->g };
	auto_pod struct pod p = { .dir_fd = -1 };
	struct buf out = { 0 };

	if (pod_find(ps, uuid, &p, e) < 0)
		return err_wrap(e, "cannot get pod");
	if (pod_remove(&p, &how, e) < 0)
		return -1;
	buf_fmt(&out, "\"%s\"\n", p.uuid);
	return ui_out(&out, e);
}

static int rm_run(void *opts, int argc, char **argv, struct err *e)
{
	struct rm_opts *o = opts;
	auto_podref struct podref r = PODREF_NONE;
	auto_free char *owned = NULL;
	struct opt_list uuids;
	bool failed = false;

	if (podref_uuids(argc, argv, o->uuid_file, &uuids, &owned, e) < 0 || globals_be_root(&o->g, e) < 0 ||
	    podref_open(&r, &o->g, e) < 0)
		return -1;
	for (size_t i = 0; i < uuids.n; i++) {
		if (remove_one(o, r.pods, uuids.v[i], e) == 0)
			continue;
		ui_error(e);
		failed = true;
	}
	return failed ? err_set(e, EBUSY, "failed to remove one or more pods") : 0;
}

const struct cmd rkt_rm_cmd = {
	.name = "rm", .args = "UUID...", .summary = "Remove pods that do not run, and all that belongs to them.",
	.opts = rm_opts, .opts_size = sizeof(struct rm_opts), .inherits = true, .run = rm_run,
};
