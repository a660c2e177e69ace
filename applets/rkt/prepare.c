/* SPDX-License-Identifier: Apache-2.0
 * rkt prepare - makes a pod of images, for rkt run-prepared to run
 */
#include <string.h>

#include "applets/commands.h"
#include "applets/rkt/podopts_isolators.h"
#include "applets/rkt/prepare_pod.h"
#include "applets/ui.h"

struct prepare_opts {
	struct rkt_globals g;
	struct podopts     pod;
	bool               quiet;
};

static const struct opt prepare_opts[] = {
	OPT_PART("Options of the pod", podopts_pod, struct prepare_opts, pod),
	OPT_PART("Options of the image before them", podopts_app, struct prepare_opts, pod),
	OPT_PART("Isolators of the image before them", podopts_isolators, struct prepare_opts, pod),
	OPT_PART("Names and addresses", dnsopts_table, struct prepare_opts, pod.dns),
	OPT_PART("Where images are from", podopts_images, struct prepare_opts, pod),
	OPT_PART("Transport", netopts_opts, struct prepare_opts, g.net),
	OPT_PART("Stage 1", stage1_opts_table, struct prepare_opts, pod.stage1),
	/* rkt had one to keep everything but the UUID away from stdout, where nothing else ever goes here */
	{ .kind = OPT_KIND_BOOL, .name = "quiet", .help = "print only the UUID, as is always done",
	  .at = OPT_AT(struct prepare_opts, quiet, bool), .hidden = true },
	OPT_PART("Global options", rkt_globals_opts, struct prepare_opts, g),
	OPT_END
};

static int prepare_operand(void *opts, const char *arg, struct err *e)
{
	return podopts_operand(&((struct prepare_opts *)opts)->pod, arg, e);
}

static int prepare_rest(void *opts, int argc, char **argv, struct err *e)
{
	return podopts_rest(&((struct prepare_opts *)opts)->pod, argc, argv, e);
}

static int print_uuid(const char *uuid, struct err *e)
{
	struct buf b = { 0 };

	buf_fmt(&b, "%s\n", uuid);
	return ui_out(&b, e);
}

static int prepare_run(void *opts, int argc, char **argv, struct err *e)
{
	struct prepare_opts *o = opts;
	struct prepared_pod pp = { .pod.dir_fd = -1 };

	(void)argc;
	(void)argv;
	int r = podopts_check(&o->pod, e) < 0 || globals_be_root(&o->g, e) < 0 ?
			-1 : prepare_pod(&o->g, &o->pod, NULL, &pp, e);
	/* a pod that nobody was told of is nobody's */
	if (r == 0 && (pod_to_prepared(&pp.pod, e) < 0 || print_uuid(pp.pod.uuid, e) < 0)) {
		prepare_pod_undo(&pp);
		r = -1;
	}
	prepare_pod_free(&pp);
	podopts_free(&o->pod);
	return r;
}

const struct cmd rkt_prepare_cmd = {
	.name = "prepare",
	.args = "IMAGE [OPTION...] [-- ARG...] [--- IMAGE ...]",
	.summary = "Make a pod of images and print its UUID, to be started by rkt run-prepared.",
	.more = "Options after an image are about that image; see rkt run.\n",
	.opts = prepare_opts, .opts_size = sizeof(struct prepare_opts), .inherits = true, .run = prepare_run,
	.operand = prepare_operand, .rest = prepare_rest,
};
