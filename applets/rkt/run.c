/* SPDX-License-Identifier: Apache-2.0
 * rkt run - makes a pod of images and runs it
 *
 * This process becomes the pod's stage 1, so whoever called rkt waits for the pod, and signals
 * reach it. It can be killed at any moment before: what is left is a directory in prepare/ or run/
 * that nobody locks, for gc to remove.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets/commands.h"
#include "applets/rkt/launch.h"
#include "applets/rkt/podopts_isolators.h"
#include "applets/rkt/prepare_pod.h"
#include "applets/ui.h"
#include "core/base/fd.h"

struct run_opts {
	struct rkt_globals g;
	struct podopts     pod;
	struct launch_opts launch;
	const char        *uuid_file;
};

static const struct opt run_opts[] = {
	OPT_PART("Options of the pod", podopts_pod, struct run_opts, pod),
	OPT_PART("Options of the image before them", podopts_app, struct run_opts, pod),
	OPT_PART("Isolators of the image before them", podopts_isolators, struct run_opts, pod),
	OPT_PART("Names and addresses", dnsopts_table, struct run_opts, pod.dns),
	OPT_PART("Start", launch_opts_table, struct run_opts, launch),
	OPT_TEXT(0, "uuid-file-save", "FILE", struct run_opts, uuid_file, "write the pod's UUID to FILE"),
	OPT_PART("Where images are from", podopts_images, struct run_opts, pod),
	OPT_PART("Transport", netopts_opts, struct run_opts, g.net),
	OPT_PART("Stage 1", stage1_opts_table, struct run_opts, pod.stage1),
	OPT_PART("Global options", rkt_globals_opts, struct run_opts, g),
	OPT_END
};

static int run_operand(void *opts, const char *arg, struct err *e)
{
	return podopts_operand(&((struct run_opts *)opts)->pod, arg, e);
}

static int run_rest(void *opts, int argc, char **argv, struct err *e)
{
	return podopts_rest(&((struct run_opts *)opts)->pod, argc, argv, e);
}

/* written in place: FILE may be a pipe, or /dev/fd/N */
static int save_uuid(const char *file, const char *uuid, struct err *e)
{
	auto_close int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0 || fd_write_all(fd, uuid, strlen(uuid)) < 0 || fd_close(&fd) < 0)
		return err_sys(e, "--uuid-file-save: %s", file);
	return 0;
}

/* what is made while the pod is prepared */
struct begun {
	struct netns  netns;
	struct userns userns;
};

static int start(const struct run_opts *o, struct prepared_pod *pp, struct begun *b, struct err *e)
{
	size_t n = pp->r.n_images;
	struct launch_app *apps = xmalloc(n * sizeof(*apps));
	const struct launch l = {
		.pod = &pp->pod, .stage1 = &pp->stage1, .stage1_fd = o->pod.no_overlay ? -1 : pp->lower_fds[n],
		.apps = apps, .n_apps = n, .netns = &b->netns, .userns = &b->userns,
		.annotations = &pp->r.pod.annotations, .ids = pp->ids,
	};

	for (size_t i = 0; i < n; i++) {
		apps[i].name = pp->r.pod.apps.v[i].name;
		apps[i].lower_fd = o->pod.no_overlay ? -1 : pp->lower_fds[i];
	}
	launch(&o->g, &l, &o->launch, e);
	free(apps);
	return -1;
}

static int begin(const struct run_opts *o, struct begun *b, struct err *e)
{
	if (o->pod.private_users)
		return launch_begin_users(&o->launch, &b->userns, e);
	launch_begin(&o->launch, &b->netns);
	return 0;
}

static int run_pod(struct run_opts *o, struct prepared_pod *pp, struct begun *b, struct err *e)
{
	/* before anything is fetched, as far as the command line alone tells */
	if (launch_check(&o->launch, o->pod.n_apps ? o->pod.n_apps : 1, e) < 0 ||
	    launch_check_ports(&o->launch, o->pod.ports.n, e) < 0)
		return -1;
	if (podopts_check(&o->pod, e) < 0 || globals_be_root(&o->g, e) < 0 || begin(o, b, e) < 0 ||
	    prepare_pod(&o->g, &o->pod, &o->launch, pp, e) < 0)
		return -1;
	if (launch_check(&o->launch, pp->r.n_images, e) < 0 ||
	    launch_check_ports(&o->launch, pp->r.pod.ports.n, e) < 0 ||
	    (o->uuid_file && save_uuid(o->uuid_file, pp->pod.uuid, e) < 0) || pod_to_run(&pp->pod, e) < 0) {
		prepare_pod_undo(pp);
		return -1;
	}
	return start(o, pp, b, e);
}

static int run_run(void *opts, int argc, char **argv, struct err *e)
{
	struct run_opts *o = opts;
	struct prepared_pod pp = { .pod.dir_fd = -1 };
	struct begun b = { .netns.fd = -1 };

	(void)argc;
	(void)argv;
	run_pod(o, &pp, &b, e);
	netns_drop(&b.netns);
	userns_drop(&b.userns);
	int status = pp.no_source ? launch_no_source(e) : -1;
	prepare_pod_free(&pp);
	podopts_free(&o->pod);
	return status;
}

const struct cmd rkt_run_cmd = {
	.name = "run",
	.args = "IMAGE [OPTION...] [-- ARG...] [--- IMAGE ...]",
	.summary = "Run images in a pod.",
	.more = "IMAGE is a file, a URL, the ID of an image in the store, or a name like example.com/app:1.0.\n"
		"Options after an image are about that image. ARGs up to --- or the end are appended to\n"
		"the arguments of its app.\n\n"
		"The exit status is that of the app, or of the first one that failed; 254 when the pod\n"
		"could not be started.\n",
	.opts = run_opts, .opts_size = sizeof(struct run_opts), .inherits = true, .run = run_run,
	.operand = run_operand, .rest = run_rest,
};
