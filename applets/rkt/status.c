/* SPDX-License-Identifier: Apache-2.0
 * rkt status - the state of one pod and the exit statuses of its apps
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "applets/commands.h"
#include "applets/rkt/isolators.h"
#include "applets/rkt/podref.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/pod/ids.h"

#define FOREVER -1

struct status_opts {
	struct rkt_globals g;
	int64_t            wait_ns, ready_ns; /* 0: no; FOREVER */
	const char        *uuid_file, *format;
};

/* "", a boolean as Go reads them, or a duration; a negative one means no limit */
static int parse_wait(const char *arg, int64_t *ns, struct err *e)
{
	struct err no_bool;
	bool wait = true;

	*ns = FOREVER;
	if (!arg || !*arg)
		return 0;
	if (num_bool(arg, &wait, &no_bool) == 0) {
		*ns = wait ? FOREVER : 0;
		return 0;
	}
	if (num_duration(*arg == '-' ? arg + 1 : arg, ns, e) < 0)
		return -1;
	if (*arg == '-')
		*ns = FOREVER;
	return 0;
}

static int set_wait(void *opts, const char *arg, struct err *e)
{
	return parse_wait(arg, &((struct status_opts *)opts)->wait_ns, e);
}

static int set_ready(void *opts, const char *arg, struct err *e)
{
	return parse_wait(arg, &((struct status_opts *)opts)->ready_ns, e);
}

static const struct opt status_opts[] = {
	OPT_CALL_OPTIONAL(0, "wait", "TIME", set_wait, "wait until the pod has ended, at most TIME"),
	OPT_CALL_OPTIONAL(0, "wait-ready", "TIME", set_ready, "wait until the pod runs, at most TIME"),
	OPT_TEXT(0, "uuid-file", "FILE", struct status_opts, uuid_file, "read the pod's UUID from FILE"),
	OPT_TEXT(0, "format", "FORMAT", struct status_opts, format, "text, json or json-pretty"),
	OPT_PART("Global options", rkt_globals_opts, struct status_opts, g),
	OPT_END
};

/* ---- waiting ---- */

static bool has_ended(struct pod *p)
{
	return podref_after_run(p) || p->state == POD_ABORTED_PREPARE;
}

/* what ran and ended will not become ready any more */
static bool is_ready(struct pod *p)
{
	struct err none;
	pid_t pid;

	return has_ended(p) || (p->state == POD_RUNNING && pod_pid(p, &pid, &none) == 0);
}

static void nap(int64_t ns)
{
	nanosleep(&(struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 }, NULL);
}

static int wait_until(struct pod *p, bool (*done)(struct pod *), int64_t limit_ns, struct err *e)
{
	int64_t end_ns = ui_now_ns() + limit_ns, step_ns = 1000000;

	while (!done(p)) {
		/* the lock wakes us, but has no limit of time */
		if (limit_ns == FOREVER && done == has_ended && p->state == POD_RUNNING) {
			if (pod_wait_exit(p, e) < 0)
				return -1;
			continue;
		}
		int64_t left_ns = limit_ns == FOREVER ? step_ns : end_ns - ui_now_ns();
		if (left_ns <= 0)
			return err_set(e, ETIMEDOUT, "pod %s is still %s: time is up", p->uuid,
				       pod_state_name(p->state));
		nap(step_ns < left_ns ? step_ns : left_ns);
		if (step_ns < 50000000)
			step_ns *= 2;
		if (pod_refresh(p, e) < 0)
			return -1;
	}
	return 0;
}

/* ---- printing ---- */

static void add_time(struct buf *b, const char *key, int64_t ns)
{
	char text[64];

	if (!ns)
		return;
	ui_time_full(ns, text, sizeof(text));
	buf_fmt(b, "%s=%s\n", key, text);
}

/* stage 1 writes the file a moment after the pod counts as running; as long as rkt waited */
static pid_t pid_of(struct pod *p)
{
	pid_t pid;
	struct err why;

	for (int tries = 0; pod_pid(p, &pid, &why) < 0; tries++) {
		if (why.code != ESRCH || p->state != POD_RUNNING || tries == 100) {
			if (why.code != ESRCH)
				ui_warn("%s", why.msg);
			return -1;
		}
		nap(10000000);
		if (pod_refresh(p, &why) < 0)
			return -1;
	}
	return pid;
}

/* which ids of the host a pod with users of its own has */
static void add_ids(const struct pod_manifest *m, struct buf *b)
{
	char text[POD_IDS_TEXT_MAX];
	struct pod_ids ids;
	struct err why;

	if (pod_ids_of(m, &ids, &why) < 0)
		ui_warn("%s", why.msg);
	if (!ids.count)
		return;
	pod_ids_text(&ids, text);
	buf_fmt(b, "private-users=%s\n", text);
}

static void add_app(const struct pod *p, const char *app, struct buf *b)
{
	struct err why;
	int status, r = pod_app_status(p, app, &status, NULL, &why);

	if (r < 0)
		ui_warn("unable to get exit status of app \"%s\": %s", app, why.msg);
	else if (r)
		buf_fmt(b, "app-%s=%d\n", app, status);
}

static void add_manifest(const struct pod *p, bool apps, struct buf *b)
{
	struct pod_manifest m;
	struct err why;

	if (pod_manifest(p, &m, &why) < 0) {
		ui_warn("unable to get exit statuses: %s", why.msg);
		return;
	}
	add_ids(&m, b);
	for (size_t i = 0; apps && i < m.apps.n; i++)
		add_app(p, m.apps.v[i].name, b);
	isolators_text(&m, b);
	pod_manifest_free(&m);
}

static int print_text(struct pod *p, struct err *e)
{
	struct buf b = { 0 };
	enum pod_state s = p->state;
	/* first, since it may take until the pod has gone on */
	bool ran = s == POD_RUNNING || (podref_after_run(p) && pod_started_ns(p));
	pid_t pid = ran ? pid_of(p) : -1;

	buf_fmt(&b, "state=%s\n", pod_state_name(s));
	add_time(&b, "created", pod_created_ns(p));
	add_time(&b, "started", pod_started_ns(p));
	if (s == POD_RUNNING) {
		buf_str(&b, "networks=");
		podref_networks(p, &b);
		buf_str(&b, "\n");
	}
	if (s == POD_RUNNING || podref_after_run(p)) {
		buf_fmt(&b, "pid=%d\nexited=%s\n", (int)pid,
			s == POD_EXITED || s == POD_EXITED_GARBAGE ? "true" : "false");
	}
	if (s == POD_PREPARED || s == POD_RUNNING || podref_after_run(p))
		add_manifest(p, s != POD_PREPARED, &b);
	return ui_out(&b, e);
}

static int status_run(void *opts, int argc, char **argv, struct err *e)
{
	struct status_opts *o = opts;
	auto_podref struct podref r = PODREF_NONE;
	auto_free char *owned = NULL;
	const char *uuid;
	enum ui_format format;

	if (ui_format(o->format, &format, e) < 0 || podref_one(argc, argv, o->uuid_file, &uuid, &owned, e) < 0 ||
	    podref_find(&r, &o->g, uuid, e) < 0)
		return -1;
	if (o->ready_ns && wait_until(&r.pod, is_ready, o->ready_ns, e) < 0)
		return err_wrap(e, "error waiting for pod readiness");
	if (o->wait_ns && wait_until(&r.pod, has_ended, o->wait_ns, e) < 0)
		return err_wrap(e, "error waiting for pod to finish");
	if (format == UI_TEXT)
		return print_text(&r.pod, e);
	cJSON *j = podref_json(&r.pod, e);
	return j ? ui_json(j, format, e) : err_wrap(e, "unable to print status");
}

const struct cmd rkt_status_cmd = {
	.name = "status", .args = "UUID", .summary = "Print the state of a pod and the exit statuses of its apps.",
	.more = "TIME is like 5s or 1h30m; false is the same as 0, and no TIME means no limit.\n",
	.opts = status_opts, .opts_size = sizeof(struct status_opts), .inherits = true, .run = status_run,
};
