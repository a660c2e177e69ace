/* SPDX-License-Identifier: Apache-2.0
 * rkt fetch - puts images into the store and prints their IDs
 *
 * The IDs are printed when all images are there, so a script that reads them gets all or a failure.
 */
#include <errno.h>
#include <linux/ioprio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/rkt/images.h"
#include "applets/ui.h"
#include "core/base/num.h"
#include "core/store/verify.h"

#define BEST_EFFORT "best-effort"

struct fetch_opts {
	struct rkt_globals g;
	bool               full, store_only, no_store;
	const char        *pull_policy;
};

/* Of this thread only; those that an import starts have it from here. */
static int set_nice(void *opts, const char *arg, struct err *e)
{
	bool negative = *arg == '-';
	uint64_t n;

	(void)opts;
	if (num_u64(arg + negative, negative ? 20 : 19, &n, e) < 0)
		return err_set(e, EINVAL, "\"%s\" is not a niceness, -20 (most) to 19 (least)", arg);
	if (setpriority(PRIO_PROCESS, 0, negative ? -(int)n : (int)n) < 0)
		return err_sys(e, "set the niceness to %s", arg);
	return 0;
}

static int set_ionice(void *opts, const char *arg, struct err *e)
{
	const char *level = arg + strlen(BEST_EFFORT);
	uint64_t n = IOPRIO_NORM;
	int class = IOPRIO_CLASS_BE;
	bool good = true;

	(void)opts;
	if (!strcmp(arg, "idle"))
		class = IOPRIO_CLASS_IDLE;
	else if (strncmp(arg, BEST_EFFORT, strlen(BEST_EFFORT)) != 0)
		good = false;
	else if (*level)
		good = *level == ':' && num_u64(level + 1, IOPRIO_BE_NR - 1, &n, e) == 0;
	if (!good)
		return err_set(e, EINVAL, "\"%s\" is not an I/O priority: idle, best-effort, best-effort:0 (most) to "
			       "best-effort:7 (least)", arg);
	if (syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(class, (int)n)) < 0)
		return err_sys(e, "set the I/O priority to %s", arg);
	return 0;
}

static const struct opt fetch_opts[] = {
	OPT_BOOL(0, "full", struct fetch_opts, full, "print 64 digits of each ID instead of 32"),
	OPT_TEXT(0, "pull-policy", "POLICY", struct fetch_opts, pull_policy,
		 "when to fetch: new (what the store lacks), never, update (always; the default)"),
	OPT_BOOL(0, "store-only", struct fetch_opts, store_only, "same as --pull-policy=never"),
	OPT_BOOL(0, "no-store", struct fetch_opts, no_store, "same as --pull-policy=update"),
	OPT_CALL(0, "nice", "N", set_nice, "niceness to work with, -20 (most) to 19 (least)"),
	OPT_CALL(0, "ionice", "CLASS", set_ionice, "I/O priority to work with: idle, best-effort or best-effort:0 to :7"),
	OPT_PART("Global options", rkt_globals_opts, struct fetch_opts, g),
	OPT_END
};

static int fetch_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct fetch_opts *o = opts;
	struct images_policy policy = { .pull = IMAGES_PULL_UPDATE, .heal = true };
	struct buf out = { 0 };
	int r = 0;

	if (!argc)
		return err_set(e, EINVAL, "must provide at least one image (see --help)");
	if (images_pull_parse(o->pull_policy, o->store_only, o->no_store, &policy.pull, e) < 0)
		return -1;
	/* asked for by name, what is in the store is as good as it gets without discovery */
	bool asked = o->pull_policy || o->no_store || o->store_only;
	struct store *st = images_store(&o->g, true, e);
	/* what is known to be damaged is not said to be there; whoever runs it looks closer */
	if (st)
		store_on_verify(st, &(struct verify_opts){ .policy = VERIFY_NEVER });
	for (int i = 0; i < argc && st && r == 0; i++) {
		struct images_policy p = policy;
		struct image_id id;
		if (!asked && images_kind_of(argv[i]) == IMAGES_NAME)
			p.pull = IMAGES_PULL_NEW;
		r = images_resolve(st, &o->g, argv[i], &p, &id, e);
		if (r == 0)
			r = verify_image(st, &id, e);
		if (r == 0)
			buf_fmt(&out, "%.*s\n", (int)(sizeof("sha512-") - 1) +
				(o->full ? IMAGE_KEY_HEX : IMAGE_SHORT_HEX), id.s);
	}
	store_close(st);
	if (st && r == 0)
		return ui_out(&out, e);
	buf_free(&out);
	return -1;
}

const struct cmd rkt_fetch_cmd = {
	.name = "fetch", .args = "IMAGE...", .summary = "Fetch images into the store and print their IDs.",
	.more = "IMAGE is a file, a URL (https, http, file), an ID or a name in the store.\n"
		"Signatures are not verified by this version, which --insecure-options=image\n"
		"acknowledges.\n",
	.opts = fetch_opts, .opts_size = sizeof(struct fetch_opts), .inherits = true, .run = fetch_run,
};
