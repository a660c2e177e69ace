/* SPDX-License-Identifier: Apache-2.0
 * rkt enter - runs a command where an app of a running pod runs
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "applets/commands.h"
#include "applets/rkt/podref.h"
#include "applets/rkt/stage1.h"
#include "applets/ui.h"
#include "core/base/rootless.h"

#define FOREIGN_CMD "/bin/bash" /* what rkt asks its stage 1 for */

struct enter_opts {
	struct rkt_globals g;
	const char        *app;
};

static const struct opt enter_opts[] = {
	OPT_TEXT(0, "app", "NAME", struct enter_opts, app, "which app; needed when the pod has several"),
	OPT_PART("Global options", rkt_globals_opts, struct enter_opts, g),
	OPT_END
};

static char *app_name(const struct pod *p, const char *wanted, struct err *e)
{
	struct pod_manifest m;
	char *name = NULL;

	if (pod_manifest(p, &m, e) < 0)
		return NULL;
	const struct appc_runtime_app *app = podref_app(&m, wanted, "enter", e);
	if (app)
		name = xstrdup(app->name);
	pod_manifest_free(&m);
	return name;
}

/* Ours looks for a shell by itself; others have to be told a command. */
static int needs_command(const struct pod *p, bool *needed, struct err *e)
{
	auto_stage1 struct stage1 s = { .builtin = false };

	if (stage1_load(p, &s, e) < 0)
		return -1;
	*needed = !s.builtin;
	return 0;
}

static int become(struct pod *p, pid_t pid, const char *app, int argc, char **argv, struct err *e)
{
	bool needed = false;
	char **args = xmalloc(((size_t)argc + 6) * sizeof(*args));
	size_t n = 0;

	/* where we are what the pod's root is; the rest of the way is stage 1's */
	if (rootless_is_user() && rootless_join(pid, e) < 0)
		return err_wrap(e, "enter failed");
	if (rootless_is_user())
		args[n++] = xstrdup("--rootless");

	args[n++] = xasprintf("--pid=%d", (int)pid);
	args[n++] = xasprintf("--appname=%s", app);
	args[n++] = xstrdup("--");
	if (!argc && needs_command(p, &needed, e) < 0)
		return err_wrap(e, "enter failed");
	if (needed) {
		ui_info("no command specified, assuming \"%s\"", FOREIGN_CMD);
		args[n++] = xstrdup(FOREIGN_CMD);
	}
	memcpy(args + n, argv, (size_t)argc * sizeof(*args));
	return stage1_exec(p, "enter", args, e) < 0 ? err_wrap(e, "enter failed") : 0;
}

static int enter_run(void *opts, int argc, char **argv, struct err *e)
{
	struct enter_opts *o = opts;
	auto_podref struct podref r = PODREF_NONE;
	struct pod *p = &r.pod;
	pid_t pid;

	if (!argc)
		return err_set(e, EINVAL, "a UUID is needed (see --help)");
	if (globals_be_owner(&o->g, e) < 0 || podref_find(&r, &o->g, argv[0], e) < 0)
		return -1;
	if (p->state != POD_RUNNING)
		return err_set(e, ESRCH, "pod \"%s\" isn't currently running", p->uuid);
	char *app = app_name(p, o->app, e);
	if (!app)
		return -1;
	if (pod_pid(p, &pid, e) < 0)
		return err_wrap(e, "unable to determine the pid for pod \"%s\"", p->uuid);
	/* "rkt enter UUID -- CMD", as people write it */
	bool dashes = argc > 1 && !strcmp(argv[1], "--");
	return become(p, pid, app, argc - 1 - dashes, argv + 1 + dashes, e);
}

const struct cmd rkt_enter_cmd = {
	.name = "enter", .args = "UUID [CMD [ARG...]]", .summary = "Run a command inside an app of a running pod.",
	.more = "Without CMD it is the app's shell, else /bin/sh, else a few tools of rktbox's own.\n",
	.opts = enter_opts, .opts_size = sizeof(struct enter_opts), .inherits = true, .leading = true, .run = enter_run,
};
