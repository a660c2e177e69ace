/* SPDX-License-Identifier: Apache-2.0
 * stage1-init - the entry points of the built-in stage 1: run, enter, gc, stop
 *
 * rkt executes them in the pod directory; inside stage1.aci they are links named stage1-run and so
 * on. Source: rkt Documentation/devel/stage1-implementors-guide.md.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "applets/commands.h"
#include "core/base/opt.h"
#include "stage1-init/enter.h"
#include "stage1-init/host.h"
#include "stage1-init/plan.h"
#include "stage1-init/stop.h"
#include "stage1-init/tools/tools.h"

static int one_uuid(int argc, char **argv, const char **uuid, struct err *e)
{
	if (argc != 1)
		return err_set(e, EINVAL, "give the pod's UUID as the one argument");
	*uuid = argv[0];
	return 0;
}

#define CONFIG_DIRS(T) \
	OPT_TEXT(0, "local-config", "DIR", T, local_config, "local configuration directory (default /etc/rkt)"), \
	OPT_TEXT(0, "system-config", "DIR", T, system_config, "that of the system (default /usr/lib/rkt)")
#define LOCAL_CONFIG "/etc/rkt"
#define SYSTEM_CONFIG "/usr/lib/rkt"

/* ---- run ---- */

struct run_opts {
	bool        debug, interactive, no_seccomp, no_caps, no_paths, rootless, port_proxy;
	const char *net, *hostname, *mds_token, *local_config, *system_config, *prefix, *dns, *private_users, *learn;
};

static const struct opt run_opts[] = { OPT_BOOL(0, "debug", struct run_opts, debug, "say more"),
	OPT_TEXT(0, "net", "NET", struct run_opts, net,
		"networks to join, as rkt run has it; none: loopback only; host: the host's"),
	OPT_BOOL(0, "port-proxy", struct run_opts, port_proxy, "forward ports in user space only"),
	OPT_BOOL(0, "interactive", struct run_opts, interactive,
		"the app gets stdin, and a terminal if that is one"),
	OPT_TEXT(0, "hostname", "NAME", struct run_opts, hostname,
		"the pod's host name (default: rkt-UUID)"),
	OPT_TEXT(0, "mds-token", "TOKEN", struct run_opts, mds_token,
		"for the apps' AC_METADATA_URL"),
	CONFIG_DIRS(struct run_opts),
	OPT_BOOL(0, "disable-seccomp", struct run_opts, no_seccomp,
		"no seccomp filters, not even those that images ask for"),
	OPT_BOOL(0, "disable-capabilities-restriction", struct run_opts, no_caps,
		"apps keep all capabilities, whatever images ask for"),
	OPT_BOOL(0, "disable-paths", struct run_opts, no_paths,
		"nothing of /proc and /sys is hidden from apps, or read-only; all devices can be used"),
	OPT_BOOL(0, "rootless", struct run_opts, rootless, "we are root of a user namespace only"),
	OPT_TEXT(0, "dns-conf-mode", "resolv=MODE,hosts=MODE", struct run_opts, dns,
		"whose /etc/resolv.conf and /etc/hosts: host, stage0, none or default"),
	OPT_TEXT(0, "private-users", "FIRST:COUNT", struct run_opts, private_users,
		"the pod has users of its own, which are these of the host"),
	OPT_TEXT(0, "learn", "FILE", struct run_opts, learn,
		"write isolators for the system calls that apps make to FILE"),
	OPT_TEXT(0, "prefix", "auto|always|never", struct run_opts, prefix,
		"begin lines of output with up-time, app and pid (auto: in pods of several apps)"),
	OPT_END };

static int parse_prefix(const char *text, enum host_prefix *out, struct err *e)
{
	if (!text || !strcmp(text, "auto"))
		*out = PREFIX_AUTO;
	else if (!strcmp(text, "always"))
		*out = PREFIX_ALWAYS;
	else if (!strcmp(text, "never"))
		*out = PREFIX_NEVER;
	else
		return err_set(e, EINVAL, "--prefix=%s: must be auto, always or never", text);
	return 0;
}

static void run_init(void *opts)
{
	struct run_opts *o = opts;

	o->local_config = LOCAL_CONFIG;
	o->system_config = SYSTEM_CONFIG;
}

static int run_main(void *opts, int argc, char **argv, struct err *e)
{
	const struct run_opts *o = opts;
	struct host_opts h = { .net = o->net, .hostname = o->hostname, .mds_token = o->mds_token,
			       .interactive = o->interactive, .debug = o->debug,
			       .no_seccomp = o->no_seccomp, .no_caps = o->no_caps, .no_paths = o->no_paths,
			       .rootless = o->rootless, .dns = o->dns, .private_users = o->private_users,
			       .learn = o->learn, .port_proxy = o->port_proxy,
			       .local_config = o->local_config, .system_config = o->system_config };

	if (one_uuid(argc, argv, &h.uuid, e) < 0 || parse_prefix(o->prefix, &h.prefix, e) < 0)
		return -1;
	return host_run(&h);
}

const struct cmd stage1_run_cmd = {
	.name = "run", .args = "UUID", .summary = "Run the pod in the current directory",
	.opts = run_opts, .opts_size = sizeof(struct run_opts), .init = run_init, .run = run_main,
};

/* ---- enter ---- */

struct enter_opts {
	const char *app;
	bool        rootless;
	uint64_t    pid;
	char      **argv;
};

static const struct opt enter_opts[] = {
	OPT_NUM(0, "pid", "PID", struct enter_opts, pid, "PID 1 of the pod, as the host sees it"),
	OPT_TEXT(0, "appname", "NAME", struct enter_opts, app, "the app whose world is entered"),
	OPT_BOOL(0, "rootless", struct enter_opts, rootless, "we are root of the pod's user namespace only"),
	OPT_END
};

static int enter_rest(void *opts, int argc, char **argv, struct err *e)
{
	struct enter_opts *o = opts;

	(void)e;
	o->argv = argc ? argv : NULL;
	return 0;
}

static int enter_operand(void *opts, const char *arg, struct err *e)
{
	(void)opts;
	return err_set(e, EINVAL, "%s: the command to execute comes after --", arg);
}

static int enter_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct enter_opts *o = opts;

	(void)argc;
	(void)argv;
	if (!o->app || !*o->app || !o->pid || o->pid > INT_MAX)
		return err_set(e, EINVAL, "--pid and --appname are needed");
	return enter_app((pid_t)o->pid, o->app, o->rootless, o->argv);
}

const struct cmd stage1_enter_cmd = {
	.name = "enter",
	.args = "-- [COMMAND [ARGUMENT...]]",
	.summary = "Execute a command the way an app is executed",
	.opts = enter_opts,
	.opts_size = sizeof(struct enter_opts),
	.run = enter_run,
	.operand = enter_operand,
	.rest = enter_rest,
};

/* ---- gc ---- */

struct gc_opts {
	bool        debug;
	const char *local_config, *system_config;
};

static const struct opt gc_opts[] = { OPT_BOOL(0, "debug", struct gc_opts, debug, "say more"),
	CONFIG_DIRS(struct gc_opts), OPT_END };

static void gc_init(void *opts)
{
	struct gc_opts *o = opts;

	o->local_config = LOCAL_CONFIG;
	o->system_config = SYSTEM_CONFIG;
}

static int gc_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct gc_opts *o = opts;
	const char *uuid = NULL;

	if (one_uuid(argc, argv, &uuid, e) < 0)
		return -1;
	return stop_collect(uuid, o->system_config, o->local_config, e);
}

const struct cmd stage1_gc_cmd = {
	.name = "gc",
	.args = "UUID",
	.summary = "Give back what the pod in the current directory had of the host",
	.opts = gc_opts,
	.opts_size = sizeof(struct gc_opts),
	.init = gc_init,
	.run = gc_run,
};

/* ---- stop ---- */

struct stop_opts {
	bool force, debug;
};

static const struct opt stop_opts[] = {
	OPT_BOOL(0, "force", struct stop_opts, force, "kill at once"),
	OPT_BOOL(0, "debug", struct stop_opts, debug, "say more"),
	OPT_END
};

static int stop_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct stop_opts *o = opts;
	const char *uuid = NULL;

	if (one_uuid(argc, argv, &uuid, e) < 0)
		return -1;
	return stop_pod(uuid, o->force, e);
}

const struct cmd stage1_stop_cmd = {
	.name = "stop", .args = "UUID", .summary = "Stop the pod in the current directory",
	.opts = stop_opts, .opts_size = sizeof(struct stop_opts), .run = stop_run,
};

/* ---- */

static const struct cmd *const subs[] = { &stage1_run_cmd, &stage1_enter_cmd, &stage1_gc_cmd,
	&stage1_stop_cmd, &stage1_tools_cmd, NULL };

const struct cmd stage1_init_cmd = {
	.name = "stage1-init",
	.args = "COMMAND",
	.summary = "The entry points of a pod's run-time; rkt calls them",
	.sub = subs,
	.failure = STATUS_OWN_FAILURE,
	.usage = STATUS_OWN_FAILURE,
};
