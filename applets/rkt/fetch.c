/* SPDX-License-Identifier: Apache-2.0
 * rkt fetch - puts images into the store and prints their IDs
 *
 * The IDs are printed when all images are there, so a script that reads them gets all or a failure.
 */
#include <errno.h>
#include <linux/ioprio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/rkt/images.h"
#include "applets/rkt/images_deps.h"
#include "applets/rkt/images_store.h"
#include "applets/ui.h"
#include "core/base/fd.h"
#include "core/base/num.h"
#include "core/conf/conf.h"
#include "core/pod/pod.h"
#include "core/store/render.h"
#include "core/store/verify.h"

#define BEST_EFFORT "best-effort"

struct fetch_opts {
	struct rkt_globals g;
	bool               full, store_only, no_store;
	const char        *pull_policy;
	struct passphrase_opts passphrase;
	struct fetch_image { const char *arg, *signature; } *images;
	size_t             n_images;
};

static int add_image(void *opts, const char *arg, struct err *e)
{
	struct fetch_opts *o = opts;

	(void)e;
	o->images = xrealloc(o->images, (o->n_images + 1) * sizeof(*o->images));
	o->images[o->n_images++] = (struct fetch_image){ arg, NULL };
	return 0;
}

static int add_rest(void *opts, int argc, char **argv, struct err *e)
{
	for (int i = 0; i < argc; i++)
		add_image(opts, argv[i], e);
	return 0;
}

static int set_signature(void *opts, const char *arg, struct err *e)
{
	struct fetch_opts *o = opts;
	struct fetch_image *i = o->n_images ? &o->images[o->n_images - 1] : NULL;

	if (!i || i->signature)
		return err_set(e, EINVAL, i ? "given twice for %s" : "must follow an image", i ? i->arg : "");
	i->signature = arg;
	return 0;
}

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
	OPT_CALL(0, "signature", "FILE", set_signature, IMAGES_SIGNATURE_HELP),
	OPT_TEXT(0, "passphrase-file", "FILE", struct fetch_opts, passphrase.file, IMAGES_PASSPHRASE_HELP),
	OPT_CALL(0, "nice", "N", set_nice, "niceness to work with, -20 (most) to 19 (least)"),
	OPT_CALL(0, "ionice", "CLASS", set_ionice, "I/O priority to work with: idle, best-effort or best-effort:0 to :7"),
	OPT_PART("Transport", netopts_opts, struct fetch_opts, g.net),
	OPT_PART("Global options", rkt_globals_opts, struct fetch_opts, g),
	OPT_END
};

static int fetch_one(struct store *st, const struct fetch_opts *o, const struct fetch_image *i, struct images_policy p,
		     struct image_id *id, struct err *e)
{
	bool asked = o->pull_policy || o->no_store || o->store_only;

	p.signature = i->signature;
	if (images_resolve(st, &o->g, i->arg, &p, id, e) < 0)
		return -1;
	/* dependencies were not named, and may be from files that nobody knows any more */
	if (!asked)
		p.pull = IMAGES_PULL_NEW;
	return images_deps(st, &o->g, id, &p, e) < 0 ? -1 : verify_image(st, id, e);
}

/*
 * Where pods run, images are made ready for that. Elsewhere, as in the root of a system that is being built, mounts
 * would only be in the way.
 */
static void make_ready(struct store *st, const char *dir, const struct image_id *ids, size_t n)
{
	struct err ignored;
	struct pods *pods = geteuid() ? NULL : pods_open(dir, false, &ignored);

	for (size_t i = 0; pods && pods_exist(pods) && i < n; i++)
		render_ahead(st, &ids[i]);
	pods_close(pods);
}

static void print(const struct fetch_opts *o, const struct image_id *ids, size_t n, struct buf *out)
{
	int len = (int)(sizeof("sha512-") - 1) + (o->full ? IMAGE_KEY_HEX : IMAGE_SHORT_HEX);

	for (size_t i = 0; i < n; i++)
		buf_fmt(out, "%.*s\n", len, ids[i].s);
}

static int fetch_all(const struct fetch_opts *o, const struct conf *c, struct image_id *ids, struct err *e)
{
	const char *dir = globals_dir(&o->g, c);
	struct images_policy policy = {
		.pull = IMAGES_PULL_UPDATE, .heal = true, .passphrase = o->passphrase,
	};
	int r = 0;

	if (images_pull_parse(o->pull_policy, o->store_only, o->no_store, &policy.pull, e) < 0)
		return -1;
	struct store *st = images_open(&o->g, c, dir, true, e);
	if (!st)
		return -1;
	/* what is known to be damaged is not said to be there; whoever runs it looks closer */
	store_on_verify(st, &(struct verify_opts){ .policy = VERIFY_NEVER });
	for (size_t i = 0; i < o->n_images && r == 0; i++)
		r = fetch_one(st, o, &o->images[i], policy, &ids[i], e);
	if (r == 0)
		make_ready(st, dir, ids, o->n_images);
	store_close(st);
	return r;
}

static int fetch_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct fetch_opts *o = opts;
	struct buf out = { 0 };
	struct conf c;

	(void)argc;
	(void)argv;
	if (!o->n_images)
		return err_set(e, EINVAL, "must provide at least one image (see --help)");
	if (globals_conf(&o->g, &c, e) < 0)
		return -1;
	struct image_id *ids = xmalloc(o->n_images * sizeof(*ids));
	int r = fetch_all(o, &c, ids, e);
	conf_free(&c);
	if (r == 0)
		print(o, ids, o->n_images, &out);
	free(ids);
	free(o->images);
	return r < 0 ? -1 : ui_out(&out, e);
}

const struct cmd rkt_fetch_cmd = {
	.name = "fetch", .args = "IMAGE...", .summary = "Fetch images into the store and print their IDs.",
	.more = "IMAGE is a file, a URL (https, http, file), an ID, or a name that is looked for by\n"
		"discovery. A key that is trusted for the image has to have signed it (see rkt trust),\n"
		"and all that it depends on.\n",
	.opts = fetch_opts, .opts_size = sizeof(struct fetch_opts), .inherits = true, .run = fetch_run,
	.operand = add_image, .rest = add_rest,
};
