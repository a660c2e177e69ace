/* SPDX-License-Identifier: Apache-2.0
 * rkt trust - which keys may vouch for images; list and rm are in trust_list.c
 *
 * Adding asks, with fingerprint and user ids on the terminal, unless --skip-fingerprint-review.
 */
#include <errno.h>
#include <string.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/rkt/keys.h"
#include "applets/ui.h"
#include "core/appc/types.h"

struct trust_opts {
	struct rkt_globals g;
	const char        *prefix;
	bool               root, skip_review, allow_http;
};

static const struct opt trust_opts[] = {
	OPT_TEXT(0, "prefix", "NAME", struct trust_opts, prefix, "trust the keys for images whose names begin with NAME"),
	OPT_BOOL(0, "root", struct trust_opts, root, "trust the keys for all images"),
	OPT_BOOL(0, "skip-fingerprint-review", struct trust_opts, skip_review, "do not ask"),
	OPT_BOOL(0, "insecure-allow-http", struct trust_opts, allow_http, "let keys, and what leads to them, come by http"),
	OPT_PART("Transport", netopts_opts, struct trust_opts, g.net),
	OPT_PART("Global options", rkt_globals_opts, struct trust_opts, g),
	OPT_END
};

/* all of them, also when one is not wanted or cannot be had */
static int trust_all(const struct keys_wish *w, char *const *where, size_t n, struct err *e)
{
	struct err first = { .code = 0 }, why;

	for (size_t i = 0; i < n; i++) {
		if (keys_trust(w, where[i], &why) == 0)
			continue;
		if (first.code)
			ui_warn("%s", why.msg);
		else
			first = why;
	}
	return first.code ? err_set(e, first.code, "%s", first.msg) : 0;
}

static int trust_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct trust_opts *o = opts;
	const struct keys_wish w = { &o->g, o->root ? NULL : o->prefix, o->skip_review, o->allow_http, false };
	struct appc_strings urls = { 0 };

	if (!o->prefix && !o->root)
		return err_set(e, EINVAL, "--prefix=NAME or --root is needed: what shall the keys be trusted for?");
	if (o->prefix && o->root)
		return err_set(e, EINVAL, "--prefix and --root exclude each other");
	if (o->prefix && !ac_identifier_ok(o->prefix))
		return err_set(e, EINVAL, "--prefix: \"%s\" is not an image name prefix (like example.com/app)", o->prefix);
	if (argc)
		return trust_all(&w, argv, (size_t)argc, e);
	if (o->root)
		return err_set(e, EINVAL, "no key file given; only keys for a prefix can be discovered");
	int r = keys_discover(&w, &urls, e);
	if (r == 0)
		r = trust_all(&w, urls.v, urls.n, e);
	appc_strings_clear(&urls);
	return r;
}

static const struct cmd *const trust_sub[] = { RKT_TRUST_COMMANDS(COMMAND_ENTRY) NULL };

const struct cmd rkt_trust_cmd = {
	.name = "trust", .args = "[KEYFILE...]", .summary = "Trust keys to vouch for images.",
	.more = "A KEYFILE is a file, - for the standard input, or a URL. Without one, the host in the prefix\n"
		"is asked for its keys.\n",
	.opts = trust_opts, .opts_size = sizeof(struct trust_opts), .inherits = true,
	.sub = trust_sub, .run = trust_run,
};
