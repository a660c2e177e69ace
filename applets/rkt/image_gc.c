/* SPDX-License-Identifier: Apache-2.0
 * rkt image gc - removes images that have not been used for a while, and what crashes left in the store
 *
 * Images that pods still name are kept, however old. With a size, only as many go as it takes to get below it, those
 * first that were used least recently. All is decided while nobody else has the store open: so two collections at once
 * do not each make the room that one would have made, and what a pod is being made of right now does not go.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "applets/commands.h"
#include "applets/rkt/globals.h"
#include "applets/rkt/images_roots.h"
#include "applets/rkt/images_store.h"
#include "applets/ui.h"
#include "core/base/num.h"
#include "core/pod/pod.h"
#include "core/store/usage.h"

#define HOUR INT64_C(3600000000000)

struct gc_opts {
	struct rkt_globals g;
	int64_t            grace_ns; /* -1: not given */
	const char        *max_size;
	bool               dry_run;
};

static const struct opt gc_opts[] = {
	OPT_TIME(0, "grace-period", "TIME", struct gc_opts, grace_ns,
		 "keep images that were used within TIME (default 24h; with a size 0s)"),
	OPT_TEXT(0, "max-size", "SIZE", struct gc_opts, max_size,
		 "remove only until what images take is at most SIZE, least recently used ones first"),
	OPT_BOOL('n', "dry-run", struct gc_opts, dry_run, "only say what would be done"),
	OPT_PART("Global options", rkt_globals_opts, struct gc_opts, g),
	OPT_END
};

static void gc_init(void *opts)
{
	((struct gc_opts *)opts)->grace_ns = -1;
}

struct gc {
	const struct gc_opts *o;
	struct store         *st;
	struct pods          *pods;
	struct images_roots   used;
	int64_t               now_ns, grace_ns, max_bytes; /* max_bytes -1: no matter */
	uint64_t              bytes;               /* of the store, as long as max_bytes matters */
	size_t                n_removed;
	struct buf            out;
};

static bool render_used(void *ctx, const char *render_id)
{
	return images_root_used(&((struct gc *)ctx)->used, render_id);
}

static void on_removed(void *ctx, const char *what)
{
	const struct gc *g = ctx;

	ui_info(g->o->dry_run ? "would remove %s" : "removed %s", what);
}

/* least recently used first, and always in the same order */
static int by_use(const void *a, const void *b)
{
	const struct image_info *x = a, *y = b;

	if (x->last_used_ns != y->last_used_ns)
		return x->last_used_ns < y->last_used_ns ? -1 : 1;
	return strcmp(x->id.s, y->id.s);
}

static void tell(struct gc *g, const struct image_id *id)
{
	buf_fmt(&g->out, "%s aci for image: \"%.*s\"\n", g->o->dry_run ? "would remove" : "successfully removed",
		(int)sizeof("sha512-") - 1 + IMAGE_KEY_HEX, id->s);
}

static int consider(struct gc *g, const struct image_info *i, struct image_ids *out, struct err *e)
{
	if (g->now_ns - i->last_used_ns < g->grace_ns || images_used(&g->used, i->id.s))
		return 0;
	uint64_t bytes = g->max_bytes >= 0 ? store_image_bytes(g->st, &i->id) : 0;
	if (image_ids_add(out, &i->id, 1, e) < 0)
		return -1;
	g->n_removed++;
	g->bytes -= bytes < g->bytes ? bytes : g->bytes;
	tell(g, &i->id);
	return 0;
}

static bool is_enough(const struct gc *g)
{
	return g->max_bytes >= 0 && g->bytes <= (uint64_t)g->max_bytes;
}

/* without leftovers, which go in any case */
static int measure(struct gc *g, struct err *e)
{
	struct store_usage u;

	if (g->max_bytes < 0)
		return 0;
	if (store_usage(g->st, NULL, NULL, &u, e) < 0)
		return -1;
	g->bytes = u.images.bytes + u.rendered.bytes + u.records.bytes;
	return 0;
}

/* as store_gc_opts.evict */
static int choose_old(void *ctx, struct image_ids *out, struct err *e)
{
	struct gc *g = ctx;
	struct image_infos l;

	if (measure(g, e) < 0 || store_list(g->st, &l, e) < 0)
		return -1;
	int r = 0;
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), by_use);
	for (size_t i = 0; r == 0 && i < l.n && !is_enough(g); i++)
		r = consider(g, &l.v[i], out, e);
	image_infos_free(&l);
	return r;
}

static void sum_up(const struct gc *g)
{
	char is[32], wanted[32];

	if (g->n_removed)
		ui_info("%zu image(s) %s", g->n_removed, g->o->dry_run ? "would be removed" : "successfully removed");
	if (g->max_bytes < 0 || is_enough(g))
		return;
	ui_size(g->bytes, is, sizeof(is));
	ui_size((uint64_t)g->max_bytes, wanted, sizeof(wanted));
	ui_warn("images still take %s, more than %s: the others are in use", is, wanted);
}

static int collect(struct gc *g, struct err *e)
{
	const struct store_gc_opts how = {
		.ctx = g, .render_used = render_used, .evict = choose_old, .removed = on_removed, .dry_run = g->o->dry_run,
	};

	g->now_ns = ui_now_ns();
	g->used.pods = g->pods;
	g->used.st = g->st;
	int r = store_gc(g->st, &how, e);
	images_roots_free(&g->used);
	return r;
}

/* when others may use the store again: who reads this may take as long as he likes */
static int report(struct gc *g, struct err *e)
{
	sum_up(g);
	return ui_out(&g->out, e);
}

/* an age that is asked for counts in any case; else a size, from wherever it is, is all that counts */
static int choose(struct gc *g, const struct conf *c, struct err *e)
{
	const struct gc_opts *o = g->o;
	const char *size = o->max_size ? o->max_size : o->grace_ns < 0 ? c->max_size : NULL;

	g->max_bytes = -1;
	if (size && num_quantity(size, 1, &g->max_bytes, e) < 0)
		return err_wrap(e, "--max-size");
	g->grace_ns = o->grace_ns >= 0 ? o->grace_ns : size ? 0 : 24 * HOUR;
	return 0;
}

static int gc_run(void *opts, int argc, char **argv, struct err *e)
{
	const struct gc_opts *o = opts;
	struct gc g = { .o = o };
	struct conf c;

	if (argc)
		return err_set(e, EINVAL, "\"%s\" is too much: rkt image rm removes single images (see --help)", argv[0]);
	if (globals_be_root(&o->g, e) < 0 || globals_conf(&o->g, &c, e) < 0)
		return -1;
	int r = choose(&g, &c, e);
	g.pods = r == 0 ? pods_open(globals_dir(&o->g, &c), false, e) : NULL;
	conf_free(&c);
	g.st = g.pods ? images_store(&o->g, false, e) : NULL;
	ui_hold();
	r = g.st ? collect(&g, e) : -1;
	store_close(g.st);
	ui_release();
	if (r == 0)
		r = report(&g, e);
	buf_free(&g.out);
	if (g.pods)
		pods_close(g.pods);
	return r;
}

const struct cmd rkt_image_gc_cmd = {
	.name = "gc", .summary = "Remove images that have not been used for a while, and leftovers.",
	.more = "Meant for cron and timers. --grace-period=0s removes every image that no pod uses;\n"
		"--max-size=20G those that were not used for the longest time, until 20G are enough.\n",
	.opts = gc_opts, .opts_size = sizeof(struct gc_opts), .init = gc_init, .inherits = true, .run = gc_run,
};
