/* SPDX-License-Identifier: Apache-2.0
 * plan - see plan.h
 */
#include "stage1-init/plan.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/fd.h"
#include "stage1-init/filter.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int out_of_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* ---- environment ---- */

static bool is_var(const char *entry, const char *name)
{
	size_t n = strlen(name);

	return entry && !strncmp(entry, name, n) && entry[n] == '=';
}

static int set_env(struct plan_app *a, const char *name, const char *value, struct err *e)
{
	size_t i = 0, size = strlen(name) + strlen(value) + 2;
	char *entry = malloc(size);

	if (!entry)
		return out_of_memory(e);
	snprintf(entry, size, "%s=%s", name, value);
	while (i < a->n_env && !is_var(a->env[i], name))
		i++;
	if (i == a->n_env)
		a->n_env++;
	else
		free(a->env[i]);
	a->env[i] = entry;
	return 0;
}

static int build_env(
	struct plan_app *a, const struct appc_app *app, struct err *e)
{
	const char *term = getenv("TERM");

	a->env = calloc(app->environment.n + 5 + PLAN_ENV_SPARE + 1, sizeof(*a->env));
	if (!a->env)
		return out_of_memory(e);
	if (set_env(a, "PATH", DEFAULT_PATH, e) < 0 || set_env(a, "AC_APP_NAME", a->name, e) < 0 ||
	    set_env(a, "AC_METADATA_URL", "", e) < 0 || set_env(a, "container", "rkt", e) < 0 ||
	    (term && set_env(a, "TERM", term, e) < 0))
		return -1;
	for (size_t i = 0; i < app->environment.n; i++)
		if (set_env(a, app->environment.v[i].name, app->environment.v[i].value, e) < 0)
			return -1;
	return 0;
}

/* ---- what to execute ---- */

static int build_run(
	struct plan_run *r, const struct appc_strings *exec, const char *what, struct err *e)
{
	if (!exec->n || !*exec->v[0])
		return err_set(e, EINVAL, "%s: nothing to execute (exec is empty)", what);
	r->argv = calloc(exec->n + 1, sizeof(*r->argv));
	if (!r->argv)
		return out_of_memory(e);
	memcpy(r->argv, exec->v, exec->n * sizeof(*r->argv));
	return 0;
}

static int build_handlers(struct plan_app *a, const struct appc_handlers *h, struct err *e)
{
	a->pre_start = calloc(h->n + 1, sizeof(*a->pre_start));
	a->post_stop = calloc(h->n + 1, sizeof(*a->post_stop));
	if (!a->pre_start || !a->post_stop)
		return out_of_memory(e);
	for (size_t i = 0; i < h->n; i++) {
		const char *name = h->v[i].name;
		struct plan_run *to = !strcmp(name, "pre-start")   ? &a->pre_start[a->n_pre_start++]
				      : !strcmp(name, "post-stop") ? &a->post_stop[a->n_post_stop++]
								   : NULL;
		if (!to)
			return err_set(e, EINVAL, "event handler \"%s\" is not known", name);
		if (build_run(to, &h->v[i].exec, name, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- volumes ---- */

static size_t depth(const char *path)
{
	size_t n = 0;

	assert(path); /* a checked manifest has no mount without one */
	for (; *path; path++)
		n += *path != '/' && (path[1] == '/' || !path[1]);
	return n;
}

/* A mount may lie inside another one: outer ones first, otherwise as written. */
static void sort_mounts(struct plan_mount *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct plan_mount m = v[i];
		size_t j = i;
		for (; j && depth(v[j - 1].path) > depth(m.path); j--)
			v[j] = v[j - 1];
		v[j] = m;
	}
}

static int build_mounts(struct plan_app *a, const struct appc_mounts *l, struct err *e)
{
	a->mounts = calloc(l->n + 1, sizeof(*a->mounts));
	if (!a->mounts)
		return out_of_memory(e);
	for (size_t i = 0; i < l->n; i++)
		a->mounts[a->n_mounts++] = (struct plan_mount){
			.volume = l->v[i].volume, .path = l->v[i].path, .fd = -1
		};
	sort_mounts(a->mounts, a->n_mounts);
	return 0;
}

/* ---- apps ---- */

static int build_gids(struct plan_app *a, const struct appc_ints *l, struct err *e)
{
	if (l->n > PLAN_GIDS_MAX)
		return err_set(e, EINVAL, "%zu supplementary groups, and at most %d are possible",
			l->n, PLAN_GIDS_MAX);
	for (size_t i = 0; i < l->n; i++) {
		if (l->v[i] < 0 || l->v[i] > (int64_t)UINT32_MAX - 1)
			return err_set(e, ERANGE, "supplementary group %lld is out of range",
				(long long)l->v[i]);
		a->gids[a->n_gids++] = (gid_t)l->v[i];
	}
	return 0;
}

static int build_isolation(struct plan_app *a, const char *arch, const struct appc_limits *pod, const struct plan_opts *o,
	struct err *e)
{
	struct filter_for f;

	appc_limits_bound(&a->limits, pod);
	a->no_paths = o->no_paths;
	if (o->no_caps)
		a->limits.caps = ~UINT64_C(0);
	if (o->no_seccomp)
		a->limits.seccomp.mode = APPC_SECCOMP_NONE;
	if (isolation_plan(&a->limits, &a->isolation, e) < 0)
		return -1;
	filter_arches(arch, &f);
	f.caps = a->limits.caps;
	a->isolation.other_arch = f.arches[1] != NULL;
	if (filter_build(&f, &a->limits.seccomp, &a->filter, e) < 0)
		return -1;
	return o->learn ? filter_learn(&f, &a->filter, e) : 0;
}

static int build_app(struct plan_app *a, const struct appc_runtime_app *ra,
	const struct appc_limits *pod, const struct plan_opts *o, struct err *e)
{
	const struct appc_app *app = ra->app;

	a->name = ra->name;
	a->cgroup_fd = a->out_fd = a->err_fd = -1;
	if (!app)
		return err_set(e, EINVAL, "the pod manifest does not say what to execute");
	a->user = app->user;
	a->group = app->group;
	a->working_dir = app->working_dir && *app->working_dir ? app->working_dir : "/";
	a->read_only = ra->read_only_rootfs;
	if (build_run(&a->main, &app->exec, "exec", e) < 0 ||
		build_handlers(a, &app->event_handlers, e) < 0 || build_env(a, app, e) < 0 ||
		build_gids(a, &app->supplementary_gids, e) < 0 ||
		build_mounts(a, &ra->mounts, e) < 0 ||
		appc_limits_read(&app->isolators, &a->limits, e) < 0)
		return -1;
	return build_isolation(a, appc_pair_find(&ra->image_labels, "arch"), pod, o, e);
}

static int read_manifest(int pod_fd, struct pod_manifest *m, struct err *e)
{
	auto_free char *text = NULL;
	struct findings f = { 0 };
	size_t len;

	if (fd_read_file(pod_fd, "pod", APPC_MANIFEST_MAX, &text, &len, e) < 0)
		return err_wrap(e, "pod manifest");
	bool good = pod_manifest_parse(text, len, m, &f);
	if (!good && findings_err(&f, e) == 0)
		err_set(e, EINVAL, "not valid");
	findings_free(&f);
	return good ? 0 : err_wrap(e, "pod manifest");
}

static int set_names(struct plan *p, const struct plan_opts *o, struct err *e)
{
	if (!uuid_ok(o->uuid))
		return err_set(e, EINVAL, "\"%s\" is not the UUID of a pod", o->uuid);
	memcpy(p->uuid, o->uuid, sizeof(p->uuid));
	int n = o->hostname && *o->hostname
			? snprintf(p->hostname, sizeof(p->hostname), "%s", o->hostname)
			: snprintf(p->hostname, sizeof(p->hostname), "rkt-%s", o->uuid);
	if (n < 0 || (size_t)n >= sizeof(p->hostname))
		return err_set(e, EINVAL, "--hostname: at most 64 characters");
	return 0;
}

/* an only app is in the pod's group */
static void take_requests(struct appc_limits *app, const struct appc_limits *pod)
{
	if (!app->memory_request)
		app->memory_request = pod->memory_request;
	if (!app->cpu_request_millis && !app->cpu_shares)
		app->cpu_request_millis = pod->cpu_request_millis;
}

int plan_read(int pod_fd, const struct plan_opts *o, struct plan *p, struct err *e)
{
	memset(p, 0, sizeof(*p));
	p->event_fd = p->netns_fd = -1;
	p->users = (struct userns_fds)USERNS_FDS_NONE;
	p->failure = STATUS_OWN_FAILURE;
	if (set_names(p, o, e) < 0 || read_manifest(pod_fd, &p->manifest, e) < 0 ||
	    appc_limits_read(&p->manifest.isolators, &p->limits, e) < 0 ||
	    isolation_plan_pod(&p->limits, &p->sysctls, e) < 0)
		return -1;
	const struct appc_runtime_apps *l = &p->manifest.apps;
	if (!l->n)
		return err_set(e, EINVAL, "pod must contain at least one application");
	p->apps = calloc(l->n, sizeof(*p->apps));
	if (!p->apps)
		return out_of_memory(e);
	for (; p->n_apps < l->n; p->n_apps++)
		if (build_app(&p->apps[p->n_apps], &l->v[p->n_apps], &p->limits, o, e) < 0)
			return err_wrap(e, "app %s", l->v[p->n_apps].name);
	if (p->n_apps == 1)
		take_requests(&p->apps->limits, &p->limits);
	p->one_ns = p->n_apps == 1 && !p->apps->n_pre_start && !p->apps->n_post_stop;
	return 0;
}

int plan_metadata_url(struct plan *p, const char *url, struct err *e)
{
	for (size_t i = 0; i < p->n_apps; i++) {
		struct plan_app *a = &p->apps[i];
		for (size_t j = 0; j < a->n_env; j++)
			if (!strcmp(a->env[j], "AC_METADATA_URL=") && set_env(a, "AC_METADATA_URL", url, e) < 0)
				return -1;
	}
	return 0;
}

struct plan_app *plan_app(struct plan *p, const char *name)
{
	for (size_t i = 0; i < p->n_apps; i++)
		if (!strcmp(p->apps[i].name, name))
			return &p->apps[i];
	return NULL;
}
