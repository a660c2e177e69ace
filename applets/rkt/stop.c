/* SPDX-License-Identifier: Apache-2.0
 * rkt stop - ends running pods through their stage 1
 */
#include <errno.h>
#include <stdlib.h>

#include "applets/commands.h"
#include "applets/rkt/podref.h"
#include "applets/rkt/stage1.h"
#include "applets/ui.h"
#include "core/base/fd.h"

struct stop_opts {
	struct rkt_globals g;
	bool               force;
	const char        *uuid_file;
};

static const struct opt stop_opts[] = {
	OPT_BOOL(0, "force", struct stop_opts, force, "kill the apps instead of asking them to end"),
	OPT_TEXT(0, "uuid-file", "FILE", struct stop_opts, uuid_file, "read the pod's UUID from FILE"),
	OPT_PART("Global options", rkt_globals_opts, struct stop_opts, g),
	OPT_END
};

static int call_stage1(struct pod *p, bool force, struct err *e)
{
	char option[] = "--force";
	char *args[] = { force ? option : p->uuid, force ? p->uuid : NULL, NULL };
	struct err none;
	int status;

	if (stage1_run(p, "stop", args, &status, e) == 0) {
		if (!status)
			return 0;
		err_set(e, EIO, "its stage 1 ended with status %d", status);
	}
	/* it may just have ended by itself */
	if (pod_refresh(p, &none) < 0 || podref_after_run(p))
		return 0;
	return err_wrap(e, "error stopping \"%s\"", p->uuid);
}

static int stop_one(struct stop_opts *o, struct pods *ps, const char *uuid, struct err *e)
{
	auto_pod struct pod p = { .dir_fd = -1 };
	struct buf out = { 0 };

	if (pod_find(ps, uuid, &p, e) < 0)
		return err_wrap(e, "cannot get pod");
	if (podref_after_run(&p)) {
		buf_fmt(&out, "pod \"%s\" is already stopped\n", p.uuid);
		return ui_out(&out, e);
	}
	if (p.state != POD_RUNNING)
		return err_set(e, ESRCH, "pod \"%s\" is not running", p.uuid);
	if (call_stage1(&p, o->force, e) < 0)
		return -1;
	buf_fmt(&out, "\"%s\"\n", p.uuid);
	return ui_out(&out, e);
}

static int stop_run(void *opts, int argc, char **argv, struct err *e)
{
	struct stop_opts *o = opts;
	auto_podref struct podref r = PODREF_NONE;
	auto_free char *owned = NULL;
	struct opt_list uuids;
	size_t failed = 0;

	if (podref_uuids(argc, argv, o->uuid_file, &uuids, &owned, e) < 0 || globals_be_owner(&o->g, e) < 0 ||
	    podref_open(&r, &o->g, e) < 0)
		return -1;
	for (size_t i = 0; i < uuids.n; i++) {
		if (stop_one(o, r.pods, uuids.v[i], e) == 0)
			continue;
		ui_error(e);
		failed++;
	}
	return failed ? err_set(e, EIO, "failed to stop %zu pod(s)", failed) : 0;
}

const struct cmd rkt_stop_cmd = {
	.name = "stop", .args = "UUID...", .summary = "Stop running pods.",
	.opts = stop_opts, .opts_size = sizeof(struct stop_opts), .inherits = true, .run = stop_run,
};
