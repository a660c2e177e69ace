/* SPDX-License-Identifier: Apache-2.0
 * globals - see globals.h
 */
#include "applets/rkt/globals.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/base/fd.h"

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

int globals_conf(const struct rkt_globals *g, struct conf *c, struct err *e)
{
	struct conf_opts o = {
		.system_dir = g->system_config,
		.local_dir = g->local_config,
		.user_dir = g->user_config,
	};

	return conf_read(&o, c, e);
}

const char *globals_dir(const struct rkt_globals *g, const struct conf *c)
{
	return g->dir && *g->dir ? g->dir : c->data_dir ? c->data_dir : "/var/lib/rkt";
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
	if (geteuid() != 0)
		return err_set(e, EPERM, "cannot run as unprivileged user");
	return fd_proc_ready(e);
}
