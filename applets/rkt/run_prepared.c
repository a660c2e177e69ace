/* SPDX-License-Identifier: Apache-2.0
 * rkt run-prepared - runs a pod that rkt prepare has made
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "applets/commands.h"
#include "applets/rkt/dnsopts.h"
#include "applets/rkt/images_store.h"
#include "applets/rkt/images_trust.h"
#include "applets/rkt/isolators.h"
#include "applets/rkt/launch.h"
#include "applets/rkt/prepare_pod.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/pod/appfs.h"
#include "core/pod/volume.h"
#include "core/store/render.h"

struct run_prepared_opts {
	struct rkt_globals g;
	struct launch_opts launch;
	struct dnsopts     dns;
	const char        *verify;
};

static const struct opt run_prepared_opts[] = {
	OPT_PART("Start", launch_opts_table, struct run_prepared_opts, launch),
	OPT_PART("Names and addresses", dnsopts_table, struct run_prepared_opts, dns),
	OPT_TEXT(0, "verify", "WHEN", struct run_prepared_opts, verify, IMAGES_VERIFY_HELP),
	OPT_PART("Global options", rkt_globals_opts, struct run_prepared_opts, g),
	OPT_END
};

/* the pod, what is in it and what its apps stand on */
struct found {
	struct conf         conf;
	struct pods        *pods;
	struct pod          pod;
	struct pod_manifest m;
	struct stage1       stage1;
	struct store       *st;
	struct launch_app  *apps;
	int                 stage1_fd;
	bool                no_source; /* of a volume */
	bool                annotated; /* the manifest has to be written anew */
	struct netns        netns;
	struct userns       userns; /* of a pod with users of its own */
	struct pod_ids      ids;
};

static void found_free(struct found *f)
{
	for (size_t i = 0; f->apps && i < f->m.apps.n; i++)
		fd_cleanup(&f->apps[i].lower_fd);
	free(f->apps);
	fd_cleanup(&f->stage1_fd);
	netns_drop(&f->netns);
	userns_drop(&f->userns);
	if (f->st)
		store_close(f->st);
	stage1_free(&f->stage1);
	pod_manifest_free(&f->m);
	pod_close(&f->pod);
	if (f->pods)
		pods_close(f->pods);
	conf_free(&f->conf);
}

/* unmounted meanwhile, it is mounted anew; the pod says what it was prepared with */
static int render_app(struct found *f, struct launch_app *a, struct err *e)
{
	char path[600];
	auto_free char *id = NULL;
	struct render_id root;

	if (!appfs_is_overlay(f->pod.dir_fd, a->name))
		return 0;
	snprintf(path, sizeof(path), "appsinfo/%s/treeStoreID", a->name);
	if (fd_read_file(f->pod.dir_fd, path, sizeof(root.s), &id, NULL, e) < 0)
		return -1;
	snprintf(root.s, sizeof(root.s), "%.*s", (int)strcspn(id, "\n"), id);
	a->lower_fd = render_again(f->st, &root, e);
	return a->lower_fd < 0 ? -1 : 0;
}

static int render_apps(struct found *f, struct err *e)
{
	size_t n = f->m.apps.n;

	f->apps = xmalloc(n * sizeof(*f->apps));
	for (size_t i = 0; i < n; i++)
		f->apps[i] = (struct launch_app){ f->m.apps.v[i].name, -1 };
	for (size_t i = 0; i < n; i++)
		if (render_app(f, &f->apps[i], e) < 0)
			return err_wrap(e, "app %s", f->apps[i].name);
	if (f->stage1.builtin || !*f->stage1.root.s)
		return 0;
	f->stage1_fd = render_again(f->st, &f->stage1.root, e);
	return f->stage1_fd < 0 ? err_wrap(e, "stage 1") : 0;
}

static int check_trust(const struct run_prepared_opts *o, const struct found *f, struct err *e)
{
	auto_free char *text = NULL;
	struct err why;

	if (fd_read_file(f->pod.dir_fd, PREPARE_POD_TRUST, APPC_MANIFEST_MAX, &text, NULL, &why) == 0)
		return images_trust_again(&o->g, text, e);
	if (why.code != ENOENT)
		*e = why;
	return why.code == ENOENT ? 0 : -1;
}

/* what was asked for when it was prepared holds as well */
static unsigned insecure(const struct run_prepared_opts *o, const struct found *f)
{
	return o->g.insecure | isolators_recorded(&f->m);
}

static int look(const struct run_prepared_opts *o, const char *uuid, struct found *f, struct err *e)
{
	const char *dir = globals_dir(&o->g, &f->conf);

	f->pods = pods_open(dir, false, e);
	if (!f->pods || pod_find(f->pods, uuid, &f->pod, e) < 0)
		return -1;
	if (f->pod.state != POD_PREPARED)
		return err_set(e, EINVAL, "pod \"%s\" is not prepared: it is %s", f->pod.uuid,
			pod_state_name(f->pod.state));
	if (pod_manifest(&f->pod, &f->m, e) < 0 || pod_ids_of(&f->m, &f->ids, e) < 0 ||
	    launch_check(&o->launch, f->m.apps.n, e) < 0 || launch_check_ports(&o->launch, f->m.ports.n, e) < 0 ||
	    dnsopts_record(&o->dns, &f->m.annotations, e) < 0 ||
	    volume_check_sources(&f->m, &f->no_source, e) < 0 || stage1_load(&f->pod, &f->stage1, e) < 0 ||
	    launch_check_stage1(&o->launch, &f->stage1, e) < 0 || check_trust(o, f, e) < 0)
		return -1;
	f->st = images_open(&o->g, &f->conf, dir, true, e);
	if (!f->st || images_verify(f->st, &o->g, &f->conf, o->verify, e) < 0)
		return -1;
	if (isolators_judge(&f->m, insecure(o, f), &o->launch, f->stage1.builtin, &f->annotated, e) < 0)
		return -1;
	return render_apps(f, e);
}

/* what became of the isolators */
static int write_manifest(struct found *f, struct err *e)
{
	auto_buf struct buf b = { 0 };

	if (!f->annotated)
		return 0;
	pod_manifest_print(&f->m, false, &b);
	if (b.failed)
		return err_set(e, ENOMEM, "out of memory");
	return fd_publish(f->pod.dir_fd, "pod", b.data, b.len, 0640, false, e);
}

static int run_prepared(const struct run_prepared_opts *o, const char *uuid, struct found *f, struct err *e)
{
	if (globals_be_root(&o->g, e) < 0 || globals_conf(&o->g, &f->conf, e) < 0)
		return -1;
	launch_begin(&o->launch, &f->netns);
	if (look(o, uuid, f, e) < 0 || (f->ids.count && launch_begin_users(&o->launch, &f->userns, e) < 0) ||
	    pod_to_run(&f->pod, e) < 0 || write_manifest(f, e) < 0)
		return -1;
	struct rkt_globals g = o->g;
	g.insecure |= insecure(o, f);
	const struct launch l = {
		.pod = &f->pod, .stage1 = &f->stage1, .stage1_fd = f->stage1_fd, .apps = f->apps,
		.n_apps = f->m.apps.n, .netns = &f->netns, .userns = &f->userns, .annotations = &f->m.annotations,
		.ids = f->ids,
	};
	return launch(&g, &l, &o->launch, e);
}

static int run_prepared_run(void *opts, int argc, char **argv, struct err *e)
{
	struct found f = { .pod.dir_fd = -1, .stage1_fd = -1, .netns.fd = -1 };

	if (argc != 1)
		return err_set(e, EINVAL, "want the UUID of one pod (see --help)");
	run_prepared(opts, argv[0], &f, e);
	int status = f.no_source ? launch_no_source(e) : -1;
	found_free(&f);
	return status;
}

const struct cmd rkt_run_prepared_cmd = {
	.name = "run-prepared", .args = "UUID", .summary = "Run a pod that rkt prepare has made.",
	.opts = run_prepared_opts, .opts_size = sizeof(struct run_prepared_opts), .inherits = true,
	.run = run_prepared_run,
};
