/* SPDX-License-Identifier: Apache-2.0
 * netopts - see netopts.h
 */
#include "applets/rkt/netopts.h"

#include <errno.h>

#include "applets/rkt/globals.h"
#include "applets/ui.h"
#include "core/base/num.h"

#define RETRIES_MAX 1000

static int set_size(const char *arg, uint64_t *out, struct err *e)
{
	int64_t n;

	if (num_quantity(arg, 1, &n, e) < 0 || n < 1)
		return err_set(e, EINVAL, "\"%.50s\" is not a size like 500K, 3M or 10Gi", arg);
	*out = (uint64_t)n;
	return 0;
}

static int set_seconds(const char *arg, unsigned *out, struct err *e)
{
	int64_t ns;

	if (num_duration(arg, &ns, e) < 0)
		return -1;
	int64_t s = (ns + 999999999) / 1000000000;
	if (s < 1 || s > 1000000)
		return err_set(e, EINVAL, "\"%.50s\" is not between 1s and 277h", arg);
	*out = (unsigned)s;
	return 0;
}

static int set_rate(void *net, const char *arg, struct err *e)
{
	return set_size(arg, &((struct netopts *)net)->rate, e);
}

static int set_max(void *net, const char *arg, struct err *e)
{
	return set_size(arg, &((struct netopts *)net)->max_bytes, e);
}

static int set_retries(void *net, const char *arg, struct err *e)
{
	uint64_t n;

	if (num_u64(arg, RETRIES_MAX, &n, e) < 0)
		return -1;
	((struct netopts *)net)->attempts = (unsigned)n + 1;
	return 0;
}

static int set_timeout(void *net, const char *arg, struct err *e)
{
	return set_seconds(arg, &((struct netopts *)net)->timeout_s, e);
}

static int set_stall(void *net, const char *arg, struct err *e)
{
	return set_seconds(arg, &((struct netopts *)net)->stall_s, e);
}

static int set_progress(void *net, const char *arg, struct err *e)
{
	(void)net;
	return ui_progress_how(arg, e);
}

const struct opt netopts_opts[] = {
	OPT_TEXT(0, "ca-file", "FILE", struct netopts, ca_file, "believe servers whose certificates these CAs vouch for, and no others"),
	OPT_TEXT(0, "crl-file", "FILE", struct netopts, crl_file, "list of certificates that have been revoked"),
	OPT_CALL(0, "limit-rate", "SIZE", set_rate, "download at most SIZE bytes a second"),
	OPT_CALL(0, "max-download", "SIZE", set_max, "download nothing larger than SIZE (default 1Ti)"),
	OPT_CALL(0, "retries", "N", set_retries, "how often what broke off is tried again (default 3)"),
	OPT_CALL(0, "timeout", "TIME", set_timeout, "for each download, however often it is tried (default: none)"),
	OPT_CALL(0, "stall-timeout", "TIME", set_stall, "give up on a server that sends nothing for TIME (default 1m)"),
	OPT_CALL(0, "progress", "HOW", set_progress, "show how far it is: auto, bar, plain, json, none"),
	OPT_END
};

static void notice(void *ctx, const char *text)
{
	(void)ctx;
	ui_info("%s", text);
}

int net_open(const struct rkt_globals *g, struct net *n, struct err *e)
{
	const struct conf_opts dirs = globals_conf_dirs(g);
	const struct netopts *o = &g->net;

	*n = (struct net){ .http = {
		.insecure_tls = g->insecure & INSECURE_TLS, .allow_http = g->insecure & INSECURE_HTTP, .ca_file = o->ca_file,
		.crl_file = o->crl_file, .auth = &n->auth, .rate = o->rate, .max_bytes = o->max_bytes, .attempts = o->attempts,
		.stall_s = o->stall_s, .timeout_s = o->timeout_s, .notice = notice,
	} };
	n->http.session = http_session_new(e);
	return n->http.session && auth_read(&dirs, &n->auth, e) == 0 ? 0 : -1;
}

void net_close(struct net *n)
{
	http_session_free(n->http.session);
	auth_free(&n->auth);
	*n = (struct net){ .http = { .session = NULL } };
}
