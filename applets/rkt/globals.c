/* SPDX-License-Identifier: Apache-2.0
 * globals - see globals.h
 */
#include "applets/rkt/globals.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/base/rootless.h"

#define SYSTEM_DIR "/var/lib/rkt"
#define OWN_DIR    "rktbox" /* below XDG_DATA_HOME */

static const struct insecure_name {
	const char *name;
	unsigned    bits;
} insecure_names[] = {
	{ "none", 0 },
	{ "image", INSECURE_IMAGE },
	{ "tls", INSECURE_TLS },
	{ "ondisk", INSECURE_ONDISK },
	{ "http", INSECURE_HTTP },
	{ "pubkey", INSECURE_PUBKEY },
	{ "capabilities", INSECURE_CAPABILITIES },
	{ "paths", INSECURE_PATHS },
	{ "seccomp", INSECURE_SECCOMP },
	{ "devices", INSECURE_DEVICES },
	/* devices are asked for when an image is fetched and when it is run */
	{ "all-fetch", INSECURE_IMAGE | INSECURE_TLS | INSECURE_ONDISK | INSECURE_HTTP | INSECURE_PUBKEY |
		INSECURE_DEVICES },
	{ "all-run", INSECURE_CAPABILITIES | INSECURE_PATHS | INSECURE_SECCOMP | INSECURE_DEVICES },
	{ "all", ~0u },
};

static int set_insecure(void *opts, const char *arg, struct err *e)
{
	struct rkt_globals *g = opts;

	for (const char *p = arg;; p++) {
		size_t n = strcspn(p, ","), i, count = sizeof(insecure_names) / sizeof(*insecure_names);
		for (i = 0; i < count; i++)
			if (strlen(insecure_names[i].name) == n && !memcmp(insecure_names[i].name, p, n))
				break;
		if (i == count)
			return err_set(e, EINVAL,
				       "unknown value \"%.*s\"; known: none, image, tls, ondisk, http, pubkey, "
				       "capabilities, paths, seccomp, devices, all-fetch, all-run, all", (int)n, p);
		g->insecure |= insecure_names[i].bits;
		p += n;
		if (!*p)
			return 0;
	}
}

static int set_render(void *opts, const char *arg, struct err *e)
{
	enum render_mode ignored;

	if (!render_mode_from(arg, &ignored))
		return err_set(e, EINVAL, "unknown value \"%s\"; known: auto, erofs, loop, tree", arg);
	((struct rkt_globals *)opts)->render = arg;
	return 0;
}

/* rkt before 0.15 had one switch for everything about fetching */
static int set_skip_verify(void *opts, const char *arg, struct err *e)
{
	(void)arg;
	return set_insecure(opts, "image,tls,ondisk", e);
}

const struct opt rkt_globals_opts[] = {
	OPT_BOOL(0, "debug", struct rkt_globals, debug, "say more, and each cause of an error on a line of its own"),
	OPT_TEXT(0, "dir", "DIR", struct rkt_globals, dir, "data directory (default /var/lib/rkt)"),
	OPT_CALL(0, "insecure-options", "LIST", set_insecure,
		 "comma-separated checks to leave out: none, image, tls, ondisk, http, pubkey, capabilities, paths, "
		 "seccomp, devices, all-fetch, all-run, all"),
	OPT_CALL(0, "render", "HOW", set_render,
		 "how images become root file systems: mounted (erofs, or loop for EROFS on loop devices), "
		 "unpacked (tree), or auto (the best that works; default)"),
	OPT_TEXT(0, "system-config", "DIR", struct rkt_globals, system_config,
		 "system configuration directory (default /usr/lib/rkt)"),
	OPT_TEXT(0, "local-config", "DIR", struct rkt_globals, local_config,
		 "local configuration directory (default /etc/rkt)"),
	OPT_TEXT(0, "user-config", "DIR", struct rkt_globals, user_config, "user configuration directory"),
	OPT_BOOL(0, "trust-keys-from-https", struct rkt_globals, trust_keys_from_https,
		 "trust keys fetched over HTTPS without asking"),
	{ .kind = OPT_KIND_CALL, .name = "insecure-skip-verify", .help = "same as --insecure-options=image,tls,ondisk",
	  .call = set_skip_verify, .hidden = true },
	OPT_END
};

void globals_init(void *opts)
{
	struct rkt_globals *g = opts;

	g->system_config = "/usr/lib/rkt";
	g->local_config = "/etc/rkt";
}

static bool is_member(const char *dir)
{
	auto_free char *cas = xasprintf("%s/cas", dir);

	/* by our own ids also in a user namespace of ours, where we are root of nothing that others own */
	return access(cas, R_OK | W_OK | X_OK) == 0;
}

/*
 * Who is not root and named no directory gets the system's if he may fetch into that (rkt install), else one of his
 * own, where his pods are in any case.
 */
static void use_own_dir(struct conf *c)
{
	const char *xdg = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
	char *own = NULL;

	if (is_member(c->data_dir ? c->data_dir : SYSTEM_DIR))
		return;
	if (xdg && *xdg == '/')
		own = xasprintf("%s/" OWN_DIR, xdg);
	else if (home && *home == '/')
		own = xasprintf("%s/.local/share/" OWN_DIR, home);
	if (!own)
		return;
	free(c->data_dir);
	c->data_dir = own;
}

struct conf_opts globals_conf_dirs(const struct rkt_globals *g)
{
	return (struct conf_opts){
		.system_dir = g->system_config,
		.local_dir = g->local_config,
		.user_dir = g->user_config,
	};
}

int globals_conf(const struct rkt_globals *g, struct conf *c, struct err *e)
{
	const struct conf_opts o = globals_conf_dirs(g);

	if (conf_read(&o, c, e) < 0)
		return -1;
	if (rootless_is_user() && !(g->dir && *g->dir))
		use_own_dir(c);
	return 0;
}

const char *globals_dir(const struct rkt_globals *g, const struct conf *c)
{
	return g->dir && *g->dir ? g->dir : c->data_dir ? c->data_dir : SYSTEM_DIR;
}

char *globals_absolute(const char *path, struct err *e)
{
	char cwd[PATH_MAX];

	if (!path || !*path || *path == '/')
		return xstrdup(path ? path : "");
	if (getcwd(cwd, sizeof(cwd)))
		return xasprintf("%s/%s", cwd, path);
	err_sys(e, "%s: current directory", path);
	return NULL;
}

int globals_render(const struct rkt_globals *g, const struct conf *c, struct render_how *out, struct err *e)
{
	const char *how = g->render ? g->render : c && c->render ? c->render : "auto";

	*out = (struct render_how){ .direct = c && c->direct_io && !strcmp(c->direct_io, "true") };
	if (render_mode_from(how, &out->mode))
		return 0;
	return err_set(e, EINVAL, "configured render: unknown value \"%s\"; known: auto, erofs, loop, tree", how);
}

int globals_need_root(struct err *e)
{
	if (rootless_is_user())
		return err_set(e, EPERM, "cannot run as unprivileged user");
	return fd_proc_ready(e);
}

/* 1; 0: somebody else's; what is not there yet belongs to whoever may make it */
static int is_own(const char *dir, struct err *e)
{
	auto_free char *at = xstrdup(dir);
	struct stat st;

	if (stat(at, &st) == 0)
		return st.st_uid == geteuid();
	while (errno == ENOENT) {
		char *slash = strrchr(at, '/');
		if (!slash)
			return access(".", W_OK | X_OK) == 0;
		slash[slash == at] = 0;
		if (access(at, W_OK | X_OK) == 0)
			return 1;
		if (slash == at)
			return 0;
	}
	return errno == EACCES ? 0 : err_sys(e, "look at %s", dir);
}

static int own(const struct rkt_globals *g, struct err *e)
{
	struct conf c;

	if (globals_conf(g, &c, e) < 0)
		return -1;
	const char *dir = globals_dir(g, &c);
	int r = is_own(dir, e);
	if (r == 0)
		r = err_set(e, EACCES, "cannot run as unprivileged user: permission denied: %s is not yours; what is in a directory "
			    "of your own (--dir=DIR) you can run and remove", dir);
	conf_free(&c);
	return r < 0 ? -1 : 0;
}

int globals_be_owner(const struct rkt_globals *g, struct err *e)
{
	if (!rootless_is_user())
		return fd_proc_ready(e);
	return own(g, e) < 0 || fd_proc_ready(e) < 0 ? -1 : 0;
}

int globals_be_root(const struct rkt_globals *g, struct err *e)
{
	if (globals_be_owner(g, e) < 0)
		return -1;
	return rootless_is_user() ? rootless_enter(e) : 0;
}

int globals_be_root_of_own(const struct rkt_globals *g, struct err *e)
{
	struct err not_ours;

	if (rootless_is_user() && own(g, &not_ours) < 0)
		return 0;
	return globals_be_root(g, e);
}
