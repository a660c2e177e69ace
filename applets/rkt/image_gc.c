/* SPDX-License-Identifier: Apache-2.0
 * rkt image gc - removes images that have not been used for a while, and what crashes left in the store
 *
 * Images that pods still name are kept, however old.
 */
#include <errno.h>
#include <stdio.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/rkt/images.h"
#include "applets/ui.h"
#include "core/pod/pod.h"

#define HOUR INT64_C(3600000000000)

struct gc_opts {
	struct rkt_globals g;
	int64_t            grace_ns;
};

static const struct opt gc_opts[] = {
	OPT_TIME(0, "grace-period", "TIME", struct gc_opts, grace_ns,
		 "keep images that were used within TIME (default 24h)"),
	OPT_PART("Global options", rkt_globals_opts, struct gc_opts, g),
	OPT_END
};

static void gc_init(void *opts)
{
	((struct gc_opts *)opts)->grace_ns = 24 * HOUR;
}

static void on_removed(void *ctx, const char *what)
{
	(void)ctx;
	ui_info("removed %s", what);
}

/* how many went; -1 when not all could */
static int remove_old(struct store *st, struct pods *ps, int64_t grace_ns, int *removed, struct err *e)
{
	struct image_infos l;
	int64_t now = ui_now_ns();
	int failed = 0;

	if (store_list(st, &l, e) < 0)
		return -1;
	struct images_roots used = { .pods = ps };
	for (size_t i = 0; i < l.n; i++) {
		if (now - l.v[i].last_used_ns < grace_ns || images_root_used(&used, l.v[i].id.s))
			continue;
		if (images_remove(st, &l.v[i].id, e) == 0)
			++*removed;
		else if (e->code != ENOENT) /* by somebody else, a moment ago */
			ui_error(e), failed++;
	}
	image_infos_free(&l);
	images_roots_free(&used);
	return failed ? err_set(e, EIO, "%d image(s) cannot be removed", failed) : 0;
}

static int collect(struct store *st, struct pods *ps, int64_t grace_ns, struct err *e)
{
	struct images_roots used = { .pods = ps };
	const struct store_gc_opts how = { .ctx = &used, .render_used = images_root_used, .removed = on_removed };
	int removed = 0;

	int r = remove_old(st, ps, grace_ns, &removed, e);
	if (removed)
		ui_info("%d image(s) successfully removed", removed);
	if (r == 0)
		r = store_gc(st, &how, e);
	images_roots_free(&used);
	return r;
}

static int gc_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct gc_opts *o = opts;
	struct conf c;

	if (argc)
		return err_set(e, EINVAL, "\"%s\" is too much: rkt image rm removes single images (see --help)", argv[0]);
	if (globals_need_root(e) < 0 || globals_conf(&o->g, &c, e) < 0)
		return -1;
	struct pods *ps = pods_open(globals_dir(&o->g, &c), false, e);
	conf_free(&c);
	struct store *st = ps ? images_store(&o->g, false, e) : NULL;
	int r = st ? collect(st, ps, o->grace_ns, e) : -1;
	store_close(st);
	if (ps)
		pods_close(ps);
	return r;
}

const struct cmd rkt_image_gc_cmd = {
	.name = "gc", .summary = "Remove images that have not been used for a while, and leftovers.",
	.more = "Meant for cron and timers. --grace-period=0s removes every image that no pod uses.\n",
	.opts = gc_opts, .opts_size = sizeof(struct gc_opts), .init = gc_init, .inherits = true, .run = gc_run,
};
